//! The deliveries of a backup, each with its attempts.

use cofferdam_model::{Attempt, AttemptOutcome, Backup, Delivery, DeliveryStatus, Purpose, Role};
use maud::{Markup, html};

use super::{bar, copy_button, csrf, size, time};
use crate::{
    Chrome, DeliveryItem, format,
    icons::{Icon, icon},
    text::{backup, common, delivery as t, destination, states},
};

/// How a delivery stands, as icon, word and colour.
pub(crate) fn delivery_badge(delivery: &Delivery) -> Markup {
    if delivery.removal == Some(DeliveryStatus::Completed) {
        return html! { span.badge.badge-off { (icon(Icon::Trash)) (t::REMOVED) } };
    }
    let (class, shape) = match delivery.status {
        DeliveryStatus::Pending => ("wait", Icon::Clock),
        DeliveryStatus::Running => ("run", Icon::Running),
        DeliveryStatus::Retrying => ("warn", Icon::Retry),
        DeliveryStatus::Blocked => ("warn", Icon::Alert),
        DeliveryStatus::Completed => ("good", Icon::Check),
        DeliveryStatus::Failed => ("bad", Icon::Cross),
        DeliveryStatus::Cancelled => ("off", Icon::Stop),
    };
    html! {
        span class={ "badge badge-" (class) } {
            (icon(shape)) (t::status(delivery.status, delivery.purpose))
        }
    }
}

