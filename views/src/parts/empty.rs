//! What a page shows where there is nothing yet: what it is for, and one action.

use maud::{Markup, html};

use crate::icons::{Icon, icon};

/// An empty place.
pub(crate) struct Empty<'a> {
    pub(crate) icon: Icon,
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    pub(crate) action: Option<Markup>,
}

/// Shows it.
pub(crate) fn empty(place: &Empty<'_>) -> Markup {
    html! {
        div.empty {
            div.empty-icon { (icon(place.icon)) }
            h2 { (place.title) }
            p { (place.text) }
            @if let Some(action) = &place.action { (action) }
        }
    }
}
