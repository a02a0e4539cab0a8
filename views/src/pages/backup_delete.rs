//! `/backups/{id}/delete`: asks before it deletes.

use cofferdam_model::Backup;
use maud::{Markup, html};

use crate::{Chrome, layout::layout};

/// A backup that somebody wants to delete.
#[derive(Debug, Clone)]
pub struct BackupDeletePage {
    /// Which.
    pub backup: Backup,
    /// Whether it is the last good one of its database; the page says so.
    pub last_good: bool,
    /// Why it cannot be deleted, as one sentence with its full stop, if it cannot.
    pub refused: Option<String>,
}

/// The whole page. htmx takes `#confirm` out of it and shows it as a dialog.
#[must_use]
pub fn page(chrome: &Chrome, _data: &BackupDeletePage) -> Markup {
    layout(chrome, "", &html! {})
}
