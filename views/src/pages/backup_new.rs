//! `/backups/new`, and what POST `/backups` answers with 422: the form alone.

use maud::{Markup, html};

use crate::{Chrome, GenerateForm, layout::layout, parts::generate_alone, text::backup as t};

/// The whole page. htmx takes `#generate` out of it.
#[must_use]
pub fn page(chrome: &Chrome, form: &GenerateForm) -> Markup {
    layout(
        chrome,
        t::GENERATE,
        &html! {
            div.head { h1 { (t::GENERATE) } }
            div.panel.alone { (generate_alone(chrome, form)) }
        },
    )
}
