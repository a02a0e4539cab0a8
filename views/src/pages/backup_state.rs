//! The panel that says how a backup stands: waiting, running, whole, failed.

use cofferdam_model::{Backup, BackupStatus, FailureKind, FileState, Phase, Progress, Role};
use maud::{Markup, html};

use super::backup::BackupPage;
use crate::{
    Chrome, format,
    icons::{Icon, icon},
    parts::{bar, callout, copy_button, csrf, duration, hint_line, scroll_block, size, try_again},
    text::{backup as t, common, meaning, phase, states},
};

/// The panel.
pub(super) fn panel(chrome: &Chrome, data: &BackupPage) -> Markup {
    let backup = &data.item.backup;
    match backup.status {
        BackupStatus::Pending => waiting(chrome, backup),
        BackupStatus::Running => {
            running(chrome, backup, data.item.progress.as_ref().unwrap_or(&Progress::default()))
        }
        BackupStatus::Completed => completed(chrome, backup),
        BackupStatus::Failed => failed(chrome, data),
        BackupStatus::Cancelled => callout(
            "off",
            Icon::Stop,
            t::CANCELLED_TITLE,
            &html! { p { (t::CANCELLED_TEXT) } (again(chrome, data)) },
        ),
    }
}

fn again(chrome: &Chrome, data: &BackupPage) -> Markup {
    html! {
        @if data.database_known && chrome.may(Role::Operator) {
            div.actions { (try_again(chrome, &data.item.backup, "primary")) }
        }
    }
}

fn cancel(chrome: &Chrome, backup: &Backup) -> Markup {
    html! {
        @if chrome.may(Role::Operator) {
            form method="post" action={ "/backups/" (backup.id) "/cancel" } {
                (csrf(chrome))
                button.button type="submit" { (icon(Icon::Stop)) (t::CANCEL_RUN) }
            }
        }
    }
}

fn waiting(chrome: &Chrome, backup: &Backup) -> Markup {
    callout(
        "run",
        Icon::Clock,
        t::WAITING_TITLE,
        &html! { p { (t::WAITING_TEXT) } div.actions { (cancel(chrome, backup)) } },
    )
}

fn running(chrome: &Chrome, backup: &Backup, progress: &Progress) -> Markup {
    html! {
        section.panel.run aria-labelledby="run-title" {
            (steps(progress.phase))
            div.run-line {
                h2 #run-title {
                    (states::phase_now(progress.phase))
                    @if let Some(table) = &progress.table { " " bdi.mono { (table) } }
                }
                @if let Some(percent) = progress.percent {
                    p.run-percent.num { (t::percent(format::percent(percent))) }
                }
            }
            (bar(progress.percent, &t::progress_of(backup.database.as_str())))
            dl.tiles.tiles-run {
                div { dt { (t::TABLES) } dd.num {
                    (t::tables_count(progress.tables_done, progress.tables_total))
                } }
                div { dt { (t::READ) } dd { (size(progress.raw_bytes)) } }
                div { dt { (t::WRITTEN) } dd { (size(progress.written_bytes)) } }
                div { dt { (t::RATE) } dd.num {
                    @if progress.bytes_per_second > 0 { (format::rate(progress.bytes_per_second)) }
                    @else { (common::NONE) }
                } }
                div { dt { (t::TIME_LEFT) } dd.num {
                    @if let Some(seconds) = progress.seconds_left { (format::remaining(seconds)) }
                    @else { (t::UNKNOWN_YET) }
                } }
            }
            div.actions {
                @if chrome.may(Role::Operator) && progress.written_bytes > 0 {
                    a.button href={ "/backups/" (backup.id) "/download" } download title=(t::DOWNLOAD_LIVE_NOTE) {
                        (icon(Icon::Download)) (t::DOWNLOAD_LIVE)
                    }
                }
                (cancel(chrome, backup))
            }
        }
    }
}

/// The steps of a run, with the present one marked.
fn steps(now: Phase) -> Markup {
    let all =
        [Phase::Waiting, Phase::Preparing, Phase::Dumping, Phase::Checking, Phase::Publishing];
    html! {
        ol.steps aria-label=(t::STEPS) {
            @for step in all {
                li.step-done[step < now] aria-current=[(step == now).then_some("step")] {
                    span.step-mark { @if step < now { (icon(Icon::Check)) } }
                    span { (phase(step)) }
                }
            }
        }
    }
}

fn completed(chrome: &Chrome, backup: &Backup) -> Markup {
    let download = html! {
        @if chrome.may(Role::Operator) {
            a.button.primary href={ "/backups/" (backup.id) "/download" } download {
                (icon(Icon::Download)) (t::DOWNLOAD)
            }
        } @else {
            p.muted { (t::NO_DOWNLOAD) }
        }
    };
    let file = html! {
        @if let Some(filename) = &backup.filename {
            p.filename { span { (filename) } (copy_button(t::FILE, filename)) }
        }
    };
    match backup.file_state {
        Some(FileState::Missing) => callout(
            "warn",
            Icon::Alert,
            t::MISSING_TITLE,
            &html! { (file) p { (t::MISSING_TEXT) } },
        ),
        Some(FileState::Corrupt) => {
            callout("bad", Icon::Alert, t::CORRUPT_TITLE, &html! { (file) p { (t::CORRUPT_TEXT) } })
        }
        _ => callout(
            "good",
            Icon::Shield,
            t::COMPLETED_TITLE,
            &html! {
                (file)
                p.muted.num {
                    @if let Some(bytes) = backup.size_bytes { (size(bytes)) }
                    @if let Some(text) = duration(chrome, backup) { " · " (text) }
                }
                div.actions { (download) }
            },
        ),
    }
}

/// What happened in the tool's own words, what it means, and what to do.
fn failed(chrome: &Chrome, data: &BackupPage) -> Markup {
    let backup = &data.item.backup;
    let title = duration(chrome, backup)
        .map_or_else(|| t::FAILED.to_owned(), |duration| t::failed_after(&duration));
    let body = html! {
        @if let Some(failure) = &backup.failure {
            p.failure-what { bdi { (common::sentence(&failure.message)) } }
            // The console's own words say it all already.
            @if failure.kind != FailureKind::Interrupted { p { (meaning(failure.kind)) } }
            @if let Some(to_do) = &failure.hint { (hint_line(to_do)) }
            @if let Some(detail) = &failure.detail {
                h3 { (t::DETAIL) }
                (scroll_block(t::DETAIL, detail))
            }
        }
        div.actions {
            @if data.database_known && chrome.may(Role::Operator) {
                (try_again(chrome, backup, "primary"))
            }
            a.button href={ "/backups/" (backup.id) "/log" } { (t::LOG_WHOLE) }
        }
    };
    callout("bad", Icon::Cross, &title, &body)
}
