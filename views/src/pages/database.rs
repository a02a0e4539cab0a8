//! `/databases/{id}`: one database.

use cofferdam_model::{DatabaseId, Failure, Role, Timestamp};
use maud::{Markup, html};

use crate::{
    BackupItem, Chrome, DatabaseCard, GenerateForm, format,
    icons::{Icon, icon},
    layout::layout,
    parts::{
        backup_table, code_block, csrf, fact, generate, hint_line, scroll_block, size, spark, time,
    },
    text::{backup, common, database as t, overview},
};

/// One database with what is known of it.
#[derive(Debug, Clone)]
pub struct DatabasePage {
    /// The record and its backups in short.
    pub card: DatabaseCard,
    /// The connection, without secrets, in the order to show: `("Host", "db.example")`.
    pub facts: Vec<(String, String)>,
    /// The last pre-flight.
    pub check: Option<Check>,
    /// Its newest backups, newest first; ten or so.
    pub recent: Vec<BackupItem>,
    /// The form behind the button, for this database alone.
    pub generate: GenerateForm,
}

/// What a pre-flight found.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// When it was done.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Its points, in order.
    pub points: Vec<CheckPoint>,
    /// Why it ended early, if it did.
    pub failure: Option<Failure>,
    /// Statements that make a role which may read everything and nothing else; PostgreSQL only.
    pub role_sql: Option<String>,
}

/// One point of a pre-flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPoint {
    /// What came out.
    pub outcome: Outcome,
    /// What was looked at, two or three words: `Reads every table`.
    pub name: String,
    /// What was found, one sentence without a full stop: `31 of 31 tables, 1.4 GB`.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
    /// Lines of detail: the tables that cannot be read, say.
    pub detail: Option<String>,
}

/// What came out of a [`CheckPoint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// As it should be.
    Good,
    /// A backup works; something is worth a look.
    Warning,
    /// A backup would fail.
    Bad,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, data: &DatabasePage) -> Markup {
    let database = &data.card.database;
    let slug = database.slug.as_str();
    layout(
        chrome,
        slug,
        &html! {
            nav.crumbs aria-label=(common::BREADCRUMB) { a href="/databases" { (common::DATABASES) } }
            div.head {
                div {
                    h1 { (slug) }
                    p.head-sub.muted { span { (database.engine.label()) " · " bdi { (database.summary) } } }
                }
                div.head-actions { (generate(chrome, &data.generate)) }
            }
            div.columns.columns-wide {
                div.column { (recent(chrome, data)) (check(chrome, database.id, data.check.as_ref())) }
                div.column { (facts(chrome, data)) }
            }
        },
    )
}

/// Its newest backups; they fetch themselves again when the list changed.
fn recent(chrome: &Chrome, data: &DatabasePage) -> Markup {
    let database = &data.card.database;
    let slug = database.slug.as_str();
    html! {
        section #recent aria-labelledby="recent-title" hx-get={ "/databases/" (database.id) }
            hx-select="#recent" hx-target="this" hx-swap="outerMorph ignoreTitle:true"
            hx-trigger="listed delay:200ms" hx-nonce=(chrome.nonce) {
            div.section-head {
                h2 #recent-title { (t::BACKUPS_OF) }
                @if !data.recent.is_empty() { a href={ "/backups?database=" (slug) } { (t::ALL_OF) } }
            }
            @if data.recent.is_empty() {
                div.panel {
                    p.muted {
                        (if chrome.may(Role::Operator) { t::NO_BACKUPS } else { t::NO_BACKUPS_VIEWER })
                    }
                }
            } @else {
                @if data.card.history.len() > 1 {
                    div.panel.chart { (spark(chrome, &overview::chart(slug), &data.card.history)) }
                }
                div.panel.flush.compact { (backup_table(chrome, t::BACKUPS_OF, &data.recent)) }
            }
        }
    }
}

