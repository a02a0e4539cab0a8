//! `/databases`: all of them.

use maud::{Markup, html};

use crate::{Chrome, DatabaseCard, layout::layout};

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, _databases: &[DatabaseCard]) -> Markup {
    layout(chrome, "", &html! {})
}
