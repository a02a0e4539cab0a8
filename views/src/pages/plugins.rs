//! `/plugins`: every component that there is.

use std::fmt::Write as _;

use cofferdam_model::{ComponentHash, Roles, Timestamp};
use maud::{Markup, html};

use crate::{
    Chrome, FieldErrors,
    icons::{Icon, icon},
    layout::layout,
    parts::{Empty, code_block, copy_button, csrf, empty, shell_quote, summary, time, told},
    text::{common, plugin as t},
};

const PREFIX: &str = "upload";

/// A component as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginItem {
    /// The SHA-256 of its file; nothing before it is read, and where it was refused.
    pub hash: Option<ComponentHash>,
    /// The file's name in the folder; the last one it had.
    pub file: String,
    /// What it says of itself; nothing where it could not be read.
    pub about: Option<About>,
    /// How it stands.
    pub state: PluginState,
    /// What somebody should know about it, written as errors are.
    pub note: Option<String>,
    /// Whether the program itself carries it.
    pub bundled: bool,
    /// How many destinations use it.
    pub destinations: u64,
    /// What went wrong last, if anything did.
    pub problem: Option<PluginProblem>,
}

/// What a component says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its name for people.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does, in a sentence.
    pub summary: String,
    /// Who made it.
    pub author: String,
    /// A page about it, `https://…`.
    pub homepage: Option<String>,
    /// What it can be.
    pub roles: Roles,
    /// What it asks for.
    pub asks: Asks,
}

/// What can be granted, and is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asks {
    /// Connections to hosts.
    pub network: bool,
    /// One folder.
    pub folder: bool,
    /// Mail through the console's relay.
    pub mail: bool,
}

/// How a component stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginState {
    /// It is being compiled.
    Reading,
    /// It may run.
    Approved,
    /// Nobody has approved it.
    Waiting,
    /// An earlier file of the same plugin is approved, this one not.
    Changed,
    /// It cannot be a plugin; a sentence with its full stop says why.
    Refused(String),
    /// It is approved, and its file is gone.
    Gone,
}

/// Something that went wrong in a call.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginProblem {
    /// When.
    pub at: Timestamp,
    /// What, written as errors are.
    pub text: String,
    /// The short name of the destination, if it was for one.
    pub destination: Option<String>,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub struct PluginsPage {
    /// The folder that is watched.
    pub folder: String,
    /// Why it cannot be read, if that is so, written as errors are.
    pub folder_problem: Option<String>,
    /// What is in it, and what is approved: those that wait first.
    pub plugins: Vec<PluginItem>,
    /// What is wrong with the upload. Field: `component`.
    pub errors: FieldErrors,
}

impl PluginItem {
    /// Its page: by its hash, or by its file's name where it has none.
    #[must_use]
    pub fn address(&self) -> String {
        let key = self.hash.as_ref().map_or(self.file.as_str(), ComponentHash::as_str);
        format!("/plugins/{}", percent(key))
    }

    /// Its name for people, or its file's.
    #[must_use]
    pub fn name(&self) -> &str {
        self.about.as_ref().map_or(self.file.as_str(), |about| about.name.as_str())
    }
}

/// A part of an address; what is not plain stands as its bytes.
fn percent(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            part.push(char::from(byte));
        } else {
            let _ = write!(part, "%{byte:02X}");
        }
    }
    part
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, data: &PluginsPage) -> Markup {
    layout(
        chrome,
        common::PLUGINS,
        &html! {
            div.head { div { h1 { (common::PLUGINS) } p.description.muted { (t::WHAT) } } }
            div.stack-wide {
                div #plugins hx-get="/plugins" hx-select="#plugins" hx-target="this"
                    hx-swap="outerMorph ignoreTitle:true" hx-trigger="listed delay:200ms, changed delay:200ms" data-moving
                    hx-nonce=(chrome.nonce) {
                    @if let Some(problem) = &data.folder_problem {
                        div.notice.notice-bad role="alert" { (icon(Icon::Alert)) div { (told("", problem)) } }
                    }
                    @if data.plugins.is_empty() {
                        (empty(&Empty {
                            icon: Icon::Plugin, title: t::EMPTY_TITLE, text: t::EMPTY_TEXT, action: None,
                        }))
                    } @else {
                        ul.cards.cards-wide { @for item in &data.plugins { li.panel.card { (card(chrome, item)) } } }
                    }
                }
                (add(chrome, data))
            }
        },
    )
}

