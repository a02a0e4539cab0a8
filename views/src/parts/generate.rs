//! The form behind "Generate Backup".

use cofferdam_model::{Engine, Format, Level, Role};
use maud::{Markup, html};

use super::{Input, csrf, select, summary, text_input, ticks};
use crate::{
    Chrome, GenerateForm,
    icons::{Icon, icon},
    text::{backup as t, delivery, states},
};

const PREFIX: &str = "generate";

/// `#generate`: one click with good defaults; the options open in place. It
/// posts by itself; with scripts the page stays and the list gets its row.
pub(crate) fn generate(chrome: &Chrome, form: &GenerateForm) -> Markup {
    markup(chrome, form, false)
}

/// The same on a page of its own, with the options open.
pub(crate) fn generate_alone(chrome: &Chrome, form: &GenerateForm) -> Markup {
    markup(chrome, form, true)
}

fn markup(chrome: &Chrome, form: &GenerateForm, alone: bool) -> Markup {
    if !chrome.may(Role::Operator) {
        return html! { p.muted.role-note { (t::ROLE_LOOKS) } };
    }
    if form.databases.is_empty() {
        return html! {};
    }
    html! {
        form #generate.generate method="post" action="/backups" data-started=(t::STARTED)
            hx-post="/backups" hx-swap="none"
            "hx-status:422"="target:#generate select:#generate swap:outerHTML"
            hx-nonce=(chrome.nonce) {
            (csrf(chrome))
            (summary(&form.errors, PREFIX))
            div.generate-bar {
                (database(form))
                (options(form, alone))
                button.button.primary type="submit" { (icon(Icon::Archive)) (t::GENERATE) }
            }
        }
    }
}

/// The choice, or the only database there is.
fn database(form: &GenerateForm) -> Markup {
    if let [only] = form.databases.as_slice() {
        return html! { input type="hidden" name="database" value=(only.slug); };
    }
    let chosen = form.databases.iter().any(|choice| choice.slug == form.database);
    html! {
        label.sr for="generate-database" { (t::DATABASE) }
        select #generate-database name="database" required {
            @if !chosen { option value="" selected disabled { (t::CHOOSE) } }
            @for choice in &form.databases {
                option value=(choice.slug) selected[choice.slug == form.database] { (choice.slug) }
            }
        }
    }
}

fn options(form: &GenerateForm, alone: bool) -> Markup {
    let level = form.compression_level.parse::<Level>().unwrap_or_default().get().to_string();
    let levels: Vec<(String, String)> =
        (1..=9).map(|level: u8| (level.to_string(), t::level_option(level))).collect();
    let formats: Vec<(String, String)> = [Format::Plain, Format::Custom]
        .into_iter()
        .map(|format| (format.as_str().to_owned(), states::format(format).to_owned()))
        .collect();
    let has_formats = form.databases.iter().any(|choice| choice.engine == Engine::Postgres);
    html! {
        details.popover open[!form.errors.is_empty() || alone] {
            summary.button { (icon(Icon::Options)) (t::OPTIONS) }
            div.popover-body {
                (text_input(&form.errors, &Input {
                    name: "description", prefix: PREFIX, label: t::DESCRIPTION,
                    value: &form.description, hint: Some(t::DESCRIPTION_HINT),
                    maxlength: Some(500), optional: true, ..Input::default()
                }))
                (select(&form.errors, &Input {
                    name: "compression_level", prefix: PREFIX, label: t::LEVEL,
                    value: &level, hint: Some(t::LEVEL_HINT), ..Input::default()
                }, &levels))
                @if has_formats {
                    (select(&form.errors, &Input {
                        name: "format", prefix: PREFIX, label: t::FORMAT,
                        value: &form.format, hint: Some(t::FORMAT_HINT), ..Input::default()
                    }, &formats))
                } @else {
                    input type="hidden" name="format" value=(Format::Plain.as_str());
                }
                @if !form.destinations.is_empty() {
                    (ticks(&form.errors, &Input {
                        name: "destinations", prefix: PREFIX, label: delivery::GOES_TO,
                        hint: Some(delivery::GOES_TO_HINT), ..Input::default()
                    }, &form.destinations))
                }
            }
        }
    }
}
