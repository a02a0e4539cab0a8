//! `/api/docs`: the API, call by call, with a form to try each.

use maud::{Markup, html};

use crate::{
    Chrome, FieldErrors,
    icons::{Icon, icon},
    layout::{bare, layout},
    parts::{Input, code_block, text_input},
    text::api as t,
};

/// The API in groups, in the order to show.
#[derive(Debug, Clone, Default)]
pub struct ApiPage {
    /// The groups.
    pub groups: Vec<Group>,
}

/// Calls about one thing.
#[derive(Debug, Clone)]
pub struct Group {
    /// The OpenAPI tag.
    pub tag: String,
    /// Its calls, in the order of the document.
    pub calls: Vec<Call>,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// `GET`, `POST` …
    pub method: String,
    /// With its parameters in braces.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// The rest of what it does; perhaps empty.
    pub description: String,
    /// Parts of the path, the query and the headers.
    pub parameters: Vec<Parameter>,
    /// An example of the body, as JSON, for calls that take one.
    pub body: Option<String>,
    /// Statuses with what they mean.
    pub answers: Vec<(String, String)>,
}

/// A part of the path, the query or the headers.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    /// Whether a call without it is refused.
    pub required: bool,
    /// What it means; perhaps empty.
    pub description: String,
}

/// The whole page; without a viewer it has no navigation.
#[must_use]
pub fn page(chrome: &Chrome, data: &ApiPage) -> Markup {
    let none = FieldErrors::new();
    let body = html! {
        div.head {
            div { h1 { (t::TITLE) } p.head-sub.muted { (t::INTRO) } }
            div.head-actions {
                a.button href="/api/openapi.json" { (icon(Icon::Download)) (t::DOCUMENT) }
            }
        }
        div.panel.needs-js {
            (text_input(&none, &Input {
                name: "token", prefix: "api", label: t::TOKEN, hint: Some(t::TOKEN_HINT), ..Input::default()
            }))
        }
        @for group in &data.groups {
            section.api-group aria-labelledby={ "group-" (group.tag) } {
                div.section-head { h2 id={ "group-" (group.tag) } { (t::group(&group.tag)) } }
                div.stack { @for call in &group.calls { (one(call)) } }
            }
        }
    };
    if chrome.viewer.is_some() {
        layout(chrome, t::TITLE, &body)
    } else {
        bare(chrome, t::TITLE, &body)
    }
}

fn one(call: &Call) -> Markup {
    html! {
        details.fold {
            summary {
                (icon(Icon::Chevron))
                span { strong { (call.method) } " " code { (path(&call.path)) } }
                span.fold-side.muted { (call.summary) }
            }
            div.fold-body {
                @if !call.description.is_empty() { p { (call.description) } }
                @if !call.parameters.is_empty() {
                    h3 { (t::PARAMETERS) }
                    ul.points {
                        @for it in &call.parameters {
                            li {
                                code { (it.name) } " " span.muted { (it.place) @if it.required { ", " (t::REQUIRED) } }
                                @if !it.description.is_empty() { " " (it.description) }
                            }
                        }
                    }
                }
                @if let Some(body) = &call.body {
                    div.no-js { h3 { (t::BODY) } (code_block(t::BODY, body)) }
                }
                h3 { (t::ANSWERS) }
                ul.points {
                    @for (status, meaning) in &call.answers { li { strong.num { (status) } " " (meaning) } }
                }
                (form(call))
            }
        }
    }
}

/// A path that breaks before its slashes where a line is too short.
fn path(path: &str) -> Markup {
    html! { @for part in path.split_inclusive('/') { (part) wbr; } }
}

/// Sends the call; app.js does it, because only a script can add the token.
fn form(call: &Call) -> Markup {
    let name = format!("{} {}", call.method, call.path);
    html! {
        form.needs-js.stack data-call=(call.method) data-path=(call.path) aria-label=(name) {
            @for it in call.parameters.iter().filter(|it| it.place != "header") {
                label.field { span { (it.name) }
                    input type="text" name=(it.name) data-place=(it.place) required[it.required] autocomplete="off";
                }
            }
            @if let Some(body) = &call.body {
                label.field { span { (t::BODY) } textarea name="body" rows="6" spellcheck="false" { (body) } }
            }
            div.actions { button.button type="submit" { (t::TRY) } }
            pre.answer hidden tabindex="0" role="region" aria-label=(t::ANSWER) {}
        }
    }
}
