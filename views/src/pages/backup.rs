//! `/backups/{id}`: one backup.

use cofferdam_model::{Backup, BackupStatus, LogLine, Role, TableFacts};
use maud::{Markup, html};

use super::{backup_restore as restore, backup_state as state};
use crate::{
    BackupItem, Chrome, DeliveryItem, FieldErrors, format,
    icons::{Icon, icon},
    layout::layout,
    pages::backup_log::log_lines,
    parts::{
        Input, api_call, badge, copy_button, csrf, deliveries, duration, fact, is_moving,
        shell_quote, size, tab_title, text_input, time, time_exact,
    },
    text::{backup as t, common, states},
};

/// One backup with all that is known.
#[derive(Debug, Clone)]
pub struct BackupPage {
    /// The record and its progress.
    pub item: BackupItem,
    /// The newest lines of its log, oldest first; 12 or so.
    pub log: Vec<LogLine>,
    /// Whether the log has more lines than these.
    pub log_more: bool,
    /// Rows per table, from the sidecar; empty while it runs.
    pub tables: Vec<TableFacts>,
    /// `PostgreSQL 15.18`, from the sidecar.
    pub server_version: Option<String>,
    /// Its deliveries, oldest first.
    pub deliveries: Vec<DeliveryItem>,
    /// Whether restoring it needs a tool that lets the dump write the schema (SQLite).
    pub edits_schema: bool,
    /// Whether the database is still configured: only then is "Try again" offered.
    pub database_known: bool,
    /// What is wrong with the labels that were posted. Field: `labels`.
    pub label_errors: FieldErrors,
    /// The labels as typed, after an error.
    pub labels_typed: Option<String>,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, data: &BackupPage) -> Markup {
    layout(
        chrome,
        &tab_title(&data.item),
        &html! {
            nav.crumbs aria-label=(common::BREADCRUMB) {
                a href="/backups" { (common::BACKUPS) }
            }
            (live(chrome, data))
        },
    )
}

/// `/backups/{id}/live`: everything on the page that can change by itself.
#[must_use]
pub fn live(chrome: &Chrome, data: &BackupPage) -> Markup {
    let backup = &data.item.backup;
    let operator = chrome.may(Role::Operator);
    // The page may be older than its stream by as long as a delivery takes.
    let moving =
        is_moving(backup) || data.deliveries.iter().any(|item| !item.delivery.status.is_over());
    html! {
        div #live.stack-wide data-backup=(backup.id) data-moving[moving] data-title=(tab_title(&data.item))
            hx-get={ "/backups/" (backup.id) "/live" } hx-trigger="changed throttle:300ms"
            hx-target="this" hx-swap="outerMorph ignoreTitle:true" hx-nonce=(chrome.nonce) {
            (head(chrome, data))
            div.columns.columns-wide {
                div.column {
                    (state::panel(chrome, data))
                    @if backup.status == BackupStatus::Completed || !data.deliveries.is_empty() {
                        (deliveries(chrome, backup, &data.deliveries))
                    }
                    (restore::panel(backup, data.edits_schema))
                    (rows(data))
                    (log(data))
                    @if operator { (api_call(&api_calls(chrome, backup))) }
                }
                div.column {
                    (facts(chrome, data))
                    @if operator { (labels_form(chrome, data)) }
                }
            }
        }
    }
}

fn head(chrome: &Chrome, data: &BackupPage) -> Markup {
    let backup = &data.item.backup;
    html! {
        div.head {
            div {
                h1 { (t::of(backup.database.as_str())) }
                p.head-sub {
                    (badge(backup))
                    @if backup.pinned { span.badge.badge-off { (icon(Icon::Pin)) (t::PINNED) } }
                    span.muted { (time(chrome, backup.created_at)) }
                }
                @if !backup.description.is_empty() { p.description { bdi { (backup.description) } } }
            }
            @if chrome.may(Role::Operator) { div.head-actions { (head_actions(chrome, backup)) } }
        }
    }
}

fn head_actions(chrome: &Chrome, backup: &Backup) -> Markup {
    html! {
        @if !is_moving(backup) {
            form method="post" action={ "/backups/" (backup.id) "/pin" } {
                (csrf(chrome))
                input type="hidden" name="pinned" value=(!backup.pinned);
                button.button type="submit" title=(t::PIN_MEANS) {
                    (icon(Icon::Pin)) (if backup.pinned { t::UNPIN } else { t::PIN })
                }
            }
            a.button.danger-quiet href={ "/backups/" (backup.id) "/delete" }
                hx-get={ "/backups/" (backup.id) "/delete" } hx-target="#dialog"
                hx-select="#confirm" hx-swap="innerHTML ignoreTitle:true"
                hx-nonce=(chrome.nonce) { (icon(Icon::Trash)) (common::DELETE) }
        }
    }
}

