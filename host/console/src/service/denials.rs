//! A brake on entries about refusals: whoever is refused over and over must
//! not be able to fill the audit log, which can only grow.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use cofferdam_catalog::{ActorKind, NewAudit};
use serde_json::Value;

/// Refusals of one kind get one entry in so long.
const WINDOW: Duration = Duration::from_mins(1);
/// Of so many kinds at once; what is beyond them counts as one kind together.
const KINDS: usize = 500;

/// The same person, from the same address, refused the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    actor: String,
    by: ActorKind,
    remote: Option<String>,
    action: String,
    details: String,
}

impl Kind {
    fn of(entry: &NewAudit) -> Self {
        Self {
            actor: entry.actor.name.clone(),
            by: entry.actor.kind,
            remote: entry.actor.remote.clone(),
            action: entry.action.clone(),
            details: entry.details.to_string(),
        }
    }
}

struct Seen {
    entry: NewAudit,
    since: Instant,
    more: u64,
}

/// Decides which refusals get an entry of their own: the first of its kind at
/// once, and those that follow within a minute one entry together, which says
/// how many they were.
#[derive(Default)]
pub struct Denials {
    seen: Mutex<HashMap<Kind, Seen>>,
}

impl Denials {
    /// The entry to write now, if there is one. `others` stands for all kinds
    /// beyond those that are told apart.
    pub fn count(&self, entry: NewAudit, others: NewAudit, now: Instant) -> Option<NewAudit> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen.len() < KINDS || seen.contains_key(&Kind::of(&entry));
        let entry = if known { entry } else { others };
        let kind = Kind::of(&entry);
        if let Some(before) = seen.get_mut(&kind) {
            before.more += 1;
            return None;
        }
        seen.insert(kind, Seen { entry: entry.clone(), since: now, more: 0 });
        Some(entry)
    }

    /// The entries for what was only counted and whose minute is over; with
    /// `all`, also those whose minute is not.
    pub fn due(&self, now: Instant, all: bool) -> Vec<NewAudit> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        seen.retain(|_, it| {
            if !all && now.duration_since(it.since) < WINDOW {
                return true;
            }
            if it.more == 0 {
                return false;
            }
            due.push(repeated(&it.entry, it.more));
            // The minute after begins with this entry.
            (it.since, it.more) = (now, 0);
            true
        });
        due
    }
}

fn repeated(entry: &NewAudit, times: u64) -> NewAudit {
    let mut details = match &entry.details {
        Value::Object(known) => known.clone(),
        _ => serde_json::Map::new(),
    };
    details.insert("times".to_owned(), times.into());
    entry.clone().details(Value::Object(details))
}

#[cfg(test)]
mod tests {
    use cofferdam_catalog::{Actor, Outcome};
    use serde_json::json;

    use super::*;

    fn refusal(remote: &str, what: &str) -> NewAudit {
        let remote = Some(remote.to_owned());
        let actor = Actor { name: "vera".to_owned(), kind: ActorKind::User, remote };
        NewAudit::new(actor, "access", Outcome::Denied).details(json!({ "request": what }))
    }

    fn others() -> NewAudit {
        NewAudit::new(Actor::system(), "access", Outcome::Denied)
    }

    #[test]
    fn a_flood_of_one_kind_is_an_entry_at_once_and_one_a_minute() {
        let (denials, start) = (Denials::default(), Instant::now());
        let written = (0..10_000)
            .filter_map(|_| denials.count(refusal("192.0.2.1", "POST /backups"), others(), start));
        assert_eq!(written.count(), 1);
        assert!(denials.due(start + Duration::from_secs(59), false).is_empty());
        let due = denials.due(start + WINDOW, false);
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].details, json!({ "request": "POST /backups", "times": 9999 }));
        // The next minute has one entry again, at its end.
        assert!(
            denials
                .count(refusal("192.0.2.1", "POST /backups"), others(), start + WINDOW)
                .is_none()
        );
        let due = denials.due(start + 2 * WINDOW, false);
        assert_eq!(due[0].details["times"], 1);
        assert!(denials.due(start + 3 * WINDOW, false).is_empty());
        // After a quiet minute it is the first of its kind again.
        let after = start + 3 * WINDOW;
        assert!(denials.count(refusal("192.0.2.1", "POST /backups"), others(), after).is_some());
    }

    #[test]
    fn different_people_addresses_and_things_are_told_apart() {
        let (denials, now) = (Denials::default(), Instant::now());
        for entry in [
            refusal("192.0.2.1", "POST /backups"),
            refusal("192.0.2.2", "POST /backups"),
            refusal("192.0.2.1", "POST /databases"),
        ] {
            assert!(denials.count(entry, others(), now).is_some());
        }
    }

    #[test]
    fn a_flood_of_all_kinds_has_a_bound_and_loses_no_count() {
        let (denials, now) = (Denials::default(), Instant::now());
        let each = (0..10_000).map(|number| refusal(&number.to_string(), "POST /backups"));
        let written = each.filter_map(|entry| denials.count(entry, others(), now)).count();
        assert_eq!(written, KINDS + 1);
        let due = denials.due(now, true);
        let more: u64 = due.iter().filter_map(|entry| entry.details["times"].as_u64()).sum();
        assert_eq!((due.len(), more), (1, 10_000 - KINDS as u64 - 1));
    }
}
