//! `/backups/{id}`: one backup.

use cofferdam_model::{LogLine, TableFacts};
use maud::{Markup, html};

use crate::{BackupItem, Chrome, layout::layout};

/// One backup with all that is known.
#[derive(Debug, Clone)]
pub struct BackupPage {
    /// The record and its progress.
    pub item: BackupItem,
    /// The newest lines of its log, oldest first; 12 or so.
    pub log: Vec<LogLine>,
    /// Whether the log has more lines than these.
    pub log_more: bool,
    /// Rows per table, from the sidecar; empty while it runs.
    pub tables: Vec<TableFacts>,
    /// `PostgreSQL 15.18`, from the sidecar.
    pub server_version: Option<String>,
    /// Whether the database is still configured: only then is "Try again" offered.
    pub database_known: bool,
    /// What is wrong with the labels that were posted. Field: `labels`.
    pub label_errors: crate::FieldErrors,
    /// The labels as typed, after an error.
    pub labels_typed: Option<String>,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, _data: &BackupPage) -> Markup {
    layout(chrome, "", &html! {})
}

/// `/backups/{id}/live`: everything on the page that can change by itself.
#[must_use]
pub fn live(_chrome: &Chrome, _data: &BackupPage) -> Markup {
    html! {}
}
