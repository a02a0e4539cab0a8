//! `/backups/new`, and what POST `/backups` answers with 422: the form alone.

use maud::{Markup, html};

use crate::{Chrome, GenerateForm, layout::layout};

/// The whole page. htmx takes `#generate` out of it.
#[must_use]
pub fn page(chrome: &Chrome, _form: &GenerateForm) -> Markup {
    layout(chrome, "", &html! {})
}