/// The section on the backup's page.
pub(crate) fn deliveries(chrome: &Chrome, of: &Backup, items: &[DeliveryItem]) -> Markup {
    html! {
        section aria-labelledby="deliveries" {
            div.section-head { h2 #deliveries { (t::TITLE) } }
            @if items.is_empty() {
                div.panel {
                    p.muted { (t::NONE) }
                    @if chrome.may(Role::Administrator) {
                        p { a href="/destinations/new" { (t::ADD) } }
                    }
                }
            } @else {
                ul.panel.deliveries { @for item in items { li { (one(chrome, of, item)) } } }
            }
        }
    }
}

fn one(chrome: &Chrome, of: &Backup, item: &DeliveryItem) -> Markup {
    let delivery = &item.delivery;
    let name = delivery.destination_name.as_str();
    html! {
        div.delivery-head {
            (delivery_badge(delivery))
            strong.delivery-name {
                @if chrome.may(Role::Administrator) {
                    a.name href={ "/destinations/" (delivery.destination) } { (name) }
                } @else { (name) }
            }
            @if let Some(word) = t::purpose(delivery.purpose) { span.label { (word) } }
            @if let Some(event) = delivery.event { span.muted { (destination::event(event)) } }
            span.muted.delivery-side {
                @if let Some(at) = delivery.completed_at { (time(chrome, at)) }
                @else if delivery.status == DeliveryStatus::Pending { (time(chrome, delivery.created_at)) }
            }
            @if may_retry(chrome, item) {
                (act(chrome, &format!("/backups/{}/deliveries/{}/retry", of.id, delivery.id), &RETRY, delivery))
            }
        }
        (story(chrome, item))
        @if !item.attempts.is_empty() { (attempts(chrome, delivery, &item.attempts)) }
    }
}

/// A delivery on its own page, with the logs of its attempts.
pub(crate) fn delivery_alone(chrome: &Chrome, item: &DeliveryItem) -> Markup {
    let delivery = &item.delivery;
    let address = format!("/deliveries/{}", delivery.id);
    html! {
        section aria-label=(t::STATE) {
            ul.panel.deliveries { li {
                div.delivery-head {
                    (delivery_badge(delivery))
                    @if let Some(word) = t::purpose(delivery.purpose) { span.label { (word) } }
                    span.muted.delivery-side {
                        @if let Some(at) = delivery.completed_at { (time(chrome, at)) }
                    }
                    @if may_retry(chrome, item) { (act(chrome, &format!("{address}/retry"), &RETRY, delivery)) }
                    @if chrome.may(Role::Operator) && !delivery.status.is_over() {
                        (act(chrome, &format!("{address}/cancel"), &CANCEL, delivery))
                    }
                }
                (story(chrome, item))
            } }
        }
        section aria-labelledby="attempts" {
            div.section-head { h2 #attempts { (t::attempts(delivery.attempts)) } }
            div.panel {
                @if item.attempts.is_empty() { p.muted { (t::NO_ATTEMPTS) } }
                @else { ol.attempts { @for attempt in &item.attempts { li { (one_attempt(chrome, attempt)) } } } }
            }
        }
    }
}

/// What there is to say of a delivery, below its line.
fn story(chrome: &Chrome, item: &DeliveryItem) -> Markup {
    let delivery = &item.delivery;
    html! {
        @if delivery.status == DeliveryStatus::Running { (moving(item)) }
        @if let Some(location) = &delivery.location {
            p.filename { span { bdi { (location) } } (copy_button(t::LOCATION, location)) }
        }
        @if let Some(note) = &delivery.note { p.sub { bdi { (common::sentence(note)) } } }
        @if let Some(error) = delivery.error.as_ref().filter(|_| delivery.status != DeliveryStatus::Completed) {
            p.sub.sub-bad { bdi { (common::sentence(error)) } }
        }
        @if delivery.status == DeliveryStatus::Retrying {
            p.sub { (t::next(&format::relative(delivery.not_before, chrome.now))) }
        }
    }
}

/// What is over without success, and what waits, can be tried at once.
pub(crate) fn may_retry(chrome: &Chrome, item: &DeliveryItem) -> bool {
    use DeliveryStatus::{Blocked, Cancelled, Failed, Retrying};
    // Of a deleted backup there is nothing left to send.
    let is_lost = item.is_deleted && item.delivery.purpose == Purpose::Store;
    let role = match item.delivery.purpose {
        Purpose::Remove => Role::Administrator,
        Purpose::Store | Purpose::Notify => Role::Operator,
    };
    chrome.may(role)
        && !is_lost
        && !item.delivery.is_kept
        && matches!(item.delivery.status, Blocked | Cancelled | Failed | Retrying)
}

/// What a button does to a delivery.
pub(crate) struct Act {
    icon: Icon,
    words: &'static str,
}

/// Tries it at once.
pub(crate) const RETRY: Act = Act { icon: Icon::Retry, words: t::RETRY };
/// Stops it.
const CANCEL: Act = Act { icon: Icon::Stop, words: t::CANCEL };

/// A button that does something to a delivery.
pub(crate) fn act(chrome: &Chrome, address: &str, what: &Act, delivery: &Delivery) -> Markup {
    html! {
        form method="post" action=(address) {
            (csrf(chrome))
            button.button.quiet type="submit"
                aria-label=(t::act_on(what.words, delivery.destination_name.as_str())) {
                (icon(what.icon)) (what.words)
            }
        }
    }
}

fn moving(item: &DeliveryItem) -> Markup {
    let sent = item.delivery.bytes;
    let percent = match (sent, item.size_bytes) {
        (Some(sent), Some(total)) if total > 0 && item.delivery.purpose == Purpose::Store => {
            // Sent is not yet stored.
            Some((sent as f64 / total as f64 * 100.0).min(99.0))
        }
        _ => None,
    };
    html! {
        div.moving {
            span.moving-words {
                @if let Some(percent) = percent { strong.num { (backup::percent(format::percent(percent))) } }
                @if let Some(sent) = sent { (size(sent)) }
            }
            (bar(percent, &t::progress_of(item.delivery.destination_name.as_str())))
        }
    }
}

/// Folded, but where the last one went wrong.
fn attempts(chrome: &Chrome, delivery: &Delivery, attempts: &[Attempt]) -> Markup {
    let count = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
    html! {
        details.inline-fold id={ "attempts-" (delivery.id) } {
            @let words = t::attempts(count.max(delivery.attempts));
            summary aria-label={ (words) ": " (delivery.destination_name) } {
                (icon(Icon::Chevron)) span { (words) }
            }
            ol.attempts { @for attempt in attempts { li { (one_attempt(chrome, attempt)) } } }
            p.sub { a href={ "/deliveries/" (delivery.id) } { (t::LOGS) } }
        }
    }
}

fn one_attempt(chrome: &Chrome, attempt: &Attempt) -> Markup {
    let end = attempt.ended_at.unwrap_or(chrome.now);
    let took = u64::try_from((end - attempt.started_at).num_milliseconds()).unwrap_or(0);
    let good = matches!(attempt.outcome, None | Some(AttemptOutcome::Completed));
    html! {
        p.attempt-head {
            strong { (t::attempt(attempt.number)) }
            span.bad-text[!good] { (t::outcome(attempt.outcome)) }
            span.muted.num {
                (time(chrome, attempt.started_at)) " · " (format::duration(took)) " · " (size(attempt.bytes))
            }
        }
        @if let Some(error) = &attempt.error { p.sub.sub-bad { bdi { (common::sentence(error)) } } }
        @if !attempt.log.is_empty() {
            ol.attempt-log.mono tabindex="0" aria-label=(t::LOG) {
                @for line in &attempt.log {
                    li class={ "log-" (line.level.as_str()) } {
                        span.sr { (states::log_level(line.level)) ": " }
                        bdi { (line.text) }
                    }
                }
            }
        }
    }
}
