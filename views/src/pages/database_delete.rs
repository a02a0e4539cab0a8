//! `/databases/{id}/delete`: asks before it removes.

use cofferdam_model::Database;
use maud::{Markup, html};

use crate::{
    Chrome,
    parts::{Confirm, confirm_page},
    text::database as t,
};

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
pub fn page(chrome: &Chrome, data: &DatabaseDeletePage) -> Markup {
    let database = &data.database;
    let body = html! {
        p.filename { bdi { (database.summary) } }
        p { (t::DELETE_WHAT) }
        p { (t::keeps(data.backups, data.total_bytes)) }
    };
    confirm_page(
        chrome,
        &Confirm {
            title: t::DELETE_TITLE,
            address: &format!("/databases/{}", database.id),
            verb: "delete",
            question: t::DELETE_QUESTION,
            name: database.slug.as_str(),
            refused: data.refused.as_deref(),
            body,
            submit: t::DELETE_SUBMIT,
            keep: t::KEEP,
        },
    )
}
