//! `/backups/{id}/delete`: asks before it deletes.

use cofferdam_model::Backup;
use maud::{Markup, html};

use crate::{
    Chrome,
    icons::{Icon, icon},
    layout::layout,
    parts::{Confirm, confirm, size, time},
    text::{backup as t, common},
};

/// A backup that somebody wants to delete.
#[derive(Debug, Clone)]
pub struct BackupDeletePage {
    /// Which.
    pub backup: Backup,
    /// Whether it is the only good one of its database; the page says so.
    pub only_good: bool,
    /// Why it cannot be deleted, as one sentence with its full stop, if it cannot.
    pub refused: Option<String>,
}

/// The whole page. htmx takes `#confirm` out of it and shows it as a dialog.
#[must_use]
pub fn page(chrome: &Chrome, data: &BackupDeletePage) -> Markup {
    let backup = &data.backup;
    let address = format!("/backups/{}", backup.id);
    let body = html! {
        @if let Some(refused) = &data.refused {
            p { (refused) }
        } @else {
            @if let Some(filename) = &backup.filename {
                p.filename { (filename) }
            }
            p.muted {
                (t::CREATED) " " (time(chrome, backup.created_at))
                @if let Some(bytes) = backup.size_bytes { " · " (size(bytes)) }
            }
            @if data.only_good { p.strong-warn { (icon(Icon::Alert)) span { (t::DELETE_ONLY_GOOD) } } }
            p { (if backup.filename.is_some() { t::DELETE_WHAT } else { t::DELETE_WHAT_RECORD }) }
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
                question: html! { (t::DELETE_QUESTION) " " strong { (backup.database) } "?" },
                body,
                submit: data.refused.is_none().then_some(t::DELETE_SUBMIT),
                keep: if data.refused.is_some() { common::BACK } else { t::KEEP },
            }))
        },
    )
}
