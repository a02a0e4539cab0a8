//! A brake on entries about what is done over and over: whoever is refused
//! again and again, or fetches a file in a thousand parts, must not be able to
//! fill the audit log, which can only grow.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use cofferdam_catalog::{ActorKind, NewAudit};
use serde_json::Value;

use crate::http::network;

/// The same person, from the same network, and the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    actor: String,
    by: ActorKind,
    network: Option<String>,
    action: String,
    object: Option<String>,
    details: String,
}

impl Kind {
    fn of(entry: &NewAudit) -> Self {
        // Whoever has an IPv6 network has more addresses than can be told apart.
        let network = entry.actor.remote.as_deref().map(|remote| {
            remote
                .parse::<IpAddr>()
                .map_or_else(|_| remote.to_owned(), |it| network(it).to_string())
        });
        Self {
            actor: entry.actor.name.clone(),
            by: entry.actor.kind,
            network,
            action: entry.action.clone(),
            object: entry.object_id.clone(),
            details: entry.details.to_string(),
        }
    }
}

struct Seen {
    entry: NewAudit,
    since: Instant,
    more: u64,
}

/// An entry to write now. Whoever cannot write it gives it back.
#[derive(Debug, Clone)]
pub struct Due {
    first: NewAudit,
    times: Option<u64>,
}

impl Due {
    /// The entry; one that stands for several says how many they were.
    pub fn entry(&self) -> NewAudit {
        let Some(times) = self.times else { return self.first.clone() };
        let mut details = match &self.first.details {
            Value::Object(known) => known.clone(),
            _ => serde_json::Map::new(),
        };
        details.insert("times".to_owned(), times.into());
        self.first.clone().details(Value::Object(details))
    }
}

/// Decides what gets an entry of its own: the first of its kind at once, and
/// those that follow within the window one entry together, which says how many
/// they were.
pub struct Repeats {
    window: Duration,
    /// Of so many kinds at once.
    kinds: usize,
    seen: Mutex<HashMap<Kind, Seen>>,
}

impl Repeats {
    /// For refusals. There are few people and few things that are refused;
    /// whoever makes up more kinds is told of as one.
    pub fn of_refusals() -> Self {
        Self { window: Duration::from_mins(1), kinds: 50, seen: Mutex::default() }
    }

    /// For parts of files: a download that is resumed goes on for some minutes.
    pub fn of_parts() -> Self {
        Self { window: Duration::from_mins(10), kinds: 500, seen: Mutex::default() }
    }

