//! `/backups/{id}/log`: the whole log.

use cofferdam_model::{Backup, LogLine};
use maud::{Markup, html};

use crate::{Chrome, layout::layout};

/// The whole log of a backup. As text: `/backups/{id}/log?format=text`.
#[derive(Debug, Clone)]
pub struct BackupLogPage {
    /// Whose log.
    pub backup: Backup,
    /// Its lines, oldest first.
    pub lines: Vec<LogLine>,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, _data: &BackupLogPage) -> Markup {
    layout(chrome, "", &html! {})
}
