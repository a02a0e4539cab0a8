//! What notifiers are told, in words and as a document.

use cofferdam_model::{Backup, BackupStatus, Delivery, EventKind, Timestamp};
use cofferdam_runtime::{Event, Severity};
use cofferdam_views::format;
use serde_json::json;

use super::facts;
use crate::{
    app::App,
    dto,
    service::{Error, Result, deliveries},
};

/// The event that a delivery tells. `None` when its backup was deleted.
pub(super) async fn of(app: &App, delivery: &Delivery) -> Result<Option<Event>> {
    let (Some(kind), Some(backup)) = (delivery.event, app.catalog.backup(delivery.backup).await?)
    else {
        return Ok(None);
    };
    let about = match delivery.about {
        Some(id) => app.catalog.delivery(id).await?,
        None => None,
    };
    let said = words(kind, &backup, about.as_ref());
    let url =
        app.config.access.public_url.as_ref().map(|base| format!("{base}/backups/{}", backup.id));
    let shown = deliveries::with_backup(app, &backup).await?;
    let document = json!({
        "id": delivery.id.to_string(),
        "kind": kind.as_str(),
        "severity": severity_word(said.severity),
        "at": said.at,
        "title": said.title,
        "text": said.text,
        "url": url,
        "backup": serde_json::to_value(&shown).map_err(|error| Error::Internal(error.into()))?,
        "delivery": about.as_ref().map(dto::Delivery::new),
    });
    let facts = match backup.status {
        BackupStatus::Completed => {
            let sidecar = facts::sidecar(app, &backup).await;
            Some(facts::of(app, &backup, sidecar).await?)
        }
        _ => None,
    };
    Ok(Some(Event {
        id: delivery.id.to_string(),
        kind: kind.as_str().to_owned(),
        severity: said.severity,
        at: said.at,
        title: said.title,
        text: said.text,
        url,
        backup: facts,
        document,
    }))
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

struct Said {
    severity: Severity,
    at: Timestamp,
    title: String,
    text: String,
}

/// The event for people: a line, and the story in a few sentences.
fn words(kind: EventKind, backup: &Backup, about: Option<&Delivery>) -> Said {
    let database = &backup.database;
    let ended = backup.completed_at.unwrap_or(backup.created_at);
    let file = backup.filename.as_deref().unwrap_or("the backup");
    match kind {
        EventKind::BackupCompleted => {
            let size = backup.size_bytes.map(format::bytes).unwrap_or_default();
            let took = backup.started_at.map(|from| (ended - from).num_milliseconds().max(0));
            let took = format::duration(took.unwrap_or_default().unsigned_abs());
            Said {
                severity: Severity::Info,
                at: ended,
                title: format!("Backup of {database} completed"),
                text: format!("{file} has {size} and took {took}."),
            }
        }
        EventKind::BackupFailed => {
            let failure = backup.failure.as_ref();
            let mut text = failure.map_or_else(String::new, |it| finish(&it.message));
            if let Some(hint) = failure.and_then(|it| it.hint.as_ref()) {
                text = format!("{text}\nHINT: {hint}");
            }
            let title = format!("Backup of {database} failed");
            Said { severity: Severity::Error, at: ended, title, text }
        }
        EventKind::BackupCancelled => Said {
            severity: Severity::Warning,
            at: ended,
            title: format!("Backup of {database} cancelled"),
            text: "Somebody stopped it; nothing of it was kept.".to_owned(),
        },
        EventKind::DeliveryFailed => {
            let to = about.map_or_else(String::new, |it| it.destination_name.to_string());
            let why = about.and_then(|it| it.error.as_deref()).unwrap_or_default();
            let tries = about.map_or(0, |it| it.attempts);
            Said {
                severity: Severity::Error,
                at: about.and_then(|it| it.completed_at).unwrap_or(ended),
                title: format!("Delivery of a backup of {database} to {to} failed"),
                text: format!(
                    "{file} did not reach {to}, and is not tried again by itself. Attempts: {tries}. {}",
                    finish(why)
                ),
            }
        }
    }
}

/// A message as a sentence.
fn finish(text: &str) -> String {
    let mut letters = text.trim().chars();
    let Some(first) = letters.next() else { return String::new() };
    let text: String = first.to_uppercase().chain(letters).collect();
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}
