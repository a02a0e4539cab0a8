//! `/backups`: the list.

use maud::{Markup, html};

use crate::{BackupItem, BackupQuery, Chrome, GenerateForm, layout::layout};

/// The list, as asked for.
#[derive(Debug, Clone, Default)]
pub struct BackupsPage {
    /// This page's backups.
    pub items: Vec<BackupItem>,
    /// How many fit the query, over all pages.
    pub total: u64,
    /// How many a page holds.
    pub per_page: u64,
    /// What was asked for.
    pub query: BackupQuery,
    /// The short names to filter by.
    pub databases: Vec<String>,
    /// The form behind the button.
    pub generate: GenerateForm,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, _data: &BackupsPage) -> Markup {
    layout(chrome, "", &html! {})
}

/// `/backups/{id}/row`: one row of the list, which fetches itself again.
#[must_use]
pub fn row(_chrome: &Chrome, _item: &BackupItem) -> Markup {
    html! {}
}