    /// The entry to write now, if there is one. `others` stands for all kinds
    /// beyond those that are told apart; without it each of them is written.
    pub fn count(&self, entry: NewAudit, others: Option<NewAudit>, now: Instant) -> Option<Due> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen.len() < self.kinds || seen.contains_key(&Kind::of(&entry));
        let entry = match others {
            _ if known => entry,
            Some(others) => others,
            None => return Some(Due { first: entry, times: None }),
        };
        let kind = Kind::of(&entry);
        if let Some(before) = seen.get_mut(&kind) {
            before.more += 1;
            return None;
        }
        seen.insert(kind, Seen { entry: entry.clone(), since: now, more: 0 });
        Some(Due { first: entry, times: None })
    }

    /// The entries for what was only counted and whose window is over; with
    /// `all`, also those whose window is not.
    pub fn due(&self, now: Instant, all: bool) -> Vec<Due> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        seen.retain(|_, it| {
            if !all && now.duration_since(it.since) < self.window {
                return true;
            }
            if it.more == 0 {
                return false;
            }
            due.push(Due { first: it.entry.clone(), times: Some(it.more) });
            // The next window begins with this entry.
            (it.since, it.more) = (now, 0);
            true
        });
        due
    }

    /// Counts what could not be written again, for the next time.
    pub fn put_back(&self, due: &[Due], now: Instant) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for due in due {
            let again = || Seen { entry: due.first.clone(), since: now, more: 0 };
            seen.entry(Kind::of(&due.first)).or_insert_with(again).more += due.times.unwrap_or(1);
        }
    }

    /// Forgets a first one that could not be written and was refused for it:
    /// the next of its kind is the first.
    pub fn forget(&self, due: &Due) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(&Kind::of(&due.first));
    }
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

    const WINDOW: Duration = Duration::from_mins(1);

    fn others() -> NewAudit {
        NewAudit::new(Actor::system(), "access", Outcome::Denied)
    }

    #[test]
    fn a_flood_of_one_kind_is_an_entry_at_once_and_one_a_minute() {
        let (denials, start) = (Repeats::of_refusals(), Instant::now());
        let written = (0..10_000).filter_map(|_| {
            denials.count(refusal("192.0.2.1", "POST /backups"), Some(others()), start)
        });
        assert_eq!(written.count(), 1);
        assert!(denials.due(start + Duration::from_secs(59), false).is_empty());
        let due = denials.due(start + WINDOW, false);
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].entry().details, json!({ "request": "POST /backups", "times": 9999 }));
        // The next minute has one entry again, at its end.
        assert!(
            denials
                .count(refusal("192.0.2.1", "POST /backups"), Some(others()), start + WINDOW)
                .is_none()
        );
        let due = denials.due(start + 2 * WINDOW, false);
        assert_eq!(due[0].entry().details["times"], 1);
        assert!(denials.due(start + 3 * WINDOW, false).is_empty());
        // After a quiet minute it is the first of its kind again.
        let after = start + 3 * WINDOW;
        assert!(
            denials.count(refusal("192.0.2.1", "POST /backups"), Some(others()), after).is_some()
        );
    }

    #[test]
    fn different_people_addresses_and_things_are_told_apart() {
        let (denials, now) = (Repeats::of_refusals(), Instant::now());
        for entry in [
            refusal("192.0.2.1", "POST /backups"),
            refusal("192.0.2.2", "POST /backups"),
            refusal("192.0.2.1", "POST /databases"),
        ] {
            assert!(denials.count(entry, Some(others()), now).is_some());
        }
    }

    #[test]
    fn a_flood_of_all_kinds_has_a_bound_and_loses_no_count() {
        let (denials, now) = (Repeats::of_refusals(), Instant::now());
        let each = (0..10_000).map(|number| {
            refusal(&format!("198.18.{}.{}", number / 250, number % 250), "POST /backups")
        });
        let written = each.filter_map(|entry| denials.count(entry, Some(others()), now)).count();
        assert_eq!(written, 50 + 1);
        let due = denials.due(now, true);
        let more: u64 = due.iter().filter_map(|due| due.entry().details["times"].as_u64()).sum();
        assert_eq!((due.len(), more), (1, 10_000 - 50 - 1));
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_kind() {
        let (denials, now) = (Repeats::of_refusals(), Instant::now());
        let each = (0..1000).map(|host| refusal(&format!("2001:db8::{host:x}"), "POST /backups"));
        let written =
            each.filter_map(|entry| denials.count(entry, Some(others()), now)).collect::<Vec<_>>();
        assert_eq!(written.len(), 1);
        // The entry itself names the whole address.
        assert_eq!(written[0].entry().actor.remote.as_deref(), Some("2001:db8::0"));
        let next = refusal("2001:db8:0:1::1", "POST /backups");
        assert!(denials.count(next, Some(others()), now).is_some());
    }

    #[test]
    fn what_could_not_be_written_is_counted_again() {
        let (denials, now) = (Repeats::of_refusals(), Instant::now());
        let vera = || refusal("192.0.2.1", "POST /backups");
        let first = denials.count(vera(), Some(others()), now).expect("the first is written");
        denials.put_back(&[first], now);
        assert!(denials.count(vera(), Some(others()), now).is_none());
        let due = denials.due(now + WINDOW, false);
        assert_eq!(due[0].entry().details["times"], 2);
        denials.put_back(&due, now + WINDOW);
        let due = denials.due(now + 2 * WINDOW, false);
        assert_eq!(due[0].entry().details["times"], 2);
    }

    #[test]
    fn a_first_that_is_forgotten_leaves_the_next_one_first() {
        let (parts, now) = (Repeats::of_parts(), Instant::now());
        let vera = || refusal("192.0.2.1", "part").object("backup", 1, "shop");
        let first = parts.count(vera(), None, now).expect("the first is written");
        parts.forget(&first);
        assert!(parts.count(vera(), None, now).is_some());
        assert!(parts.count(vera(), None, now).is_none());
        assert!(parts.count(vera().object("backup", 2, "shop"), None, now).is_some());
    }

    #[test]
    fn beyond_the_kinds_told_apart_each_part_is_written() {
        let (parts, now) = (Repeats::of_parts(), Instant::now());
        let of = |id: usize| refusal("192.0.2.1", "part").object("backup", id, "shop");
        assert_eq!((0..600).filter_map(|id| parts.count(of(id), None, now)).count(), 600);
        assert!(parts.count(of(1), None, now).is_none());
        assert!(parts.count(of(599), None, now).is_some());
    }
}
