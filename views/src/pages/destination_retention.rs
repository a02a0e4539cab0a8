//! What has had its time at a destination: the section of its page, and the
//! page of its own where scripts are off.

use cofferdam_model::{BackupId, Destination, Timestamp};
use maud::{Markup, html};

use crate::{
    Chrome,
    icons::{Icon, icon},
    layout::layout,
    parts::{csrf, size, time},
    text::{common, retention as t},
};

/// The copies of each database's backups at a destination.
#[derive(Debug, Clone)]
pub struct RetentionPage {
    /// The destination.
    pub destination: Destination,
    /// Each database that has copies there, by short name.
    pub databases: Vec<RetentionOf>,
    /// Why the destination has nothing to say, if it has not: a sentence.
    pub refused: Option<String>,
}

/// The copies of one database's backups.
#[derive(Debug, Clone)]
pub struct RetentionOf {
    /// Its short name.
    pub database: String,
    /// How many copies there are.
    pub copies: u64,
    /// Those that would go, newest first.
    pub goes: Vec<RetentionItem>,
    /// Those that the policy names and that stay.
    pub stays: Vec<RetentionItem>,
    /// Why nothing goes, written as errors are.
    pub held: Option<String>,
}

/// One copy.
#[derive(Debug, Clone)]
pub struct RetentionItem {
    /// Of which backup; its page.
    pub backup: BackupId,
    /// The file's name.
    pub filename: String,
    /// When the backup was asked for.
    pub created_at: Timestamp,
    /// The file's size.
    pub size_bytes: u64,
    /// Why, written as errors are.
    pub reason: String,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, data: &RetentionPage) -> Markup {
    let destination = &data.destination;
    layout(
        chrome,
        &t::title(destination.name.as_str()),
        &html! {
            nav.crumbs aria-label=(common::BREADCRUMB) {
                a href="/destinations" { (common::DESTINATIONS) }
                a href={ "/destinations/" (destination.id) } { (destination.name) }
            }
            div.head { h1 { (t::title(destination.name.as_str())) } }
            (section(chrome, destination, Asked::Here(data)))
        },
    )
}

/// What is known of what would go.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    /// Nobody has asked yet. Why the last automatic run let nothing go, if
    /// something held it back.
    NotYet(Option<&'a str>),
    /// This was found.
    Here(&'a RetentionPage),
}

/// `#retention`: before anybody asked, the button that asks.
pub(super) fn section(chrome: &Chrome, of: &Destination, asked: Asked<'_>) -> Markup {
    let address = format!("/destinations/{}/retention", of.id);
    html! {
        section #retention aria-labelledby="retention-title" {
            div.section-head {
                h2 #retention-title { (t::TITLE) }
                a.button #retention-button href=(address) hx-get=(address) hx-target="#retention"
                    hx-select="#retention" hx-swap="outerHTML ignoreTitle:true" hx-nonce=(chrome.nonce) {
                    (icon(Icon::Retry))
                    span.idle { (if matches!(asked, Asked::Here(_)) { t::AGAIN } else { t::LOOK }) }
                    span.busy role="status" { (t::LOOKING) }
                }
            }
            @match asked {
                Asked::NotYet(held) => div.panel {
                    @if let Some(why) = held {
                        p.strong-warn {
                            (icon(Icon::Alert))
                            span { (t::HELD_BACK) " " bdi { (common::sentence(why)) } }
                        }
                    }
                    p.muted { (t::WHAT) }
                },
                Asked::Here(data) => (found(chrome, data, &address)),
            }
        }
    }
}

fn found(chrome: &Chrome, data: &RetentionPage, address: &str) -> Markup {
    let going: usize = data.databases.iter().map(|it| it.goes.len()).sum();
    let held = data.databases.iter().any(|it| it.held.is_some());
    html! {
        @if let Some(reason) = &data.refused {
            div.panel { p { bdi { (reason) } } }
        } @else {
            @if going == 0 && !held {
                div.panel { p role="status" { (t::NOTHING) } }
            }
            @for of in &data.databases {
                @if of.held.is_some() || !of.goes.is_empty() || !of.stays.is_empty() {
                    div.panel.expired {
                        h3 { (of.database) span.muted { " · " (t::copies(of.copies)) } }
                        @if let Some(why) = &of.held {
                            p.hint-line { (t::HELD) " " bdi { (common::sentence(why)) } }
                        }
                        ul.deliveries-plain {
                            @for it in &of.goes { li { (item(chrome, it, true)) } }
                            @for it in &of.stays { li { (item(chrome, it, false)) } }
                        }
                    }
                }
            }
            @if going > 0 {
                form.actions.below-text method="post" action=(address) {
                    (csrf(chrome))
                    button.button.danger type="submit" { (icon(Icon::Trash)) (t::remove(going)) }
                }
            }
        }
    }
}

fn item(chrome: &Chrome, it: &RetentionItem, goes: bool) -> Markup {
    html! {
        div.delivery-head {
            @if goes { span.badge.badge-warn { (icon(Icon::Trash)) (t::GOES) } }
            @else { span.badge.badge-good { (icon(Icon::Shield)) (t::STAYS) } }
            a.name.mono href={ "/backups/" (it.backup) } { bdi { (it.filename) } }
            span.muted.delivery-side { (time(chrome, it.created_at)) " · " (size(it.size_bytes)) }
        }
        p.sub { bdi { (common::sentence(&it.reason)) } }
    }
}
