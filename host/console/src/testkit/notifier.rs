//! The clauses of those that tell people what happened.

use cofferdam_runtime::{Event, Severity};
use serde_json::Value;

use super::{
    book::Book,
    content::Content,
    facts,
    report::{Finding, broken},
    rules::{self, Rule},
    stand::{Stand, told},
};

/// What happens in a console of this version.
const KINDS: [(&str, Severity); 5] = [
    ("backup.completed", Severity::Info),
    ("backup.failed", Severity::Error),
    ("backup.cancelled", Severity::Warning),
    ("delivery.failed", Severity::Error),
    ("test", Severity::Info),
];

const RULES: [&Rule; 3] = [&rules::KINDS, &rules::UNKNOWN, &rules::TEXTS];

/// Tries all clauses about telling.
pub async fn judge(stand: &Stand, book: &mut Book<'_>) {
    let settings = match stand.good() {
        Ok(settings) => settings,
        Err(fault) => return book.skip(&RULES, &fault),
    };
    book.add(&rules::KINDS, kinds(stand, settings).await);
    book.add(&rules::UNKNOWN, unknown(stand, settings).await);
    book.add(&rules::TEXTS, texts(stand, settings).await);
}

fn with_backup(kind: &str, severity: Severity) -> Event {
    facts::event(kind, severity, Some(facts::backup(&Content::new(5, 1_000))))
}

async fn send(stand: &Stand, settings: &Value, event: Event) -> Finding {
    let kind = event.kind.clone();
    match stand.notify(stand.call(settings), event).await {
        Ok(said) if said.is_empty() => broken(format!("{kind}: it says nothing about what it did")),
        Ok(said) => Ok(said),
        Err(error) => broken(format!("{kind}: {}", told(&error))),
    }
}

async fn kinds(stand: &Stand, settings: &Value) -> Finding {
    let mut last = String::new();
    for (kind, severity) in KINDS {
        last = send(stand, settings, with_backup(kind, severity)).await?;
    }
    let mails = stand.relay.taken();
    let mails = if mails > 0 { format!("; the relay took {mails} mails") } else { String::new() };
    Ok(format!("{} kinds; of a test it says: {last}{mails}", KINDS.len()))
}

async fn unknown(stand: &Stand, settings: &Value) -> Finding {
    for severity in [Severity::Info, Severity::Warning, Severity::Error] {
        send(stand, settings, with_backup("kit.later", severity)).await?;
    }
    Ok("at each of the three severities".to_owned())
}

async fn texts(stand: &Stand, settings: &Value) -> Finding {
    let event = facts::odd_event();
    send(stand, settings, event.clone()).await?;
    send(stand, settings, event).await?;
    Ok("twice the same event of several kB, with quotes, markup and line ends".to_owned())
}
