//! Backups, events and candidates that never were, for a component to be tried with.

use chrono::{DateTime, TimeDelta, Utc};
use cofferdam_model::{SIDECAR_VERSION, Timestamp};
use cofferdam_runtime::{Artifact as _, BackupFacts, Candidate, Event, Severity};
use serde_json::{Value, json};
use uuid::Uuid;

use super::content::Content;

/// A moment that is the same in every run.
pub fn moment() -> Timestamp {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_484) + TimeDelta::hours(2)
}

/// The backup whose file has this content. Its name is one that nobody's real
/// backups have.
pub fn backup(content: &Content) -> BackupFacts {
    let id = Uuid::now_v7().to_string();
    let tail = &id[id.len() - 8..];
    let filename = format!("backup_cofferdam-kit_20260131_020000_{tail}.sql.gz");
    let (created_at, completed_at) = (moment(), moment() + TimeDelta::minutes(5));
    let document = json!({
        "id": id, "database": "cofferdam-kit", "engine": "postgres", "filename": filename,
        "size_bytes": content.size(), "sha256": content.sha256(), "status": "completed",
        "created_at": created_at, "completed_at": completed_at,
    });
    BackupFacts {
        database: "cofferdam-kit".to_owned(),
        engine: "postgres".to_owned(),
        size: content.size(),
        sha256: document["sha256"].as_str().unwrap_or_default().to_owned(),
        created_at,
        completed_at,
        sidecar: sidecar(&document).to_string(),
        id,
        filename,
        document,
    }
}

/// The sidecar of a backup, as the console writes it.
fn sidecar(document: &Value) -> Value {
    json!({
        "format_version": SIDECAR_VERSION, "id": document["id"], "database_id": document["id"],
        "database": document["database"], "engine": "postgres", "filename": document["filename"],
        "format": "plain", "level": 6, "trigger": "manual", "description": "", "created_by": "kit",
        "created_at": document["created_at"], "started_at": document["created_at"],
        "completed_at": document["completed_at"], "size_bytes": document["size_bytes"],
        "raw_bytes": document["size_bytes"], "sha256": document["sha256"], "tool_version": null,
        "tables": [], "source": { "server_version": null },
    })
}

/// An event as the console makes it.
pub fn event(kind: &str, severity: Severity, backup: Option<BackupFacts>) -> Event {
    let title = format!("Test of {kind}");
    let text = "The test kit made this up. Nothing has happened.".to_owned();
    let url = Some("https://console.example.org/backups".to_owned());
    worded(kind, severity, &title, text, url, backup)
}

/// An event with texts that are hard to pass on.
pub fn odd_event() -> Event {
    let title = "Backup of \"shop\" & <b>co</b> failed: 'ä' \u{1f4be} \\ {{title}} ${x}";
    let text = format!("{title}\n\t* first\r\n\u{202e}second\n").repeat(150);
    worded("backup.failed", Severity::Error, title, text, None, None)
}

fn worded(
    kind: &str,
    severity: Severity,
    title: &str,
    text: String,
    url: Option<String>,
    backup: Option<BackupFacts>,
) -> Event {
    let (id, at) = (Uuid::now_v7().to_string(), moment());
    let severity_word = match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let document = json!({
        "id": id, "kind": kind, "severity": severity_word, "at": at, "title": title, "text": text,
        "url": url, "backup": backup.as_ref().map(|it| &it.document),
    });
    Event {
        id,
        kind: kind.to_owned(),
        severity,
        at,
        title: title.to_owned(),
        text,
        url,
        backup,
        document,
    }
}

/// So many backups, a day apart, the newest first and made before `newest`.
/// Every seventh is pinned, every third verified.
pub fn candidates(count: u32, newest: Timestamp) -> Vec<Candidate> {
    let one = |number: u32| Candidate {
        id: Uuid::from_u128(u128::from(number) + 1).to_string(),
        database: "cofferdam-kit".to_owned(),
        created_at: newest - TimeDelta::days(number.into()),
        size: 1 << 20,
        verified: number % 3 == 1,
        pinned: number % 7 == 6,
    };
    (0..count).map(one).collect()
}

#[cfg(test)]
mod tests {
    use cofferdam_model::Sidecar;

    use super::*;

    #[test]
    fn the_sidecar_is_one_that_the_console_reads() {
        let backup = backup(&Content::new(1, 1_000));
        let sidecar: Sidecar = serde_json::from_str(&backup.sidecar).expect("a sidecar");
        assert_eq!((sidecar.sha256, sidecar.size_bytes), (backup.sha256, 1_000));
    }

    #[test]
    fn the_moment_is_the_one_in_the_names() {
        assert_eq!(moment().to_rfc3339(), "2026-01-31T02:00:00+00:00");
    }
}
