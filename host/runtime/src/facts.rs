//! What goes into a component and what comes out, in the console's own types.

use std::time::Duration;

use cofferdam_model::Timestamp;

/// A completed backup, as a component gets to know it.
#[derive(Debug, Clone)]
pub struct BackupFacts {
    /// A UUID.
    pub id: String,
    /// The database's short name.
    pub database: String,
    /// What read it: `postgres`, `sqlite`.
    pub engine: String,
    /// The file's name, without a folder.
    pub filename: String,
    /// The file's size in bytes.
    pub size: u64,
    /// Of the file, in hexadecimal digits.
    pub sha256: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the file was whole.
    pub completed_at: Timestamp,
    /// The backup as the console's API gives it.
    pub document: serde_json::Value,
    /// The file's sidecar.
    pub sidecar: String,
}

/// How grave an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// All is well.
    Info,
    /// Somebody should look at it soon.
    Warning,
    /// Something is broken.
    Error,
}

/// Something that happened, for people to hear of.
#[derive(Debug, Clone)]
pub struct Event {
    /// A UUID, the same whenever the same event is sent again.
    pub id: String,
    /// `backup.completed` and so on.
    pub kind: String,
    /// How grave it is.
    pub severity: Severity,
    /// When it happened.
    pub at: Timestamp,
    /// One line.
    pub title: String,
    /// The whole story in plain words.
    pub text: String,
    /// Where the console shows it.
    pub url: Option<String>,
    /// The backup that it is about.
    pub backup: Option<BackupFacts>,
    /// A JSON object with all of the above and more.
    pub document: serde_json::Value,
}

/// Where a backup was put. The host has checked that all bytes were read and
/// that as many are said to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What finds it again.
    pub location: String,
    /// A sentence for people.
    pub note: Option<String>,
}

/// What was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// The size of the whole stored file, if the component knew it.
    pub total: Option<u64>,
    /// How many bytes went to the sink.
    pub bytes: u64,
}

/// One stored backup in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As in the receipt.
    pub location: String,
    /// The file's name, without a folder.
    pub filename: String,
    /// The file's size in bytes.
    pub size: u64,
    /// When it was stored, as far as the place knows.
    pub stored_at: Option<Timestamp>,
    /// Where its sidecar is, if one is kept.
    pub sidecar: Option<String>,
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most 1,000.
    pub entries: Vec<Entry>,
    /// Where the next page begins; nothing on the last one.
    pub next: Option<String>,
}

/// One completed backup of a database, as stored at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The backup's id.
    pub id: String,
    /// The database's short name.
    pub database: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The file's size in bytes.
    pub size: u64,
    /// Whether it has been restored and counted successfully.
    pub verified: bool,
    /// Whether somebody has marked it never to be deleted.
    pub pinned: bool,
}

/// A backup that may go. It was among the candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// Its id.
    pub id: String,
    /// Why, for people.
    pub reason: String,
}

/// One thing wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Which setting, as a JSON pointer; empty for all of them together.
    pub field: String,
    /// What is wrong, in a sentence.
    pub message: String,
}

/// Why a component says that a call did not succeed. The texts are its own,
/// cleaned and bounded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The settings are wrong.
    #[error("the settings are not right{}", describe(.0))]
    InvalidConfig(Vec<FieldError>),
    /// The other side, or the console, does not allow it.
    #[error("{0}")]
    Denied(String),
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// It may succeed later.
    #[error("{message}")]
    Temporary {
        /// What happened.
        message: String,
        /// How long the other side asked to wait.
        retry_after: Option<Duration>,
    },
    /// It will not succeed, however often it is tried.
    #[error("{0}")]
    Permanent(String),
}

fn describe(errors: &[FieldError]) -> String {
    let one = |error: &FieldError| match error.field.as_str() {
        "" => error.message.clone(),
        field => format!("{field}: {}", error.message),
    };
    let all: Vec<_> = errors.iter().map(one).collect();
    if all.is_empty() { String::new() } else { format!(": {}", all.join("; ")) }
}
