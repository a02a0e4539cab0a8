//! `/`: are my backups good, when was the last one, what needs me.

use chrono::Duration;
use cofferdam_model::{Backup, BackupStatus, DatabaseId, FileState, Role, Timestamp};
use maud::{Markup, html};

use crate::{
    BackupItem, Chrome, DatabaseCard, GenerateForm,
    icons::{Icon, icon},
    layout::layout,
    parts::{backup_table, cards, csrf, generate, size, time},
    text::{common, overview as t},
};

/// A good backup older than this needs somebody.
const OLD_DAYS: i64 = 7;

/// More entries than these are counted and linked to.
const NEEDS_SHOWN: usize = 5;

/// The overview.
#[derive(Debug, Clone, Default)]
pub struct OverviewPage {
    /// Every database, by short name.
    pub databases: Vec<DatabaseCard>,
    /// Pending and running backups, newest first.
    pub running: Vec<BackupItem>,
    /// The newest backups of all databases, newest first; five or so.
    pub recent: Vec<BackupItem>,
    /// Completed backups whose file is missing or corrupt.
    pub damaged: Vec<Backup>,
    /// Numbers over everything.
    pub stats: Stats,
    /// The form behind the button.
    pub generate: GenerateForm,
    /// The database that is the console's own catalog, where one is.
    pub own_catalog: Option<DatabaseId>,
}

/// Numbers over all backups.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Completed backups.
    pub total: u64,
    /// The size of their files together.
    pub total_bytes: u64,
    /// Completed runs of the last 30 days.
    pub succeeded_30d: u64,
    /// Failed runs of the last 30 days.
    pub failed_30d: u64,
    /// Free room where backups are kept, if known.
    pub free_bytes: Option<u64>,
}

/// The whole page. Without any backup it is the first-run page.
#[must_use]
pub fn page(chrome: &Chrome, data: &OverviewPage) -> Markup {
    let first_run = data.stats.total == 0 && data.databases.iter().all(|card| card.last.is_none());
    layout(
        chrome,
        common::OVERVIEW,
        &html! {
            @if first_run {
                (first(chrome, data))
            } @else {
                div.head {
                    h1 { (common::OVERVIEW) }
                    div.head-actions { (generate(chrome, &data.generate)) }
                }
                (moving(chrome, data))
            }
        },
    )
}

/// Everything below the head: it fetches itself again when the list changed.
fn moving(chrome: &Chrome, data: &OverviewPage) -> Markup {
    let needs = needs(chrome, data);
    // A row has an identifier of its own, so it stands on the page once.
    let runs = |item: &&BackupItem| data.running.iter().any(|run| run.backup.id == item.backup.id);
    let recent: Vec<BackupItem> = data.recent.iter().filter(|item| !runs(item)).cloned().collect();
    html! {
        div #overview.stack-wide hx-get="/" hx-select="#overview" hx-target="this"
            hx-swap="outerMorph ignoreTitle:true" hx-trigger="listed delay:200ms"
            hx-nonce=(chrome.nonce) {
            (verdict(chrome, data, &needs))
            @if !needs.is_empty() {
                section aria-labelledby="needs" {
                    h2 #needs { (t::NEEDS_YOU) }
                    ul.needs.panel {
                        @for need in needs.iter().take(NEEDS_SHOWN) { (entry(chrome, need)) }
                        (rest(needs.get(NEEDS_SHOWN..).unwrap_or_default()))
                    }
                }
            }
            @if !data.running.is_empty() {
                section aria-labelledby="running" {
                    h2 #running { (t::RUNNING_NOW) }
                    div.panel.flush { (backup_table(chrome, t::RUNNING_NOW, &data.running)) }
                }
            }
            @if !data.databases.is_empty() {
                section aria-labelledby="databases" {
                    h2 #databases { (common::DATABASES) }
                    (cards(chrome, &data.databases, true))
                }
            }
            @if !recent.is_empty() {
                section aria-labelledby="recent" {
                    div.section-head {
                        h2 #recent { (t::RECENT) }
                        a href="/backups" { (t::ALL_BACKUPS) }
                    }
                    div.panel.flush { (backup_table(chrome, t::RECENT, &recent)) }
                }
            }
        }
    }
}

