//! `/backups`: the list.

use cofferdam_model::{BackupStatus, Trigger};
use maud::{Markup, html};

use crate::{
    BackupItem, BackupQuery, Chrome, Direction, GenerateForm, Sort,
    icons::{Icon, icon},
    layout::layout,
    parts::{self, Empty, empty, generate},
    text::{self, backup as t, common, states},
};

/// What asks for backups today.
const TRIGGERS: [Trigger; 3] = [Trigger::Manual, Trigger::Api, Trigger::Cli];

/// The list, as asked for.
#[derive(Debug, Clone, Default)]
pub struct BackupsPage {
    /// This page's backups.
    pub items: Vec<BackupItem>,
    /// How many fit the query, over all pages.
    pub total: u64,
    /// How many a page holds.
    pub per_page: u64,
    /// What was asked for.
    pub query: BackupQuery,
    /// The short names to filter by.
    pub databases: Vec<String>,
    /// The form behind the button.
    pub generate: GenerateForm,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, data: &BackupsPage) -> Markup {
    layout(
        chrome,
        common::BACKUPS,
        &html! {
            div.head {
                h1 { (common::BACKUPS) }
                div.head-actions { (generate(chrome, &data.generate)) }
            }
            @if data.total > 0 || data.query.is_filtered() { (filters(chrome, data)) }
            (list(chrome, data))
        },
    )
}

/// `/backups/{id}/row`: one row of the list, which fetches itself again.
#[must_use]
pub fn row(chrome: &Chrome, item: &BackupItem) -> Markup {
    parts::row(chrome, item)
}

/// The filters post as a plain GET; with scripts the list follows each change.
fn filters(chrome: &Chrome, data: &BackupsPage) -> Markup {
    let query = &data.query;
    html! {
        form.filters role="search" method="get" action="/backups" aria-label=(t::FILTERS)
            hx-get="/backups" hx-target="#backups" hx-select="#backups"
            hx-swap="outerHTML ignoreTitle:true" hx-replace-url="true"
            hx-trigger="submit, change, input changed delay:300ms from:#q"
            hx-nonce=(chrome.nonce) {
            @if query.sort != Sort::default() || query.dir != Direction::default() {
                input type="hidden" name="sort" value=(query.sort.as_str());
                input type="hidden" name="dir" value=(query.dir.as_str());
            }
            div.search {
                label.sr for="q" { (t::SEARCH) }
                (icon(Icon::Search))
                input #q type="search" name="q" value=(query.q) placeholder=(t::SEARCH_HINT)
                    autocomplete="off" spellcheck="false" data-search aria-keyshortcuts="/";
                kbd.needs-js aria-hidden="true" { (t::SEARCH_KEY) }
            }
            (choice("status", t::STATUS, query.status.map(BackupStatus::as_str).unwrap_or_default(),
                BackupStatus::ALL.iter().map(|status| (status.as_str(), text::status(*status)))))
            (choice("database", t::DATABASE, &query.database,
                data.databases.iter().map(|slug| (slug.as_str(), slug.as_str()))))
            (choice("trigger", t::TRIGGER, query.trigger.map(Trigger::as_str).unwrap_or_default(),
                TRIGGERS.iter().chain(query.trigger.iter().filter(|it| !TRIGGERS.contains(it)))
                    .map(|trigger| (trigger.as_str(), states::trigger_name(*trigger)))))
            button.button.without-js type="submit" { (t::APPLY) }
        }
    }
}

fn choice<'a>(
    name: &str,
    label: &str,
    chosen: &str,
    options: impl Iterator<Item = (&'a str, &'a str)>,
) -> Markup {
    html! {
        div.choice {
            label for={ "filter-" (name) } { (label) }
            select id={ "filter-" (name) } name=(name) {
                option value="" { (t::ANY) }
                @for (value, word) in options {
                    option value=(value) selected[value == chosen] { (word) }
                }
            }
        }
    }
}

