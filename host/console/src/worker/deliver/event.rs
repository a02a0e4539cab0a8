//! What notifiers are told, in words and as a document.

use cofferdam_model::{
    Backup, BackupStatus, Delivery, DeliveryStatus, EventKind, Purpose, Timestamp,
};
use cofferdam_runtime::{Event, Severity};
use cofferdam_views::format;
use serde_json::json;

use super::facts;
use crate::{
    app::App,
    dto,
    service::{Error, Result, deliveries},
};

/// The event that a delivery tells; or why nobody needs to hear of it any more.
pub(super) async fn of(
    app: &App,
    delivery: &Delivery,
) -> Result<std::result::Result<Event, &'static str>> {
    let Some(kind) = delivery.event else { return Ok(Err("it tells nothing")) };
    let backup = app.catalog.backup(delivery.backup).await?;
    let about = match delivery.about {
        Some(id) => app.catalog.delivery(id).await?,
        None => None,
    };
    let said = match (kind, &backup, &about) {
        (EventKind::DeliveryFailed, _, Some(about)) => match about.status {
            DeliveryStatus::Completed => return Ok(Err("the delivery has succeeded meanwhile")),
            DeliveryStatus::Cancelled => return Ok(Err("the delivery was cancelled meanwhile")),
            _ => trouble(delivery, backup.as_ref(), about),
        },
        (EventKind::DeliveryFailed, _, None) | (_, None, _) => {
            return Ok(Err("the backup was deleted"));
        }
        (_, Some(backup), _) => words(kind, backup),
    };
    let url = app.config.access.public_url.as_ref().map(|base| match (&backup, &about) {
        (Some(backup), _) => format!("{base}/backups/{}", backup.id),
        (None, Some(about)) => format!("{base}/deliveries/{}", about.id),
        (None, None) => base.clone(),
    });
    let shown = match &backup {
        Some(backup) => Some(deliveries::with_backup(app, backup).await?),
        None => None,
    };
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
    let facts = match &backup {
        Some(backup) if backup.status == BackupStatus::Completed => {
            let sidecar = facts::sidecar(app, backup).await;
            Some(facts::of(app, backup, sidecar).await?)
        }
        _ => None,
    };
    Ok(Ok(Event {
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

/// What became of a backup, for people: a line, and the story in a few sentences.
fn words(kind: EventKind, backup: &Backup) -> Said {
    let database = &backup.database;
    let at = backup.completed_at.unwrap_or(backup.created_at);
    if kind == EventKind::BackupFailed {
        let failure = backup.failure.as_ref();
        let mut text = failure.map_or_else(String::new, |it| finish(&it.message));
        if let Some(hint) = failure.and_then(|it| it.hint.as_ref()) {
            text = format!("{text}\nHINT: {hint}");
        }
        let title = format!("Backup of {database} failed");
        return Said { severity: Severity::Error, at, title, text };
    }
    if kind == EventKind::BackupCancelled {
        let title = format!("Backup of {database} cancelled");
        let text = "Somebody stopped it; nothing of it was kept.".to_owned();
        return Said { severity: Severity::Warning, at, title, text };
    }
    let size = backup.size_bytes.map(format::bytes).unwrap_or_default();
    let took = backup.started_at.map(|from| (at - from).num_milliseconds().max(0));
    let took = format::duration(took.unwrap_or_default().unsigned_abs());
    Said {
        severity: Severity::Info,
        at,
        title: format!("Backup of {database} completed"),
        text: format!("{} has {size} and took {took}.", file_of(Some(backup))),
    }
}

/// That a delivery has failed, keeps failing, or waits for somebody, as it
/// stands now.
fn trouble(word: &Delivery, backup: Option<&Backup>, about: &Delivery) -> Said {
    let (to, database) = (&about.destination_name, &about.database);
    let (what, state) = match about.purpose {
        Purpose::Remove => {
            let copy = about.location.as_deref().unwrap_or("the copy");
            (
                format!("Removal of a copy of a backup of {database} from {to}"),
                format!("{copy} is still there"),
            )
        }
        Purpose::Store | Purpose::Notify => (
            format!("Delivery of a backup of {database} to {to}"),
            format!("{} did not reach {to}", file_of(backup)),
        ),
    };
    let (verb, next) = match about.status {
        DeliveryStatus::Failed => ("failed", "and is not tried again by itself"),
        DeliveryStatus::Blocked => ("waits for somebody", "and is not tried until somebody acts"),
        _ => ("keeps failing", "and is tried again"),
    };
    let next = if about.purpose == Purpose::Remove {
        next.replacen("and is", "and its removal is", 1)
    } else {
        next.to_owned()
    };
    let why = finish(about.error.as_deref().unwrap_or_default());
    Said {
        severity: Severity::Error,
        at: about.completed_at.unwrap_or(word.created_at),
        title: format!("{what} {verb}"),
        text: format!("{state}, {next}. Attempts: {}. {why}", about.attempts).trim_end().to_owned(),
    }
}

fn file_of(backup: Option<&Backup>) -> &str {
    backup.and_then(|it| it.filename.as_deref()).unwrap_or("the backup")
}

/// A message as a sentence.
fn finish(text: &str) -> String {
    let mut letters = text.trim().chars();
    let Some(first) = letters.next() else { return String::new() };
    let text: String = first.to_uppercase().chain(letters).collect();
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use cofferdam_model::{BackupId, DeliveryId, DestinationId, Slug};

    use super::*;

    #[test]
    fn a_delivery_in_trouble_is_told_as_it_stands() {
        let now = chrono::Utc::now();
        let delivery = |purpose, status, error: &str| Delivery {
            id: DeliveryId::new(),
            backup: BackupId::new(),
            database: Slug::from_name("shop"),
            destination: DestinationId::new(),
            destination_name: Slug::from_name("shelf"),
            purpose,
            event: None,
            about: None,
            status,
            attempts: 2,
            tries: 2,
            not_before: now,
            location: (purpose == Purpose::Remove).then(|| "shop/a.sql.gz".to_owned()),
            stored_with: None,
            bytes: None,
            note: None,
            error: Some(error.to_owned()),
            created_at: now,
            queued_at: now,
            completed_at: None,
            is_kept: false,
            removal: None,
        };
        let word = delivery(Purpose::Notify, DeliveryStatus::Running, "");
        let told = |purpose, status| {
            let said = trouble(&word, None, &delivery(purpose, status, "no such bucket"));
            format!("{}: {}", said.title, said.text)
        };
        assert_eq!(
            told(Purpose::Store, DeliveryStatus::Failed),
            "Delivery of a backup of shop to shelf failed: the backup did not reach shelf, and is \
             not tried again by itself. Attempts: 2. No such bucket."
        );
        assert_eq!(
            told(Purpose::Store, DeliveryStatus::Blocked),
            "Delivery of a backup of shop to shelf waits for somebody: the backup did not reach \
             shelf, and is not tried until somebody acts. Attempts: 2. No such bucket."
        );
        assert_eq!(
            told(Purpose::Store, DeliveryStatus::Retrying),
            "Delivery of a backup of shop to shelf keeps failing: the backup did not reach shelf, \
             and is tried again. Attempts: 2. No such bucket."
        );
        assert_eq!(
            told(Purpose::Remove, DeliveryStatus::Failed),
            "Removal of a copy of a backup of shop from shelf failed: shop/a.sql.gz is still there, \
             and its removal is not tried again by itself. Attempts: 2. No such bucket."
        );
    }
}
