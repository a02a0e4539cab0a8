//! `/databases/{id}/delete`: asks before it removes.

use cofferdam_model::Database;
use maud::{Markup, html};

use crate::{
    Chrome,
    layout::layout,
    parts::{Confirm, confirm},
    text::{common, database as t},
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
    let address = format!("/databases/{}", database.id);
    let body = html! {
        @if let Some(refused) = &data.refused {
            p { (refused) }
        } @else {
            p.filename { bdi { (database.summary) } }
            p { (t::DELETE_WHAT) }
            p { (t::keeps(data.backups, data.total_bytes)) }
        }
    };
    layout(
        chrome,
        t::DELETE_TITLE,
        &html! {
            div.head { h1 { (t::DELETE_TITLE) } }
            (confirm(chrome, &Confirm {
                action: &format!("{address}/delete"),
                back: &address,
                question: html! { (t::DELETE_QUESTION) " " strong { (database.slug) } "?" },
                body,
                submit: data.refused.is_none().then_some(t::DELETE_SUBMIT),
                keep: if data.refused.is_some() { common::BACK } else { t::KEEP },
            }))
        },
    )
}