fn facts(chrome: &Chrome, data: &BackupPage) -> Markup {
    let backup = &data.item.backup;
    html! {
        section aria-labelledby="facts" {
            h2 #facts.sr { (t::FACTS) }
            dl.facts.panel {
                (fact(t::DATABASE, html! {
                    @if data.database_known {
                        a href={ "/databases/" (backup.database_id) } { (backup.database) }
                    } @else { (backup.database) p.sub { (t::GONE_DATABASE) } }
                }))
                (fact(t::ENGINE, html! {
                    @if let Some(version) = &data.server_version { (version) } @else { (backup.engine.label()) }
                }))
                (fact(t::ASKED_FOR, html! {
                    (time(chrome, backup.created_at))
                    p.sub { bdi { (backup.created_by) } ", " (states::trigger(backup.trigger)) }
                }))
                @if let Some(at) = backup.started_at { (fact(t::BEGAN, time_exact(chrome, at))) }
                @if let Some(at) = backup.completed_at { (fact(t::ENDED, time_exact(chrome, at))) }
                @if let Some(text) = duration(chrome, backup) {
                    (fact(t::DURATION, html! { span.num { (text) } }))
                }
                (fact(t::FORMAT, html! {
                    (states::format(backup.format))
                    p.sub { (t::LEVEL) " " (backup.level.get()) }
                }))
                @if let Some(bytes) = backup.size_bytes { (fact(t::SIZE, size(bytes))) }
                @if let Some(raw) = backup.raw_bytes {
                    (fact(t::RAW_SIZE, html! {
                        (size(raw))
                        @if let Some(text) = t::ratio(raw, backup.size_bytes.unwrap_or(0)) { p.sub { (text) } }
                    }))
                }
                @if let Some(tool) = &backup.tool_version { (fact(t::TOOL, tool)) }
                @if let Some(sha256) = &backup.sha256 {
                    (fact(t::SHA256, html! {
                        span.hash { code { (sha256) } (copy_button(t::SHA256, sha256)) }
                    }))
                }
                (fact(t::ID, html! {
                    span.hash { code { (backup.id) } (copy_button(t::ID, &backup.id.to_string())) }
                }))
            }
        }
    }
}

/// Rows per table, folded: the sum is what most readers want.
fn rows(data: &BackupPage) -> Markup {
    if data.tables.is_empty() {
        return html! {};
    }
    let sum = data.tables.iter().map(|table| table.rows).sum();
    html! {
        details.fold {
            summary {
                (icon(Icon::Chevron)) span { (t::ROWS_TITLE) }
                span.muted.fold-side { (t::table_summary(data.tables.len(), sum)) }
            }
            div.fold-body {
                p.muted { (t::ROWS_NOTE) }
                div.scroll tabindex="0" role="group" aria-label=(t::ROWS_TITLE) {
                    table.plain {
                        thead { tr {
                            th scope="col" { (t::TABLE) }
                            th.end scope="col" { (t::ROWS) }
                            th.end scope="col" { (t::SIZE) }
                        } }
                        tbody {
                            @for table in &data.tables {
                                tr {
                                    td.mono { bdi { (table.name) } }
                                    td.end.num { (format::number(table.rows)) }
                                    td.end { (size(table.length)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn log(data: &BackupPage) -> Markup {
    html! {
        section aria-labelledby="log" {
            div.section-head {
                h2 #log { (t::LOG) }
                @if data.log_more || !data.log.is_empty() {
                    a href={ "/backups/" (data.item.backup.id) "/log" } { (t::LOG_WHOLE) }
                }
            }
            div.panel.flush { (log_lines(&data.log)) }
        }
    }
}

fn labels_form(chrome: &Chrome, data: &BackupPage) -> Markup {
    let backup = &data.item.backup;
    let labels: Vec<&str> = backup.labels.iter().map(cofferdam_model::Label::as_str).collect();
    let labels = data.labels_typed.clone().unwrap_or_else(|| labels.join(", "));
    html! {
        section.panel aria-label=(t::LABELS) {
            form.stack method="post" action={ "/backups/" (backup.id) "/labels" } {
                (csrf(chrome))
                (text_input(&data.label_errors, &Input {
                    name: "labels", prefix: "backup", label: t::LABELS, value: &labels,
                    hint: Some(t::LABELS_HINT), ..Input::default()
                }))
                button.button type="submit" { (t::LABELS_SAVE) }
            }
        }
    }
}

fn api_calls(chrome: &Chrome, backup: &Backup) -> Vec<(&'static str, String)> {
    let url = &chrome.public_url;
    let mut body = serde_json::json!({
        "database": backup.database.as_str(),
        "compression_level": backup.level.get(),
        "format": backup.format.as_str(),
    });
    if !backup.description.is_empty() {
        body["description"] = backup.description.as_str().into();
    }
    let bearer = r#"-H "Authorization: Bearer $COFFERDAM_TOKEN""#;
    let mut calls = vec![(
        t::API_MAKE,
        format!(
            "curl -f {bearer} \\\n  -H 'Content-Type: application/json' \\\n  -d {} \\\n  {url}/api/v1/backups",
            shell_quote(&body.to_string())
        ),
    )];
    if backup.has_file() {
        calls.push((
            t::API_DOWNLOAD,
            format!("curl -fOJ {bearer} \\\n  {url}/api/v1/backups/{}/download", backup.id),
        ));
    }
    calls
}
