//! `/destinations/new?plugin=…` and `/destinations/{id}/edit`.

use cofferdam_model::Destination;
use maud::{Markup, html};

use super::{
    destination::{Tested, found},
    destination_new::PluginChoice,
};
use crate::{
    Chrome, FieldErrors,
    icons::{Icon, icon},
    layout::layout,
    parts::{self, Input, csrf, settings, settings_errors, summary, text_input, tick, ticks},
    schema::{SettingsForm, Tick},
    text::{common, destination as t},
};

const PREFIX: &str = "destination";

/// A destination's settings, as typed.
#[derive(Debug, Clone, PartialEq)]
pub struct DestinationForm {
    /// The plugin that it is an instance of.
    pub plugin: PluginChoice,
    /// The short name.
    pub name: String,
    /// What the plugin's schema asks for.
    pub settings: SettingsForm,
    /// The databases, by identifier; none ticked means all of them.
    pub databases: Vec<Tick>,
    /// What a notifier tells of; empty for what is none.
    pub events: Vec<Tick>,
    /// How many deliveries run at once.
    pub concurrency: String,
    /// Whether failed deliveries are tried for ever.
    pub keep_going: bool,
    /// Whether what is named here is granted to the plugin along with it: hosts, the folder, mail.
    pub grant: bool,
    /// Whether their addresses may be private ones.
    pub grant_private: bool,
    /// What a test of these very settings has found, if there was one just now.
    pub tried: Option<Tested>,
    /// What is wrong. Fields: `name`, `databases`, `events`, `concurrency`.
    pub errors: FieldErrors,
}

/// The form: for a new destination, or for the one in `existing`.
#[must_use]
pub fn page(chrome: &Chrome, existing: Option<&Destination>, form: &DestinationForm) -> Markup {
    let plugin = &form.plugin;
    let (title, action, attempt, submit, back) = match existing {
        Some(it) => (
            format!("{} {}", t::EDIT_TITLE, it.name),
            format!("/destinations/{}/edit", it.id),
            format!("/destinations/{}/try", it.id),
            t::SAVE,
            format!("/destinations/{}", it.id),
        ),
        None => (
            t::ADD.to_owned(),
            "/destinations".to_owned(),
            "/destinations/try".to_owned(),
            t::ADD_SUBMIT,
            "/destinations/new".to_owned(),
        ),
    };
    let mut errors = form.errors.clone();
    settings_errors(&form.settings, &mut errors);
    layout(
        chrome,
        &title,
        &html! {
            nav.crumbs aria-label=(common::BREADCRUMB) {
                a href="/destinations" { (common::DESTINATIONS) }
                @if let Some(it) = existing { a href=(back) { (it.name) } }
            }
            div.head {
                div {
                    h1 { (title) }
                    p.description.muted {
                        bdi { (t::plugin_line(&plugin.about.name, &plugin.about.version)) } " · "
                        bdi { (plugin.about.summary) }
                    }
                }
            }
            div.panel.form-panel #destination {
                (summary(&errors, PREFIX))
                form.stack.settings-form method="post" action=(action) {
                    (csrf(chrome))
                    @if existing.is_none() { input type="hidden" name="plugin" value=(plugin.id); }
                    (settings(chrome, PREFIX, &form.settings))
                    (grant(form))
                    (text_input(&form.errors, &Input {
                        name: "name", prefix: PREFIX, label: t::NAME, value: &form.name,
                        hint: Some(t::NAME_HINT), maxlength: Some(63), exact: true,
                        optional: existing.is_none(), ..Input::default()
                    }))
                    (which(form))
                    (more(form))
                    (trial(chrome, form))
                    div.actions {
                        a.button href=(back) { (common::CANCEL) }
                        button.button #try-button type="submit" formaction=(attempt) hx-post=(attempt)
                            hx-target="#destination" hx-select="#destination"
                            hx-swap="outerMorph ignoreTitle:true" hx-nonce=(chrome.nonce) {
                            (icon(Icon::Retry))
                            span.idle { (t::CHECK_NOW) }
                            span.busy role="status" { (t::CHECK_BUSY) }
                        }
                        button.button.primary type="submit" { (submit) }
                    }
                }
            }
        },
    )
}

/// What the plugin said to the settings as they are typed, before they are stored.
fn trial(chrome: &Chrome, form: &DestinationForm) -> Markup {
    html! {
        @if let Some(tried) = &form.tried {
            section.trial #trial aria-label=(t::CHECK) { (found(chrome, tried)) }
        }
    }
}

/// What is named here is no grant by itself.
fn grant(form: &DestinationForm) -> Markup {
    let asks = form.plugin.about.asks;
    let Some(words) = t::grant(asks.network, asks.folder, asks.mail) else { return html! {} };
    html! {
        div.field {
            (tick(PREFIX, "grant", "true", &words, form.grant))
            @if asks.network { (tick(PREFIX, "grant_private", "true", t::GRANT_PRIVATE, form.grant_private)) }
            p.hint { (t::GRANT_HINT) }
        }
    }
}

/// Which backups go there, and what is told.
fn which(form: &DestinationForm) -> Markup {
    html! {
        @if !form.events.is_empty() {
            (ticks(&form.errors, &Input {
                name: "events", prefix: PREFIX, label: t::EVENTS, ..Input::default()
            }, &form.events))
        }
        @if !form.databases.is_empty() {
            (ticks(&form.errors, &Input {
                name: "databases", prefix: PREFIX, label: t::DATABASES,
                hint: Some(t::DATABASES_HINT), ..Input::default()
            }, &form.databases))
        }
    }
}

fn more(form: &DestinationForm) -> Markup {
    let open = form.errors.get("concurrency").is_some();
    html! {
        details.inline-fold open[open] {
            summary { (icon(Icon::Chevron)) span { (t::MORE) } }
            div.stack.below-text {
                (text_input(&form.errors, &Input {
                    name: "concurrency", prefix: PREFIX, label: t::CONCURRENCY, value: &form.concurrency,
                    hint: Some(t::CONCURRENCY_HINT), inputmode: Some("numeric"), exact: true,
                    ..Input::default()
                }))
                div.field {
                    (tick(PREFIX, "keep_going", "true", t::KEEP_GOING, form.keep_going))
                    p.hint { (t::KEEP_GOING_HINT) }
                }
            }
        }
    }
}

/// `/destinations/preview`: what a template makes of an example.
#[must_use]
pub fn preview(template: &str) -> Markup {
    parts::preview(template)
}
