//! `/backups/{id}/log`: the whole log.

use cofferdam_model::{Backup, LogLine};
use maud::{Markup, html};

use crate::{
    Chrome, format,
    icons::{Icon, icon},
    layout::layout,
    parts::badge,
    text::{backup as t, common, states},
};

/// The whole log of a backup. As text: `/backups/{id}/log?format=text`.
#[derive(Debug, Clone)]
pub struct BackupLogPage {
    /// Whose log.
    pub backup: Backup,
    /// Its lines, oldest first.
    pub lines: Vec<LogLine>,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, data: &BackupLogPage) -> Markup {
    let backup = &data.backup;
    let address = format!("/backups/{}", backup.id);
    layout(
        chrome,
        &t::log_of(backup.database.as_str()),
        &html! {
            nav.crumbs aria-label=(common::BREADCRUMB) {
                a href="/backups" { (common::BACKUPS) }
                a href=(address) { (t::of(backup.database.as_str())) }
            }
            div.head {
                div {
                    h1 { (t::log_of(backup.database.as_str())) }
                    p.head-sub { (badge(backup)) span { (t::log_lines(data.lines.len())) } }
                }
                div.head-actions {
                    a.button href={ (address) "/log?format=text" } { (icon(Icon::Download)) (t::LOG_AS_TEXT) }
                }
            }
            (log_lines(&data.lines))
        },
    )
}

/// Log lines with their time and level.
pub(crate) fn log_lines(lines: &[LogLine]) -> Markup {
    html! {
        @if lines.is_empty() {
            p.muted { (t::LOG_EMPTY) }
        } @else {
            div.log tabindex="0" role="group" aria-label=(t::LOG) { ol {
                @for line in lines {
                    li class={ "log-" (line.level.as_str()) } {
                        time datetime=(format::machine(line.at)) title=(format::exact(line.at)) {
                            (line.at.format("%H:%M:%S"))
                        }
                        span.log-level { (states::log_level(line.level)) }
                        span.log-text dir="ltr" { bdi { (line.text) } }
                    }
                }
            } }
        }
    }
}
