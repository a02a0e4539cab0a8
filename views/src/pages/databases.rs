//! `/databases`: all of them.

use cofferdam_model::Role;
use maud::{Markup, html};

use crate::{
    Chrome, DatabaseCard,
    icons::{Icon, icon},
    layout::layout,
    parts::{Empty, cards, empty},
    text::{common, database as t},
};

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, databases: &[DatabaseCard]) -> Markup {
    let administrator = chrome.may(Role::Administrator);
    let add = html! {
        a.button.primary href="/databases/new" { (icon(Icon::Plus)) (t::ADD) }
    };
    layout(
        chrome,
        common::DATABASES,
        &html! {
            div.head {
                h1 { (common::DATABASES) }
                @if administrator && !databases.is_empty() { div.head-actions { (add) } }
            }
            div #databases hx-get="/databases" hx-select="#databases" hx-target="this"
                hx-swap="outerMorph ignoreTitle:true" hx-trigger="listed delay:200ms"
                hx-nonce=(chrome.nonce) {
                @if databases.is_empty() {
                    (empty(&Empty {
                        icon: Icon::Database,
                        title: t::EMPTY_TITLE,
                        text: if administrator { t::EMPTY_TEXT } else { t::EMPTY_VIEWER },
                        action: administrator.then_some(add),
                    }))
                } @else {
                    (cards(chrome, databases, false))
                }
            }
        },
    )
}
