//! Times, sizes, badges, bars, code with a copy button.

use cofferdam_model::{Backup, BackupStatus, FileState, Timestamp};
use maud::{Markup, Render, html};

use crate::{
    Chrome, format,
    icons::{Icon, icon},
    text::{self, backup as t, common},
};

/// The hidden field that every form carries.
pub(crate) fn csrf(chrome: &Chrome) -> Markup {
    html! { input type="hidden" name="csrf" value=(chrome.csrf); }
}

/// A relative time, with the exact one on hover and for programs.
pub(crate) fn time(chrome: &Chrome, at: Timestamp) -> Markup {
    html! {
        time datetime=(format::machine(at)) title=(format::exact(at)) {
            (format::relative(at, chrome.now))
        }
    }
}

/// A size, with the exact count on hover.
pub(crate) fn size(bytes: u64) -> Markup {
    html! { data.num value=(bytes) title=(format::bytes_exact(bytes)) { (format::bytes(bytes)) } }
}

/// An exact time, with the relative one on hover.
pub(crate) fn time_exact(chrome: &Chrome, at: Timestamp) -> Markup {
    html! {
        time datetime=(format::machine(at)) title=(format::relative(at, chrome.now)) {
            (format::exact(at))
        }
    }
}

/// How long a run took: between its beginning and its end, or now.
pub(crate) fn duration(chrome: &Chrome, backup: &Backup) -> Option<String> {
    let from = backup.started_at?;
    let to = backup.completed_at.unwrap_or(chrome.now);
    Some(format::duration(u64::try_from((to - from).num_milliseconds()).unwrap_or(0)))
}

/// Status as icon, word and colour.
pub(crate) fn badge(backup: &Backup) -> Markup {
    let (class, shape, word) = match (backup.status, backup.file_state) {
        (BackupStatus::Pending, _) => ("wait", Icon::Clock, text::status(backup.status)),
        (BackupStatus::Running, _) => ("run", Icon::Running, text::status(backup.status)),
        (BackupStatus::Completed, Some(FileState::Missing)) => {
            ("warn", Icon::Alert, text::states::file_state(FileState::Missing))
        }
        (BackupStatus::Completed, Some(FileState::Corrupt)) => {
            ("bad", Icon::Alert, text::states::file_state(FileState::Corrupt))
        }
        (BackupStatus::Completed, _) => ("good", Icon::Check, text::status(backup.status)),
        (BackupStatus::Failed, _) => ("bad", Icon::Cross, text::status(backup.status)),
        (BackupStatus::Cancelled, _) => ("off", Icon::Stop, text::status(backup.status)),
    };
    html! { span class={ "badge badge-" (class) } { (icon(shape)) (word) } }
}

/// A progress bar; without a value it only says that something moves.
pub(crate) fn bar(percent: Option<f64>, label: &str) -> Markup {
    html! {
        @if let Some(percent) = percent {
            progress.bar value=(format!("{:.1}", percent.clamp(0.0, 100.0))) max="100"
                aria-label=(label) {}
        } @else {
            progress.bar aria-label=(label) {}
        }
    }
}

/// Copies a text; there only where scripts run.
pub(crate) fn copy_button(what: &str, text: &str) -> Markup {
    html! {
        button.copy.needs-js type="button" data-copy=(text) aria-label=(common::copy_what(what))
            title=(common::copy_what(what)) { (icon(Icon::Copy)) }
    }
}

/// A command with a copy button. Long lines wrap.
pub(crate) fn code_block(label: &str, code: &str) -> Markup {
    html! { div.code { pre { code { (code) } } (copy_button(label, code)) } }
}

/// A tool's own words with a copy button. They may be long: the block scrolls,
/// so it takes the keyboard's focus.
pub(crate) fn scroll_block(label: &str, code: &str) -> Markup {
    html! {
        div.code.code-scroll {
            pre tabindex="0" role="region" aria-label=(label) { code { (code) } }
            (copy_button(label, code))
        }
    }
}

/// A box that stands out. `class` is `good`, `warn`, `bad`, `off` or `run`.
pub(crate) fn callout(class: &str, shape: Icon, title: &str, body: &Markup) -> Markup {
    html! {
        section class={ "callout callout-" (class) } {
            div.callout-icon { (icon(shape)) }
            div.callout-body {
                h2 { (title) }
                (body)
            }
        }
    }
}

/// One line of a list of facts.
pub(crate) fn fact(name: &str, value: impl Render) -> Markup {
    html! { div.fact { dt { (name) } dd { (value) } } }
}

/// Quotes a word for a POSIX shell.
pub(crate) fn shell_quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The API's equivalents of what the page does, folded.
pub(crate) fn api_call(calls: &[(&str, String)]) -> Markup {
    html! {
        details.fold {
            summary { (icon(Icon::Chevron)) span { (common::API_TITLE) } }
            div.fold-body {
                p.muted { (t::API_NOTE) }
                @for (label, code) in calls {
                    h3 { (label) }
                    (code_block(label, code))
                }
            }
        }
    }
}
