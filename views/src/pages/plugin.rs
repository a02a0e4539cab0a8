//! `/plugins/{hash}`: one component, what it asks for, and what it may.

use cofferdam_model::{DestinationId, Grants, Timestamp};
use maud::{Markup, html};

use super::{
    plugin_consent as consent,
    plugins::{Asks, PluginItem, PluginProblem, PluginState, badge, roles},
};
use crate::{
    Chrome, FieldErrors,
    icons::{Icon, icon},
    layout::layout,
    parts::{callout, copy_button, fact, time, told},
    text::{common, plugin as t},
};

/// One component with all that is known.
#[derive(Debug, Clone)]
pub struct PluginPage {
    /// What it is and how it stands.
    pub item: PluginItem,
    /// The plugin's own short name; empty where it could not be read.
    pub id: String,
    /// The interfaces that it imports, from the file itself.
    pub imports: Vec<ImportItem>,
    /// Who approved it, and when.
    pub approved: Option<(Timestamp, String)>,
    /// When it was first seen.
    pub seen_at: Option<Timestamp>,
    /// The form that approves it, or changes what it may.
    pub form: ApproveForm,
    /// The component of the same plugin that was approved before.
    pub before: Option<Before>,
    /// The destinations of this plugin: identifier and short name.
    pub destinations: Vec<(DestinationId, String)>,
    /// What went wrong lately, newest first.
    pub problems: Vec<PluginProblem>,
}

/// An interface that a component imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportItem {
    /// Its name: `wasi:http/outgoing-handler@0.2.0`.
    pub name: String,
    /// What it lets the component do.
    pub words: String,
}

/// How a component differs from the one that was approved before.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    /// What is different, each written as errors are.
    pub changes: Vec<String>,
    /// The SHA-256 of its file, and of this one.
    pub hashes: Option<(String, String)>,
    /// What the one before may do.
    pub grants: Grants,
}

/// What an administrator allows, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApproveForm {
    /// `host:port`, one per line.
    pub hosts: String,
    /// The same, for hosts that may be in the private network.
    pub private_hosts: String,
    /// The folder.
    pub folder: String,
    /// Whether it may send mail.
    pub mail: bool,
    /// What is wrong. Fields: `hosts`, `private_hosts`, `folder`, `mail`.
    pub errors: FieldErrors,
}

impl ApproveForm {
    /// The form for what is, or was, granted.
    #[must_use]
    pub fn of(grants: &Grants) -> Self {
        let lines = |private: bool| {
            let hosts = grants.hosts.iter().filter(|host| host.private == private);
            let lines = hosts.map(|host| host.to_string().replace(" private", ""));
            lines.collect::<Vec<_>>().join("\n")
        };
        let folder = grants.folder.as_ref();
        Self {
            hosts: lines(false),
            private_hosts: lines(true),
            folder: folder.map(|folder| folder.display().to_string()).unwrap_or_default(),
            mail: grants.mail,
            errors: FieldErrors::new(),
        }
    }
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, data: &PluginPage) -> Markup {
    let item = &data.item;
    let asks = item.about.as_ref().map(|about| about.asks);
    layout(
        chrome,
        item.name(),
        &html! {
            nav.crumbs aria-label=(common::BREADCRUMB) { a href="/plugins" { (common::PLUGINS) } }
            (head(chrome, data))
            div.columns.columns-wide {
                div.column {
                    (state(item))
                    @if let Some(before) = &data.before { (consent::changed(before)) }
                    @if let Some(asks) = asks {
                        (asks_for(asks))
                        @if !matches!(item.state, PluginState::Gone) { (consent::form(chrome, data, asks)) }
                    }
                    (problems(chrome, data))
                }
                div.column { (facts(chrome, data)) (imports(data)) }
            }
        },
    )
}

fn head(chrome: &Chrome, data: &PluginPage) -> Markup {
    let item = &data.item;
    html! {
        div.head {
            div {
                h1 { bdi { (item.name()) } }
                div.head-sub {
                    (badge(&item.state))
                    @if let Some(about) = &item.about {
                        span.muted { bdi { (about.version) } }
                        (roles(about.roles))
                    }
                }
                @if let Some(about) = &item.about { p.description { bdi { (about.summary) } } }
            }
            @if data.approved.is_some() {
                div.head-actions {
                    a.button.danger-quiet href={ (item.address()) "/revoke" }
                        hx-get={ (item.address()) "/revoke" } hx-target="#dialog"
                        hx-select="#confirm" hx-swap="innerHTML ignoreTitle:true"
                        hx-nonce=(chrome.nonce) { (icon(Icon::Cross)) (t::REVOKE) }
                }
            }
        }
    }
}

