//! `/backups/{id}/delete`: asks before it deletes.

use cofferdam_model::Backup;
use maud::{Markup, html};

use crate::{
    Chrome,
    icons::{Icon, icon},
    parts::{Confirm, confirm_page, size, time},
    text::backup as t,
};

/// A backup that somebody wants to delete.
#[derive(Debug, Clone)]
pub struct BackupDeletePage {
    /// Which.
    pub backup: Backup,
    /// Whether it is the only good one of its database; the page says so.
    pub only_good: bool,
    /// The destinations that hold copies of it.
    pub copies: Vec<String>,
    /// Why it cannot be deleted, as one sentence with its full stop, if it cannot.
    pub refused: Option<String>,
}

/// The whole page. htmx takes `#confirm` out of it and shows it as a dialog.
#[must_use]
pub fn page(chrome: &Chrome, data: &BackupDeletePage) -> Markup {
    let backup = &data.backup;
    let body = html! {
        @if let Some(filename) = &backup.filename {
            p.filename { (filename) }
        }
        p.muted {
            (t::CREATED) " " (time(chrome, backup.created_at))
            @if let Some(bytes) = backup.size_bytes { " · " (size(bytes)) }
        }
        @if data.only_good { p.strong-warn { (icon(Icon::Alert)) span { (t::DELETE_ONLY_GOOD) } } }
        p { (if backup.filename.is_some() { t::DELETE_WHAT } else { t::DELETE_WHAT_RECORD }) }
        @if !data.copies.is_empty() {
            p { (t::delete_copies(data.copies.len())) " " strong { (data.copies.join(", ")) } "." }
            label.tick for="keep-remote" {
                input #keep-remote type="checkbox" name="keep_remote" value="true" form="confirm-form";
                span { (t::DELETE_KEEP_COPIES) }
            }
        }
    };
    confirm_page(
        chrome,
        &Confirm {
            title: t::DELETE_TITLE,
            address: &format!("/backups/{}", backup.id),
            verb: "delete",
            question: t::DELETE_QUESTION,
            name: backup.database.as_str(),
            refused: data.refused.as_deref(),
            body,
            submit: t::DELETE_SUBMIT,
            keep: t::KEEP,
        },
    )
}
