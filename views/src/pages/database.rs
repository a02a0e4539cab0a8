//! `/databases/{id}`: one database.

use cofferdam_model::{DatabaseId, Failure, Timestamp};
use maud::{Markup, html};

use crate::{BackupItem, Chrome, DatabaseCard, GenerateForm, layout::layout};

/// One database with what is known of it.
#[derive(Debug, Clone)]
pub struct DatabasePage {
    /// The record and its backups in short.
    pub card: DatabaseCard,
    /// The connection, without secrets, in the order to show: `("Host", "db.example")`.
    pub facts: Vec<(String, String)>,
    /// The last pre-flight.
    pub check: Option<Check>,
    /// Its newest backups, newest first; ten or so.
    pub recent: Vec<BackupItem>,
    /// Statements that make a role which may read everything and nothing else; PostgreSQL only.
    pub role_sql: Option<String>,
    /// The form behind the button, for this database alone.
    pub generate: GenerateForm,
}

/// What a pre-flight found.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// When it was done.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Its points, in order.
    pub points: Vec<CheckPoint>,
    /// Why it ended early, if it did.
    pub failure: Option<Failure>,
}

/// One point of a pre-flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPoint {
    /// What came out.
    pub outcome: Outcome,
    /// What was looked at, two or three words: `Reads every table`.
    pub name: String,
    /// What was found, one sentence without a full stop: `31 of 31 tables, 1.4 GB`.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
    /// Lines of detail: the tables that cannot be read, say.
    pub detail: Option<String>,
}

/// What came out of a [`CheckPoint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// As it should be.
    Good,
    /// A backup works; something is worth a look.
    Warning,
    /// A backup would fail.
    Bad,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, _data: &DatabasePage) -> Markup {
    layout(chrome, "", &html! {})
}

/// What POST `/databases/{id}/check` answers to htmx: the pre-flight panel.
#[must_use]
pub fn check(_chrome: &Chrome, _id: DatabaseId, _check: Option<&Check>) -> Markup {
    html! {}
}
