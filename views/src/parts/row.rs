//! A backup as a row. The same function serves the whole table and the row
//! that fetches itself again when the stream says that it changed.

use cofferdam_model::{Backup, BackupStatus, Progress, Role};
use maud::{Markup, html};

use super::{badge, bar, csrf, duration, size, time};
use crate::{
    BackupItem, Chrome, format,
    icons::{Icon, icon},
    text::{self, backup as t, common, states},
};

/// What the browser's tab says about a backup: `46 % · shop`.
pub(crate) fn tab_title(item: &BackupItem) -> String {
    let percent = item.progress.as_ref().and_then(|progress| progress.percent);
    let state = match (item.backup.status, percent) {
        (BackupStatus::Running, Some(percent)) => t::percent(format::percent(percent)),
        (status, _) => text::status(status).to_owned(),
    };
    t::tab(&state, item.backup.database.as_str())
}

/// The backup is not over.
pub(crate) fn is_moving(backup: &Backup) -> bool {
    matches!(backup.status, BackupStatus::Pending | BackupStatus::Running)
}

/// A table of backups without sorting: the newest first.
pub(crate) fn backup_table(chrome: &Chrome, caption: &str, items: &[BackupItem]) -> Markup {
    html! {
        table.backups role="table" {
            caption.sr { (caption) }
            thead role="rowgroup" {
                tr role="row" {
                    th role="columnheader" scope="col" { (t::STATUS) }
                    th role="columnheader" scope="col" { (t::DATABASE) }
                    th role="columnheader" scope="col" { (t::CREATED) }
                    th.end role="columnheader" scope="col" { (t::SIZE) }
                    th.end role="columnheader" scope="col" { (t::DURATION) }
                    th role="columnheader" scope="col" { (t::BY) }
                    th role="columnheader" scope="col" { span.sr { (t::ACTIONS) } }
                }
            }
            tbody role="rowgroup" { @for item in items { (row(chrome, item)) } }
        }
    }
}

/// One row. It is a card where the window is narrow, so its roles are written
/// out: browsers drop a table's own roles when its display changes.
pub(crate) fn row(chrome: &Chrome, item: &BackupItem) -> Markup {
    let backup = &item.backup;
    let running = item.progress.as_ref().filter(|_| backup.status == BackupStatus::Running);
    let so_far = backup.size_bytes.or(running.map(|progress| progress.written_bytes));
    html! {
        tr role="row" id={ "row-" (backup.id) } data-backup=(backup.id)
            data-moving[is_moving(backup)] data-title=[running.map(|_| tab_title(item))]
            hx-get={ "/backups/" (backup.id) "/row" } hx-trigger="changed throttle:400ms"
            hx-swap="outerMorph" "hx-status:404"="swap:delete" hx-nonce=(chrome.nonce) {
            td.cell-status role="cell" { (badge(backup)) }
            td.cell-name role="cell" { (name(backup, running)) }
            td.cell-created role="cell" { (time(chrome, backup.created_at)) }
            td.cell-size.end role="cell" {
                @if let Some(bytes) = so_far { (size(bytes)) }
                @else { span.muted { (common::NONE) } }
            }
            td.cell-duration.end.num role="cell" {
                @if let Some(text) = duration(chrome, backup) { (text) }
                @else { span.muted { (common::NONE) } }
            }
            td.cell-by role="cell" {
                bdi { (backup.created_by) }
                span.sub { (states::trigger(backup.trigger)) }
            }
            td.cell-actions role="cell" { (actions(chrome, backup)) }
        }
    }
}

fn name(backup: &Backup, running: Option<&Progress>) -> Markup {
    html! {
        div.name-line {
            a.name href={ "/backups/" (backup.id) } {
                (backup.database)
                span.sr { (t::made_at(&format::exact(backup.created_at))) }
            }
            @if backup.pinned { span.pin title=(t::PINNED) { (icon(Icon::Pin)) span.sr { (t::PINNED) } } }
            @for label in &backup.labels { span.label { bdi { (label.as_str()) } } }
        }
        @if let Some(progress) = running {
            (moving(backup, progress))
        } @else if let Some(failure) = backup.failure.as_ref().filter(|_| backup.status == BackupStatus::Failed) {
            p.sub.sub-bad { bdi { (common::sentence(&failure.message)) } }
        } @else if !backup.description.is_empty() {
            p.sub { bdi { (backup.description) } }
        }
    }
}

/// Phase, tables, percent, rate and time left in one line above the bar.
fn moving(backup: &Backup, progress: &Progress) -> Markup {
    html! {
        div.moving {
            span.moving-words {
                span { (text::phase(progress.phase)) }
                @if progress.tables_total.is_some_and(|total| total > 0) {
                    span { (t::tables_done(progress.tables_done, progress.tables_total)) }
                }
                @if let Some(percent) = progress.percent {
                    strong.num { (t::percent(format::percent(percent))) }
                }
                @if progress.bytes_per_second > 0 {
                    span.num { (format::rate(progress.bytes_per_second)) }
                }
                @if let Some(seconds) = progress.seconds_left {
                    span { (t::time_left(&format::remaining(seconds))) }
                }
            }
            (bar(progress.percent, &t::progress_of(backup.database.as_str())))
        }
    }
}

fn actions(chrome: &Chrome, backup: &Backup) -> Markup {
    let database = backup.database.as_str();
    html! {
        @if !chrome.may(Role::Operator) {
        } @else if backup.has_file() {
            a.button.quiet href={ "/backups/" (backup.id) "/download" } download
                aria-label=(t::of_database(t::DOWNLOAD, database)) { (icon(Icon::Download)) span.wide { (t::DOWNLOAD) } }
        } @else if is_moving(backup) {
            form method="post" action={ "/backups/" (backup.id) "/cancel" } {
                (csrf(chrome))
                button.button.quiet type="submit" aria-label=(t::of_database(t::CANCEL_RUN, database)) {
                    (icon(Icon::Stop)) span.wide { (t::CANCEL_RUN) }
                }
            }
        } @else if matches!(backup.status, BackupStatus::Failed | BackupStatus::Cancelled) {
            (try_again(chrome, backup, "quiet"))
        }
    }
}

/// The same backup once more: same database, note, level and format.
pub(crate) fn try_again(chrome: &Chrome, backup: &Backup, class: &str) -> Markup {
    html! {
        form method="post" action="/backups" {
            (csrf(chrome))
            input type="hidden" name="database" value=(backup.database);
            input type="hidden" name="description" value=(backup.description);
            input type="hidden" name="compression_level" value=(backup.level.get());
            input type="hidden" name="format" value=(backup.format.as_str());
            button class={ "button " (class) } type="submit"
                aria-label=(t::of_database(t::TRY_AGAIN, backup.database.as_str())) {
                (icon(Icon::Retry)) span.wide { (t::TRY_AGAIN) }
            }
        }
    }
}
