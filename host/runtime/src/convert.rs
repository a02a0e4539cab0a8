//! Between the contract's types and the console's. What comes out of a
//! component is cleaned, bounded and checked here.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use cofferdam_model::Timestamp;

use crate::{
    BackupFacts, Breach, Candidate, Entry, Event, Failure, FieldError, Page, Severity,
    bindings::{exported, imported::types as wit},
    text::clean,
};

/// Texts that people read, in bytes.
pub(crate) const TEXT: usize = 4 << 10;
pub(crate) const LOCATION: usize = 4 << 10;
pub(crate) const FILENAME: usize = 255;
pub(crate) const ENTRIES: usize = 1000;
pub(crate) const FIELD_ERRORS: usize = 100;

pub(crate) fn time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(crate) fn backup(facts: &BackupFacts) -> wit::Backup {
    wit::Backup {
        id: facts.id.clone(),
        database: facts.database.clone(),
        engine: facts.engine.clone(),
        filename: facts.filename.clone(),
        size: facts.size,
        sha256: facts.sha256.clone(),
        created_at: time(facts.created_at),
        completed_at: time(facts.completed_at),
        document: facts.document.to_string(),
        sidecar: facts.sidecar.clone(),
    }
}

pub(crate) fn event(event: &Event) -> wit::Event {
    wit::Event {
        id: event.id.clone(),
        kind: event.kind.clone(),
        severity: match event.severity {
            Severity::Info => wit::Severity::Info,
            Severity::Warning => wit::Severity::Warning,
            Severity::Error => wit::Severity::Error,
        },
        at: time(event.at),
        title: event.title.clone(),
        text: event.text.clone(),
        url: event.url.clone(),
        backup: event.backup.as_ref().map(backup),
        document: event.document.to_string(),
    }
}

pub(crate) fn candidate(candidate: &Candidate) -> exported::retention::Candidate {
    exported::retention::Candidate {
        id: candidate.id.clone(),
        database: candidate.database.clone(),
        created_at: time(candidate.created_at),
        size: candidate.size,
        verified: candidate.verified,
        pinned: candidate.pinned,
    }
}

/// A text for people.
pub(crate) fn text(text: &str) -> String {
    clean(text, TEXT, true).trim().to_owned()
}

/// A location as it is given back later: it is not changed, so what is not fit
/// is refused.
pub(crate) fn location(text: String) -> Result<String, Breach> {
    let fit = clean(&text, LOCATION, false) == text;
    if fit && !text.is_empty() && text.len() <= LOCATION {
        Ok(text)
    } else {
        let rule = format!("a location has 1 to {LOCATION} bytes and no control characters");
        Err(Breach::Answer(rule))
    }
}

pub(crate) fn page(page: exported::storage::Page) -> Result<Page, Breach> {
    if page.entries.len() > ENTRIES {
        let count = page.entries.len();
        return Err(Breach::Answer(format!("a page of {count} entries; {ENTRIES} are allowed")));
    }
    let entries = page.entries.into_iter().map(entry).collect::<Result<_, _>>()?;
    if page.next.as_ref().is_some_and(|next| next.len() > LOCATION) {
        return Err(Breach::Answer(format!("a cursor has at most {LOCATION} bytes")));
    }
    Ok(Page { entries, next: page.next })
}

fn entry(entry: exported::storage::Entry) -> Result<Entry, Breach> {
    let filename = clean(&entry.filename, FILENAME, false);
    if filename != entry.filename || filename.is_empty() || filename.contains('/') {
        let rule = "a file's name has 1 to 255 bytes, no folder and no control characters";
        return Err(Breach::Answer(rule.to_owned()));
    }
    let stored_at = entry.stored_at.as_deref().map(moment).transpose()?;
    Ok(Entry {
        location: location(entry.location)?,
        filename,
        size: entry.size,
        stored_at,
        sidecar: entry.sidecar.map(location).transpose()?,
    })
}

fn moment(text: &str) -> Result<Timestamp, Breach> {
    let moment = DateTime::parse_from_rfc3339(text);
    moment.map(|moment| moment.with_timezone(&Utc)).map_err(|_| {
        let shown = clean(text, 40, false);
        Breach::Answer(format!("{shown:?} is not a time as in RFC 3339"))
    })
}

pub(crate) fn failure(failure: wit::Failure) -> Failure {
    match failure {
        wit::Failure::InvalidConfig(errors) => Failure::InvalidConfig(
            errors
                .into_iter()
                .take(FIELD_ERRORS)
                .map(|error| FieldError {
                    field: clean(&error.field, 200, false),
                    message: text(&error.message),
                })
                .collect(),
        ),
        wit::Failure::Denied(message) => Failure::Denied(text(&message)),
        wit::Failure::NotFound(message) => Failure::NotFound(text(&message)),
        wit::Failure::Temporary(failure) => Failure::Temporary {
            message: text(&failure.message),
            retry_after: failure.retry_after.map(|s| Duration::from_secs(s.into())),
        },
        wit::Failure::Permanent(message) => Failure::Permanent(text(&message)),
    }
}