fn facts(chrome: &Chrome, data: &DatabasePage) -> Markup {
    let database = &data.card.database;
    html! {
        section aria-labelledby="connection" {
            div.section-head { h2 #connection { (t::CONNECTION) } }
            div.panel {
                dl.facts {
                    @for (name, value) in &data.facts {
                        (fact(name, html! { bdi.mono { (value) } }))
                    }
                    (fact(t::ADDED, time(chrome, database.created_at)))
                    (fact(t::KEPT, html! {
                        (overview::backups(data.card.count))
                        @if data.card.total_bytes > 0 { " · " (size(data.card.total_bytes)) }
                    }))
                }
                @if chrome.may(Role::Administrator) {
                    div.actions {
                        a.button href={ "/databases/" (database.id) "/edit" } { (common::EDIT) }
                        a.button.danger-quiet href={ "/databases/" (database.id) "/delete" }
                            hx-get={ "/databases/" (database.id) "/delete" } hx-target="#dialog"
                            hx-select="#confirm" hx-swap="innerHTML ignoreTitle:true"
                            hx-nonce=(chrome.nonce) { (icon(Icon::Trash)) (t::REMOVE) }
                    }
                }
            }
        }
    }
}

fn role_sql(sql: &str) -> Markup {
    html! {
        details.fold.after-panel {
            summary { (icon(Icon::Chevron)) span { (t::ROLE_TITLE) } }
            div.fold-body {
                p.muted { (t::ROLE_NOTE) }
                (code_block(t::ROLE_WHAT, sql))
            }
        }
    }
}

/// What POST `/databases/{id}/check` answers to htmx: the pre-flight panel.
#[must_use]
pub fn check(chrome: &Chrome, id: DatabaseId, check: Option<&Check>) -> Markup {
    html! {
        section #check aria-labelledby="check-title" {
            div.section-head {
                h2 #check-title { (t::CHECK) }
                @if chrome.may(Role::Operator) {
                    form method="post" action={ "/databases/" (id) "/check" }
                        hx-post={ "/databases/" (id) "/check" } hx-target="#check"
                        hx-select="#check" hx-swap="outerHTML ignoreTitle:true"
                        hx-disable="find button" hx-nonce=(chrome.nonce) {
                        (csrf(chrome))
                        button.button #check-button type="submit" {
                            (icon(Icon::Retry))
                            span.idle { (if check.is_some() { t::CHECK_AGAIN } else { t::CHECK_NOW }) }
                            span.busy role="status" { (t::CHECK_BUSY) }
                        }
                    }
                }
            }
            div.panel {
                @match check {
                    None => p.muted { (t::CHECK_NEVER) },
                    Some(check) => (found(chrome, check)),
                }
            }
            @if let Some(sql) = check.and_then(|check| check.role_sql.as_deref()) { (role_sql(sql)) }
        }
    }
}

fn found(chrome: &Chrome, check: &Check) -> Markup {
    let worst = check.points.iter().map(|point| point.outcome).max().unwrap_or(Outcome::Good);
    let worst = if check.failure.is_some() { Outcome::Bad } else { worst };
    let words = match worst {
        Outcome::Good => t::CHECK_GOOD,
        Outcome::Warning => t::CHECK_WARNING,
        Outcome::Bad => t::CHECK_BAD,
    };
    html! {
        p.check-verdict role="status" {
            (outcome_icon(worst)) strong { (words) }
            span.muted.num { (time(chrome, check.at)) " · " (format::duration(check.millis)) }
        }
        @if !check.points.is_empty() { ul.points { @for point in &check.points { (one_point(point)) } } }
        @if let Some(failure) = &check.failure {
            p { bdi { (common::sentence(&failure.message)) } }
            @if let Some(hint) = &failure.hint { (hint_line(hint)) }
            @if let Some(detail) = &failure.detail { (scroll_block(backup::DETAIL, detail)) }
        }
    }
}

fn one_point(point: &CheckPoint) -> Markup {
    html! {
        li.point {
            (outcome_icon(point.outcome))
            div {
                p { strong { (point.name) } " " span.point-text { bdi { (point.text) } } }
                @if let Some(hint) = &point.hint { (hint_line(hint)) }
                @if let Some(detail) = &point.detail { (scroll_block(&point.name, detail)) }
            }
        }
    }
}

fn outcome_icon(outcome: Outcome) -> Markup {
    let (class, shape, word) = match outcome {
        Outcome::Good => ("good", Icon::Check, t::GOOD),
        Outcome::Warning => ("warn", Icon::Alert, t::WARNING),
        Outcome::Bad => ("bad", Icon::Cross, t::BAD),
    };
    html! { span class={ "outcome " (class) } { (icon(shape)) span.sr { (word) ": " } } }
}
