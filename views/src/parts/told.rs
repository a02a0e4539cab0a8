//! What went wrong and what to do about it.

use maud::{Markup, html};

use crate::text::common;

/// An error as errors are written: what happened, and after a line break and
/// `HINT: ` what to do. Each is a paragraph; the class is the first one's.
pub(crate) fn told(class: &str, error: &str) -> Markup {
    let (what, to_do) = match error.split_once("\nHINT: ") {
        Some((what, to_do)) => (what, Some(to_do)),
        None => (error, None),
    };
    html! {
        p class=(class) { bdi { (common::sentence(what)) } }
        @if let Some(to_do) = to_do { (hint_line(to_do)) }
    }
}

/// What to do.
pub(crate) fn hint_line(to_do: &str) -> Markup {
    html! {
        p.hint-line { span.hint-word { (common::HINT) } " " bdi { (common::sentence(to_do)) } }
    }
}