/// The answer in one line, and the numbers behind it.
fn verdict(chrome: &Chrome, data: &OverviewPage, needs: &[Need<'_>]) -> Markup {
    let databases = data.databases.len();
    let needing = data
        .databases
        .iter()
        .filter(|card| needs.iter().any(|need| need.database == card.database.slug.as_str()))
        .count();
    let good = needs.is_empty() && databases > 0;
    let words = if good {
        t::verdict_good(databases, data.databases[0].database.slug.as_str())
    } else if needing > 0 {
        t::verdict_bad(needing, databases)
    } else if needs.is_empty() {
        t::NO_DATABASE_TITLE.to_owned()
    } else {
        t::verdict_files(needs.len())
    };
    let latest = data
        .databases
        .iter()
        .filter_map(|card| card.last_good.as_ref())
        .max_by_key(|backup| backup.completed_at.unwrap_or(backup.created_at));
    let runs = data.stats.succeeded_30d + data.stats.failed_30d;
    html! {
        section.verdict.panel.verdict-good[good].verdict-bad[!good] {
            div.verdict-line {
                span.verdict-icon { (icon(if good { Icon::Shield } else { Icon::Alert })) }
                p.verdict-words { (words) }
            }
            dl.tiles {
                div {
                    dt { (t::LAST_GOOD) }
                    dd {
                        @if let Some(backup) = latest {
                            (time(chrome, backup.completed_at.unwrap_or(backup.created_at)))
                            a.sub href={ "/backups/" (backup.id) } { (backup.database) }
                        } @else { (common::NEVER) }
                    }
                }
                div {
                    dt { (t::SUCCESS_RATE) }
                    dd {
                        @if runs > 0 {
                            span.num { (t::success(data.stats.succeeded_30d, runs)) }
                        } @else { (t::NO_RUNS) }
                    }
                }
                div {
                    dt { (t::STORED) }
                    dd { (size(data.stats.total_bytes)) a.sub href="/backups?status=completed" { (t::backups(data.stats.total)) } }
                }
                @if let Some(free) = data.stats.free_bytes {
                    div { dt { (t::FREE) } dd { (size(free)) } }
                }
            }
        }
    }
}

/// Something that a person should look at.
struct Need<'a> {
    database: &'a str,
    serious: bool,
    /// It is about one file of the database.
    is_file: bool,
    what: &'static str,
    detail: Option<String>,
    at: Option<Timestamp>,
    href: String,
    action: &'static str,
}

/// What needs the reader, the most serious first.
fn needs<'a>(chrome: &Chrome, data: &'a OverviewPage) -> Vec<Need<'a>> {
    let mut needs: Vec<Need<'a>> = data.damaged.iter().map(damaged).collect();
    needs.extend(data.databases.iter().filter_map(|card| lacking(chrome, card, data)));
    needs.sort_by_key(|need| !need.serious);
    needs
}

fn damaged(backup: &Backup) -> Need<'_> {
    Need {
        database: backup.database.as_str(),
        serious: true,
        is_file: true,
        what: if backup.file_state == Some(FileState::Corrupt) { t::CORRUPT } else { t::MISSING },
        detail: backup.filename.clone(),
        at: Some(backup.created_at),
        href: format!("/backups/{}", backup.id),
        action: t::LOOK,
    }
}

/// What a database lacks; nothing while a run of it is on its way.
fn lacking<'a>(chrome: &Chrome, card: &'a DatabaseCard, data: &OverviewPage) -> Option<Need<'a>> {
    let database = card.database.slug.as_str();
    let moving = data.running.iter().any(|item| item.backup.database_id == card.database.id);
    let need = |serious, what, detail, at, href, action| {
        Some(Need { database, serious, is_file: false, what, detail, at, href, action })
    };
    let page = || format!("/databases/{}", card.database.id);
    match (&card.last, &card.last_good) {
        _ if moving => None,
        (Some(last), good) if last.backup.status == BackupStatus::Failed => need(
            good.is_none(),
            if good.is_some() { t::FAILED_AFTER_GOOD } else { t::FAILED_WITHOUT_GOOD },
            last.backup.failure.as_ref().map(|failure| common::sentence(&failure.message)),
            last.backup.completed_at,
            format!("/backups/{}", last.backup.id),
            t::LOOK,
        ),
        (_, None) => need(true, t::NEVER, None, None, page(), t::OPEN),
        (_, Some(good)) if is_old(chrome, good) => {
            need(false, t::OLD, None, good.completed_at, page(), t::OPEN)
        }
        _ => None,
    }
}

