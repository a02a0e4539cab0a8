//! `/`: are my backups good, when was the last one, what needs me.

use cofferdam_model::Backup;
use maud::{Markup, html};

use crate::{BackupItem, Chrome, DatabaseCard, GenerateForm, layout::layout};

/// The overview.
#[derive(Debug, Clone, Default)]
pub struct OverviewPage {
    /// Every database, by short name.
    pub databases: Vec<DatabaseCard>,
    /// Pending and running backups, newest first.
    pub running: Vec<BackupItem>,
    /// The newest backups of all databases, newest first; five or so.
    pub recent: Vec<BackupItem>,
    /// Completed backups whose file is missing or corrupt.
    pub damaged: Vec<Backup>,
    /// Numbers over everything.
    pub stats: Stats,
    /// The form behind the button.
    pub generate: GenerateForm,
}

/// Numbers over all backups.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Completed backups.
    pub total: u64,
    /// The size of their files together.
    pub total_bytes: u64,
    /// Completed runs of the last 30 days.
    pub succeeded_30d: u64,
    /// Failed runs of the last 30 days.
    pub failed_30d: u64,
    /// Free room where backups are kept, if known.
    pub free_bytes: Option<u64>,
}

/// The whole page. Without any backup it is the first-run page.
#[must_use]
pub fn page(chrome: &Chrome, _data: &OverviewPage) -> Markup {
    layout(chrome, "", &html! {})
}
