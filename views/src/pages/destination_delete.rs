//! `/destinations/{id}/delete`: asks before it removes.

use maud::{Markup, html};

use super::destinations::DestinationCard;
use crate::{
    Chrome,
    parts::{Confirm, confirm_page},
    text::destination as t,
};

/// A destination that somebody wants to remove.
#[derive(Debug, Clone)]
pub struct DestinationDeletePage {
    /// Which.
    pub card: DestinationCard,
    /// How many deliveries wait or run.
    pub waiting: u64,
    /// Why it cannot be removed, as one sentence with its full stop, if it cannot.
    pub refused: Option<String>,
}

/// The whole page. htmx takes `#confirm` out of it and shows it as a dialog.
#[must_use]
pub fn page(chrome: &Chrome, data: &DestinationDeletePage) -> Markup {
    let destination = &data.card.destination;
    let body = html! {
        @if !data.card.place.is_empty() { p.filename { bdi { (data.card.place) } } }
        p { (t::DELETE_WHAT) }
        p { (t::waiting(data.waiting)) }
    };
    confirm_page(
        chrome,
        &Confirm {
            title: t::DELETE_TITLE,
            address: &format!("/destinations/{}", destination.id),
            verb: "delete",
            question: t::DELETE_QUESTION,
            name: destination.name.as_str(),
            refused: data.refused.as_deref(),
            body,
            submit: t::DELETE_SUBMIT,
            keep: t::KEEP,
        },
    )
}
