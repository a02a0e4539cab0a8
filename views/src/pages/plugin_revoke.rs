//! `/plugins/{hash}/revoke`: asks before the approval is taken back.

use maud::{Markup, html};

use super::plugins::PluginItem;
use crate::{
    Chrome,
    parts::{Confirm, confirm_page},
    text::plugin as t,
};

/// An approval that somebody wants to take back.
#[derive(Debug, Clone)]
pub struct PluginRevokePage {
    /// Of which component.
    pub item: PluginItem,
    /// How many destinations will wait.
    pub destinations: usize,
    /// Why it cannot be done, as one sentence with its full stop, if it cannot.
    pub refused: Option<String>,
}

/// The whole page. htmx takes `#confirm` out of it and shows it as a dialog.
#[must_use]
pub fn page(chrome: &Chrome, data: &PluginRevokePage) -> Markup {
    let body = html! {
        p { (t::REVOKE_WHAT) }
        p { (t::used_by(data.destinations)) }
    };
    confirm_page(
        chrome,
        &Confirm {
            title: t::REVOKE_TITLE,
            address: &data.item.address(),
            verb: "revoke",
            question: t::REVOKE_QUESTION,
            name: data.item.name(),
            refused: data.refused.as_deref(),
            body,
            submit: t::REVOKE_SUBMIT,
            keep: t::KEEP,
        },
    )
}
