//! `/destinations/{id}`: one destination.

use cofferdam_model::{ComponentHash, LogLine, Timestamp};
use maud::{Markup, html};

use super::{
    backup_log::log_lines,
    destination_retention::{self, Asked},
    destinations::{DestinationCard, badge, success},
};
use crate::{
    Chrome, DeliveryItem, format,
    icons::{Icon, icon},
    layout::layout,
    parts::{
        RETRY, act, callout, csrf, delivery_badge, fact, hint_line, may_retry, size, spark, time,
    },
    text::{backup, common, delivery, destination as t},
};

/// One destination with what is known of it.
#[derive(Debug, Clone)]
pub struct DestinationPage {
    /// The record and its deliveries in short.
    pub card: DestinationCard,
    /// The component that runs for it now.
    pub component: Option<ComponentHash>,
    /// Its settings in words, without secrets, in the order to show.
    pub settings: Vec<(String, String)>,
    /// The labels of the secrets that are stored.
    pub secrets: Vec<String>,
    /// The short names of the databases whose backups go there; `None` for all.
    pub databases: Option<Vec<String>>,
    /// The last test with these settings, if there was one.
    pub tested: Option<Tested>,
    /// Why the last automatic look for copies whose time is over let nothing go,
    /// if something held it back.
    pub held: Option<String>,
    /// What may be left there of deleted backups. Not told to the part that
    /// fetches itself again.
    pub left: Vec<DeliveryItem>,
    /// Its newest deliveries, newest first; ten or so. Without attempts.
    pub recent: Vec<DeliveryItem>,
}

/// What a test of the connection found.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    /// When.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// What the plugin found, or why it does not work.
    pub result: Result<String, String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// What the plugin logged meanwhile.
    pub log: Vec<LogLine>,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, data: &DestinationPage) -> Markup {
    let destination = &data.card.destination;
    layout(
        chrome,
        destination.name.as_str(),
        &html! {
            nav.crumbs aria-label=(common::BREADCRUMB) { a href="/destinations" { (common::DESTINATIONS) } }
            (head(chrome, data))
            div.columns.columns-wide {
                div.column {
                    (state(data))
                    (test(chrome, data))
                    @if destination.roles.retention && destination.roles.storage {
                        (destination_retention::section(chrome, destination, Asked::NotYet(data.held.as_deref())))
                    }
                    (left(chrome, data))
                    (recent(chrome, data))
                }
                div.column { (facts(chrome, data)) }
            }
        },
    )
}

fn head(chrome: &Chrome, data: &DestinationPage) -> Markup {
    let destination = &data.card.destination;
    let address = format!("/destinations/{}", destination.id);
    html! {
        div.head {
            div {
                h1 { (destination.name) }
                p.head-sub {
                    (badge(&data.card))
                    span.muted { bdi { (data.card.plugin) } @if !data.card.place.is_empty() { " · " bdi { (data.card.place) } } }
                }
            }
            div.head-actions {
                a.button href={ (address) "/edit" } { (common::EDIT) }
                form method="post" action={ (address) "/enabled" } {
                    (csrf(chrome))
                    input type="hidden" name="enabled" value=(!destination.enabled);
                    button.button type="submit" { (if destination.enabled { t::DISABLE } else { t::ENABLE }) }
                }
                a.button.danger-quiet href={ (address) "/delete" } hx-get={ (address) "/delete" }
                    hx-target="#dialog" hx-select="#confirm" hx-swap="innerHTML ignoreTitle:true"
                    hx-nonce=(chrome.nonce) { (icon(Icon::Trash)) (t::REMOVE) }
            }
        }
    }
}

fn state(data: &DestinationPage) -> Markup {
    if !data.card.destination.enabled {
        return callout("off", Icon::Stop, t::OFF_TITLE, &html! { p { (t::OFF_TEXT) } });
    }
    let Some(reason) = &data.card.blocked else { return html! {} };
    let body = html! {
        p { bdi { (reason) } }
        div.actions {
            @if let Some(hash) = &data.component {
                a.button href={ "/plugins/" (hash) } { (t::TO_PLUGIN) }
            } @else {
                a.button href="/plugins" { (t::TO_PLUGINS) }
            }
        }
    };
    callout("warn", Icon::Alert, t::BLOCKED_TITLE, &body)
}

/// `#check`: what POST `/destinations/{id}/check` answers to htmx too.
#[must_use]
pub fn test(chrome: &Chrome, data: &DestinationPage) -> Markup {
    let address = format!("/destinations/{}/check", data.card.destination.id);
    html! {
        section #check aria-labelledby="check-title" {
            div.section-head {
                h2 #check-title { (t::CHECK) }
                div.section-actions {
                @if data.card.destination.roles.notifier {
                    form method="post" action={ "/destinations/" (data.card.destination.id) "/test" } {
                        (csrf(chrome))
                        button.button type="submit" { (icon(Icon::Mail)) (t::SEND_TEST) }
                    }
                }
                form method="post" action=(address) hx-post=(address) hx-target="#check"
                    hx-select="#check" hx-swap="outerHTML ignoreTitle:true"
                    hx-disable="find button" hx-nonce=(chrome.nonce) {
                    (csrf(chrome))
                    button.button #check-button type="submit" {
                        (icon(Icon::Retry))
                        span.idle { (t::CHECK_NOW) }
                        span.busy role="status" { (t::CHECK_BUSY) }
                    }
                }
                }
            }
            div.panel {
                @match &data.tested {
                    None => p.muted { (t::CHECK_NEVER) },
                    Some(tested) => (found(chrome, tested)),
                }
            }
        }
    }
}