/// `#backups`: it fetches itself again, at this very query, when the list changed.
fn list(chrome: &Chrome, data: &BackupsPage) -> Markup {
    html! {
        div #backups hx-get=(address(&data.query)) hx-select="#backups" hx-target="this"
            hx-swap="outerMorph ignoreTitle:true" hx-trigger="listed delay:200ms"
            hx-nonce=(chrome.nonce) {
            @if !data.items.is_empty() {
                div.panel.flush { (table(chrome, data)) }
                (paging(data))
            } @else if data.query.is_filtered() || data.total > 0 {
                (empty(&Empty {
                    icon: Icon::Search, title: t::NO_MATCH_TITLE, text: t::NO_MATCH_TEXT,
                    action: Some(html! { a.button href="/backups" { (t::CLEAR) } }),
                }))
            } @else {
                (empty(&Empty {
                    icon: Icon::Archive, title: t::EMPTY_TITLE, text: t::EMPTY_TEXT, action: None,
                }))
            }
        }
    }
}

fn table(chrome: &Chrome, data: &BackupsPage) -> Markup {
    let query = &data.query;
    html! {
        table.backups role="table" {
            caption.sr { (common::BACKUPS) }
            thead role="rowgroup" {
                tr role="row" {
                    th role="columnheader" scope="col" { (t::STATUS) }
                    (column(query, Sort::Database, t::DATABASE, false))
                    (column(query, Sort::Created, t::CREATED, false))
                    (column(query, Sort::Size, t::SIZE, true))
                    (column(query, Sort::Duration, t::DURATION, true))
                    th role="columnheader" scope="col" { (t::BY) }
                    th role="columnheader" scope="col" { span.sr { (t::ACTIONS) } }
                }
            }
            tbody role="rowgroup" { @for item in &data.items { (parts::row(chrome, item)) } }
        }
    }
}

/// A heading that sorts; the second click turns the order around.
fn column(query: &BackupQuery, sort: Sort, word: &str, end: bool) -> Markup {
    let current = query.sort == sort;
    let descending = query.dir == Direction::Descending;
    let dir = match (current, descending, sort) {
        (true, true, _) | (false, _, Sort::Database) => Direction::Ascending,
        _ => Direction::Descending,
    };
    let next = BackupQuery { sort, dir, page: 1, ..query.clone() };
    let order = current.then_some(if descending { "descending" } else { "ascending" });
    html! {
        th.end[end] role="columnheader" scope="col" aria-sort=[order] {
            a.sort href=(address(&next)) title=(t::sorted_by(word, dir == Direction::Descending)) {
                (word)
                @if current { span class={ "sort-mark sort-" (query.dir.as_str()) } { (icon(Icon::Chevron)) } }
            }
        }
    }
}

fn paging(data: &BackupsPage) -> Markup {
    let per_page = data.per_page.max(1);
    let page = data.query.page.max(1);
    let first = (page - 1).saturating_mul(per_page) + 1;
    let last = (first + data.items.len() as u64).saturating_sub(1);
    let to = |page| address(&BackupQuery { page, ..data.query.clone() });
    html! {
        nav.paging aria-label=(t::PAGES) {
            p.muted.num { (t::range(first, last, data.total.max(last))) }
            @if data.total > per_page {
                @if page > 1 {
                    a.button rel="prev" href=(to(page - 1)) { (t::PREVIOUS) }
                } @else {
                    span.button.disabled aria-hidden="true" { (t::PREVIOUS) }
                }
                @if last < data.total {
                    a.button rel="next" href=(to(page + 1)) { (t::NEXT) }
                } @else {
                    span.button.disabled aria-hidden="true" { (t::NEXT) }
                }
            }
        }
    }
}

/// The address of a query; what is as usual is left out.
fn address(query: &BackupQuery) -> String {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    if !query.q.is_empty() {
        pairs.push(("q", encode(&query.q)));
    }
    if let Some(status) = query.status {
        pairs.push(("status", status.as_str().to_owned()));
    }
    if !query.database.is_empty() {
        pairs.push(("database", encode(&query.database)));
    }
    if let Some(trigger) = query.trigger {
        pairs.push(("trigger", trigger.as_str().to_owned()));
    }
    if query.sort != Sort::default() || query.dir != Direction::default() {
        pairs.push(("sort", query.sort.as_str().to_owned()));
        pairs.push(("dir", query.dir.as_str().to_owned()));
    }
    if query.page > 1 {
        pairs.push(("page", query.page.to_string()));
    }
    if pairs.is_empty() {
        return "/backups".to_owned();
    }
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("/backups?{}", pairs.join("&"))
}

/// Percent-encodes all but unreserved characters.
fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
