//! `/databases/{id}/delete`: asks before it removes.

use cofferdam_model::Database;
use maud::{Markup, html};

use crate::{Chrome, layout::layout};

/// A database that somebody wants to remove.
#[derive(Debug, Clone)]
pub struct DatabaseDeletePage {
    /// Which.
    pub database: Database,
    /// How many completed backups of it stay.
    pub backups: u64,
    /// Their size together.
    pub total_bytes: u64,
    /// Why it cannot be removed, as one sentence with its full stop, if it cannot.
    pub refused: Option<String>,
}

/// The whole page. htmx takes `#confirm` out of it and shows it as a dialog.
#[must_use]
pub fn page(chrome: &Chrome, _data: &DatabaseDeletePage) -> Markup {
    layout(chrome, "", &html! {})
}