fn card(chrome: &Chrome, item: &PluginItem) -> Markup {
    let waits = matches!(item.state, PluginState::Waiting | PluginState::Changed);
    html! {
        div.card-head {
            h2 { a href=(item.address()) { bdi { (item.name()) } } }
            (badge(&item.state))
        }
        @if let Some(about) = &item.about {
            p.sub {
                bdi { (about.version) } " · " bdi { (t::by(&about.author)) }
                @if item.bundled { " · " (t::BUNDLED) }
            }
            p.card-text { bdi { (about.summary) } }
            (roles(about.roles))
            p.hint { (t::asks(about.asks.network, about.asks.folder, about.asks.mail)) }
        }
        @if let Some(note) = &item.note { p.hint { bdi { (common::sentence(note)) } } }
        @if let PluginState::Refused(reason) = &item.state { (told("sub sub-bad", reason)) }
        @if let Some(problem) = &item.problem {
            p.sub.sub-bad {
                (t::LAST_PROBLEM) " (" (time(chrome, problem.at)) "): "
                bdi { (common::sentence(&problem.text)) }
            }
        }
        div.card-foot {
            span.muted {
                @if let Some(hash) = &item.hash { code title=(hash) { (hash.short()) } }
                @if item.destinations > 0 { " · " (t::destinations(item.destinations)) }
            }
            @if waits {
                @let words = if item.state == PluginState::Changed { t::LOOK_AGAIN } else { t::LOOK };
                a.button.primary href=(item.address()) aria-label={ (words) ": " (item.name()) } { (words) }
            }
        }
    }
}

/// What it can be, as labels.
pub(super) fn roles(roles: Roles) -> Markup {
    html! { p.name-line { @for role in t::roles(roles) { span.label { (role) } } } }
}

/// How it stands, as icon, word and colour.
pub(super) fn badge(state: &PluginState) -> Markup {
    let (class, shape, word) = match state {
        PluginState::Reading => ("run", Icon::Running, t::READING),
        PluginState::Approved => ("good", Icon::Shield, t::APPROVED),
        PluginState::Waiting => ("warn", Icon::Clock, t::WAITING),
        PluginState::Changed => ("warn", Icon::Alert, t::CHANGED),
        PluginState::Refused(_) => ("bad", Icon::Cross, t::REFUSED),
        PluginState::Gone => ("off", Icon::Offline, t::GONE),
    };
    html! { span class={ "badge badge-" (class) } { (icon(shape)) (word) } }
}

/// Where the folder is, and the form that puts a file there.
fn add(chrome: &Chrome, data: &PluginsPage) -> Markup {
    let command = format!("cp my-plugin.wasm {}/", shell_quote(&data.folder));
    html! {
        section.panel.add-plugin aria-labelledby="add-title" {
            h2 #add-title { (t::ADD_TITLE) }
            div.columns {
                div.stack {
                    dl { div.fact {
                        dt { (t::FOLDER) }
                        dd.filename { span { (data.folder) } (copy_button(t::FOLDER_WHAT, &data.folder)) }
                    } }
                    p.muted { (t::DROP) }
                    (code_block(t::DROP_WHAT, &command))
                }
                div {
                    (summary(&data.errors, PREFIX))
                    form.stack #upload method="post" action="/plugins" enctype="multipart/form-data" {
                        (csrf(chrome))
                        div.field {
                            label for="upload-component" { (t::UPLOAD) }
                            input #upload-component type="file" name="component" accept=".wasm,application/wasm"
                                required
                                aria-invalid=[data.errors.get("component").map(|_| "true")]
                                aria-describedby="upload-component-hint";
                            p.hint #upload-component-hint { (t::UPLOAD_HINT) }
                        }
                        div.actions { button.button type="submit" { (icon(Icon::Upload)) (t::UPLOAD_SUBMIT) } }
                    }
                }
            }
        }
    }
}