/// What stands in the way of running it, if anything but consent does.
fn state(item: &PluginItem) -> Markup {
    match &item.state {
        _ if item.note.is_some()
            && matches!(item.state, PluginState::Approved | PluginState::Waiting) =>
        {
            let note = item.note.as_deref().unwrap_or_default();
            html! { p.hint-line { bdi { (common::sentence(note)) } } }
        }
        PluginState::Refused(reason) => callout(
            "bad",
            Icon::Cross,
            t::REFUSED_TITLE,
            &html! { (told("failure-what", reason)) p { (t::REFUSED_TEXT) } },
        ),
        PluginState::Gone => {
            let text = if item.destinations > 0 { t::GONE_TEXT } else { t::GONE_UNUSED };
            callout("warn", Icon::Offline, t::GONE_TITLE, &html! { p { (text) } })
        }
        PluginState::Reading => {
            callout("run", Icon::Running, t::READING_TITLE, &html! { p { (t::READING_TEXT) } })
        }
        _ => html! {},
    }
}

fn asks_for(asks: Asks) -> Markup {
    let wishes = [
        (asks.network, Icon::Network, t::ASKS_NETWORK),
        (asks.folder, Icon::Folder, t::ASKS_FOLDER),
        (asks.mail, Icon::Mail, t::ASKS_MAIL),
    ];
    let any = wishes.iter().any(|(has, ..)| *has);
    html! {
        section aria-labelledby="asks" {
            div.section-head { h2 #asks { (t::ASKS_TITLE) } }
            ul.panel.wishes {
                @for (_, shape, words) in wishes.iter().filter(|(has, ..)| *has) {
                    li { (icon(*shape)) span { (words) } }
                }
                li.muted { (icon(Icon::Shield)) span { (if any { t::ASKS_ELSE } else { t::ASKS_NOTHING }) } }
            }
        }
    }
}

fn facts(chrome: &Chrome, data: &PluginPage) -> Markup {
    let item = &data.item;
    html! {
        section aria-labelledby="facts" {
            h2 #facts.sr { (t::FACTS) }
            dl.facts.panel {
                @if let Some(about) = &item.about {
                    (fact(t::VERSION, html! { bdi { (about.version) } }))
                    (fact(t::AUTHOR, html! {
                        bdi { (about.author) }
                        @if item.bundled { p.sub { (t::BUNDLED) } }
                    }))
                    @if let Some(url) = about.homepage.as_deref().filter(|url| url.starts_with("https://")) {
                        (fact(t::HOMEPAGE, html! { a href=(url) rel="noreferrer" { bdi { (url) } } }))
                    }
                }
                (fact(t::FILE, html! { bdi.mono { (item.file) } }))
                @if let Some(hash) = &item.hash {
                    (fact(t::HASH, html! {
                        span.hash { code { (hash) } (copy_button(t::HASH, hash.as_str())) }
                    }))
                }
                @if let Some(at) = data.seen_at { (fact(t::SEEN, time(chrome, at))) }
                @if let Some((at, by)) = &data.approved {
                    (fact(t::APPROVAL, html! { (time(chrome, *at)) p.sub { bdi { (t::by(by)) } } }))
                }
                @if item.about.is_some() {
                    (fact(t::USED_BY, html! {
                        @if data.destinations.is_empty() { span.muted { (t::NOT_USED) } }
                        @for (id, name) in &data.destinations {
                            a.block-link href={ "/destinations/" (id) } { bdi { (name) } }
                        }
                    }))
                }
            }
            @if data.approved.is_some() && item.state == PluginState::Approved {
                div.actions {
                    a.button href={ "/destinations/new?plugin=" (data.id) } { (icon(Icon::Plus)) (t::ADD_DESTINATION) }
                }
            }
        }
    }
}

fn imports(data: &PluginPage) -> Markup {
    if data.item.about.is_none() {
        return html! {};
    }
    html! {
        details.fold {
            summary {
                (icon(Icon::Chevron)) span { (t::IMPORTS_TITLE) }
                span.muted.fold-side { (data.imports.len()) }
            }
            div.fold-body {
                p.muted { (t::IMPORTS_NOTE) }
                (consent::import_list(&data.imports))
            }
        }
    }
}

fn problems(chrome: &Chrome, data: &PluginPage) -> Markup {
    if data.problems.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="problems" {
            div.section-head { h2 #problems { (t::PROBLEMS) } }
            ul.panel.sessions {
                @for problem in &data.problems {
                    li {
                        p.bad-text { bdi { (common::sentence(&problem.text)) } }
                        p.sub {
                            (time(chrome, problem.at))
                            @if let Some(name) = &problem.destination { " · " bdi { (name) } }
                        }
                    }
                }
            }
        }
    }
}
