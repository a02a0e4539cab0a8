//! `/destinations`: where backups go.

use cofferdam_model::{Delivery, Destination};
use maud::{Markup, html};

use crate::{
    Chrome, Point, format,
    icons::{Icon, icon},
    layout::layout,
    parts::{Empty, delivery_badge, empty, spark, time},
    text::{common, destination as t, overview},
};

/// A destination with what matters about its deliveries.
#[derive(Debug, Clone)]
pub struct DestinationCard {
    /// The record.
    pub destination: Destination,
    /// The plugin's name for people.
    pub plugin: String,
    /// Where it goes, in a few words: hosts, folders, buckets. Never a secret.
    pub place: String,
    /// Why its plugin cannot run, as one sentence with its full stop, if it cannot.
    pub blocked: Option<String>,
    /// The newest delivery, whatever became of it.
    pub last: Option<Delivery>,
    /// The deliveries that are over, oldest first; 30 or fewer.
    pub history: Vec<Point>,
    /// How many of the last 30 that are over succeeded.
    pub good: u64,
    /// How many those are.
    pub all: u64,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, destinations: &[DestinationCard]) -> Markup {
    let add = html! {
        a.button.primary href="/destinations/new" { (icon(Icon::Plus)) (t::ADD) }
    };
    layout(
        chrome,
        common::DESTINATIONS,
        &html! {
            div.head {
                h1 { (common::DESTINATIONS) }
                @if !destinations.is_empty() { div.head-actions { (add) } }
            }
            div #destinations hx-get="/destinations" hx-select="#destinations" hx-target="this"
                hx-swap="outerMorph ignoreTitle:true" data-moving
                hx-trigger="listed delay:200ms, changed delay:200ms" hx-nonce=(chrome.nonce) {
                @if destinations.is_empty() {
                    (empty(&Empty {
                        icon: Icon::Destination, title: t::EMPTY_TITLE, text: t::EMPTY_TEXT,
                        action: Some(add),
                    }))
                } @else {
                    ul.cards { @for card in destinations { li.panel.card { (one(chrome, card)) } } }
                }
            }
        },
    )
}

fn one(chrome: &Chrome, card: &DestinationCard) -> Markup {
    let destination = &card.destination;
    let name = destination.name.as_str();
    html! {
        div.card-head {
            h2 { a href={ "/destinations/" (destination.id) } { (name) } }
            (badge(card))
        }
        p.sub.card-where {
            bdi { (card.plugin) }
            @if !card.place.is_empty() { " · " bdi title=(card.place) { (card.place) } }
        }
        @if let Some(reason) = &card.blocked { p.sub.sub-bad { bdi { (reason) } } }
        (spark(chrome, &t::chart(name), &card.history))
        dl.card-facts {
            div {
                dt { (t::LAST) }
                dd {
                    @if let Some(last) = &card.last {
                        (delivery_badge(last)) " "
                        (time(chrome, last.completed_at.unwrap_or(last.created_at)))
                    } @else { (t::NONE_YET) }
                }
            }
            div {
                dt { (t::SUCCESS) }
                dd.num { (success(card)) }
            }
        }
    }
}

/// How it stands, as icon, word and colour.
pub(super) fn badge(card: &DestinationCard) -> Markup {
    let failed = card.last.as_ref().is_some_and(|last| last.error.is_some() && !is_good(last));
    let (class, shape, word) = if !card.destination.enabled {
        ("off", Icon::Stop, t::DISABLED)
    } else if card.blocked.is_some() {
        ("warn", Icon::Alert, t::BLOCKED)
    } else if failed {
        ("bad", Icon::Cross, t::FAILING)
    } else {
        ("good", Icon::Check, t::READY)
    };
    html! { span class={ "badge badge-" (class) } { (icon(shape)) (word) } }
}

fn is_good(delivery: &Delivery) -> bool {
    use cofferdam_model::DeliveryStatus::{Cancelled, Completed};
    matches!(delivery.status, Completed | Cancelled)
}

/// `28 of 30, 93 %`, or a dash where there is nothing to count.
pub(super) fn success(card: &DestinationCard) -> String {
    if card.all == 0 {
        return common::NONE.to_owned();
    }
    let percent = format::percent(card.good as f64 / card.all as f64 * 100.0);
    format!("{}, {percent} %", overview::success(card.good, card.all))
}