fn is_old(chrome: &Chrome, good: &Backup) -> bool {
    chrome.now - good.completed_at.unwrap_or(good.created_at) > Duration::days(OLD_DAYS)
}

/// How many more there are, and where: files in the list of backups, the
/// rest among the databases.
fn rest(needs: &[Need<'_>]) -> Markup {
    if needs.is_empty() {
        return html! {};
    }
    let files = needs.iter().filter(|need| need.is_file).count();
    html! {
        li.needs-rest {
            @if files > 0 {
                a href="/backups?status=completed" { (t::more_files(files)) }
            }
            @if files > 0 && files < needs.len() { " · " }
            @if files < needs.len() {
                a href="/databases" { (t::more_databases(needs.len() - files)) }
            }
        }
    }
}

fn entry(chrome: &Chrome, need: &Need<'_>) -> Markup {
    html! {
        li.need {
            span class={ "need-icon " (if need.serious { "bad" } else { "warn" }) } { (icon(Icon::Alert)) }
            div.need-words {
                p { strong { (need.database) } " " span.muted { @if let Some(at) = need.at { (time(chrome, at)) } } }
                p { (need.what) }
                @if let Some(detail) = &need.detail { p.sub { bdi { (detail) } } }
            }
            a.button href=(need.href) aria-label={ (need.action) ": " (need.database) } { (need.action) }
        }
    }
}

/// The first page after the first start: one thing to do, and two quiet ones.
fn first(chrome: &Chrome, data: &OverviewPage) -> Markup {
    let administrator = chrome.may(Role::Administrator);
    html! {
        div.first {
            @if let (Some(card), true) = (data.databases.first(), chrome.may(Role::Operator)) {
                section.panel.first-main {
                    div.first-icon { (icon(Icon::Shield)) }
                    h1 { (t::FIRST_TITLE) }
                    p.first-name { strong { (card.database.slug) } span.muted { " · " (card.database.engine.label()) " · " bdi { (card.database.summary) } } }
                    @if data.own_catalog == Some(card.database.id) { p { (t::FIRST_OWN) } }
                    form method="post" action="/backups" {
                        (csrf(chrome))
                        input type="hidden" name="database" value=(card.database.slug);
                        button.button.primary.large type="submit" autofocus { (icon(Icon::Archive)) (t::FIRST_SUBMIT) }
                    }
                    p.muted { (t::FIRST_NOTE) }
                }
            } @else if data.databases.is_empty() {
                section.panel.first-main {
                    div.first-icon { (icon(Icon::Database)) }
                    h1 { (t::NO_DATABASE_TITLE) }
                    @if administrator {
                        p { (t::NO_DATABASE_TEXT) }
                        a.button.primary.large href="/databases/new" { (icon(Icon::Plus)) (t::NEXT_DATABASE) }
                    } @else {
                        p { (t::NO_DATABASE_VIEWER) }
                    }
                }
            } @else {
                section.panel.first-main {
                    div.first-icon { (icon(Icon::Archive)) }
                    h1 { (common::OVERVIEW) }
                    p { (t::FIRST_VIEWER) }
                }
            }
            section aria-labelledby="next" {
                h2 #next.sr { (t::NEXT_STEPS) }
                ul.next {
                    @if administrator && !data.databases.is_empty() {
                        li { a.panel href="/databases/new" {
                            (icon(Icon::Database)) span { strong { (t::NEXT_DATABASE) } span.sub { (t::NEXT_DATABASE_NOTE) } }
                        } }
                    }
                    @if administrator {
                        li { a.panel href="/destinations/new" {
                            (icon(Icon::Destination)) span { strong { (t::NEXT_DESTINATION) } span.sub { (t::NEXT_DESTINATION_NOTE) } }
                        } }
                    } @else {
                        li { a.panel href="/account" {
                            (icon(Icon::User)) span { strong { (t::NEXT_ACCOUNT) } span.sub { (t::NEXT_ACCOUNT_NOTE) } }
                        } }
                    }
                }
            }
        }
    }
}