/// What a test has found, as the form shows it too.
pub(super) fn found(chrome: &Chrome, tested: &Tested) -> Markup {
    let (class, shape, words) = match tested.result {
        Ok(_) => ("good", Icon::Check, t::CHECK_GOOD),
        Err(_) => ("bad", Icon::Cross, t::CHECK_BAD),
    };
    let (Ok(text) | Err(text)) = &tested.result;
    html! {
        p.check-verdict role="status" {
            span class={ "outcome " (class) } { (icon(shape)) } strong { (words) }
            span.muted.num { (time(chrome, tested.at)) " · " (format::duration(tested.millis)) }
        }
        p { bdi { (common::sentence(text)) } }
        @if let Some(hint) = &tested.hint {
            (hint_line(hint))
        }
        @if !tested.log.is_empty() {
            h3 { (t::CHECK_LOG) }
            div.flush { (log_lines(&tested.log)) }
        }
    }
}

fn left(chrome: &Chrome, data: &DestinationPage) -> Markup {
    if data.left.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="left-title" {
            div.section-head { h2 #left-title { (t::LEFT) } }
            ul.panel.deliveries { @for item in &data.left { li { (row(chrome, item)) } } }
        }
    }
}

/// Its newest deliveries; they fetch themselves again when the list changed.
#[must_use]
pub fn recent(chrome: &Chrome, data: &DestinationPage) -> Markup {
    let destination = &data.card.destination;
    html! {
        section #recent aria-labelledby="recent-title" hx-get={ "/destinations/" (destination.id) }
            hx-select="#recent" hx-target="this" hx-swap="outerMorph ignoreTitle:true"
            hx-trigger="listed delay:200ms, changed delay:200ms" data-moving
            hx-nonce=(chrome.nonce) {
            div.section-head { h2 #recent-title { (t::DELIVERIES) } }
            @if data.recent.is_empty() {
                div.panel { p.muted { (t::NO_DELIVERIES) } }
            } @else {
                @if data.card.history.len() > 1 {
                    div.panel.chart { (spark(chrome, &t::chart(destination.name.as_str()), &data.card.history)) }
                }
                ul.panel.deliveries { @for item in &data.recent { li { (row(chrome, item)) } } }
            }
        }
    }
}

fn row(chrome: &Chrome, item: &DeliveryItem) -> Markup {
    let it = &item.delivery;
    html! {
        div.delivery-head {
            (delivery_badge(it))
            strong.delivery-name {
                @if item.is_deleted {
                    a.name href={ "/deliveries/" (it.id) } {
                        (delivery::of_deleted(it.database.as_str()))
                        span.sr { ", " (format::exact(it.created_at)) }
                    }
                } @else {
                    a.name href={ "/backups/" (it.backup) "#deliveries" } {
                        (it.database) span.sr { ", " (format::exact(it.created_at)) }
                    }
                }
            }
            @if let Some(word) = delivery::purpose(it.purpose) { span.label { (word) } }
            @if let Some(event) = it.event { span.muted { (t::event(event)) } }
            span.muted.delivery-side {
                (time(chrome, it.completed_at.unwrap_or(it.created_at)))
                @if let Some(bytes) = it.bytes { " · " (size(bytes)) }
            }
            // Those of other backups have theirs on the backup's page.
            @if item.is_deleted && may_retry(chrome, item) {
                (act(chrome, &format!("/deliveries/{}/retry", it.id), &RETRY, it))
            }
        }
        @if let Some(location) = &it.location { p.sub.mono { bdi { (location) } } }
        @if let Some(error) = it.error.as_ref().filter(|_| it.status != cofferdam_model::DeliveryStatus::Completed) {
            p.sub.sub-bad { bdi { (common::sentence(error)) } }
        }
    }
}

fn facts(chrome: &Chrome, data: &DestinationPage) -> Markup {
    let destination = &data.card.destination;
    html! {
        section aria-labelledby="settings" {
            div.section-head { h2 #settings { (t::SETTINGS) } }
            dl.facts.panel {
                (fact(t::PLUGIN, html! {
                    @if let Some(hash) = &data.component {
                        a href={ "/plugins/" (hash) } { bdi { (data.card.plugin) } }
                    } @else { bdi { (data.card.plugin) } }
                }))
                @for (name, value) in &data.settings {
                    (fact(name, html! { bdi { (value) } }))
                }
                @if !data.secrets.is_empty() {
                    (fact(t::SECRETS, html! { bdi { (data.secrets.join(", ")) } p.sub { (backup::STORED_ENCRYPTED) } }))
                }
                (fact(backup::DATABASE, html! {
                    @match &data.databases {
                        None => (t::ALL_DATABASES),
                        Some(names) => (names.join(", ")),
                    }
                }))
                @if destination.roles.notifier && !destination.events.is_empty() {
                    (fact(t::EVENTS, html! {
                        @for event in &destination.events { span.block-link { (t::event(*event)) } }
                    }))
                }
                (fact(t::SUCCESS, html! { span.num { (success(&data.card)) } }))
                (fact(t::ADDED, time(chrome, destination.created_at)))
            }
        }
    }
}
