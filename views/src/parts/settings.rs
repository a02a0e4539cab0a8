//! A plugin's settings as fields.

use maud::{Markup, html};

use super::{
    Input,
    fields::{described, frame, id, text_area, ticks},
};
use crate::{
    Chrome, FieldErrors,
    schema::{Control, FORGET, SettingsField, SettingsForm, TemplateFacts, expand},
    text::{common, settings as t},
};

/// All fields, in order. Those that depend on others hide where scripts run,
/// and say where they count where not.
pub(crate) fn settings(chrome: &Chrome, prefix: &str, form: &SettingsForm) -> Markup {
    html! {
        @for field in &form.fields {
            @if let Some(condition) = &field.condition {
                div.depends.when-off[!condition.holds] data-when=(condition.rule) {
                    p.hint.without-js { bdi { (t::only_where(&condition.words)) } }
                    (one(chrome, prefix, field))
                }
            } @else {
                (one(chrome, prefix, field))
            }
        }
    }
}

/// What is wrong with them, for the summary above the form.
pub(crate) fn settings_errors(form: &SettingsForm, errors: &mut FieldErrors) {
    for message in &form.whole {
        errors.add_whole(message);
    }
    for field in &form.fields {
        if let Some(message) = &field.error {
            // Far from its field, a message needs the field's name.
            let named = if message.starts_with(&field.label) {
                message.clone()
            } else {
                format!("{}: {message}", field.label)
            };
            errors.add(field.name.clone(), named);
        }
    }
}

fn one(chrome: &Chrome, prefix: &str, field: &SettingsField) -> Markup {
    let mut errors = FieldErrors::new();
    if let Some(message) = &field.error {
        errors.add(field.name.clone(), message);
    }
    let input = Input {
        name: &field.name,
        prefix,
        label: &field.label,
        hint: field.hint.as_deref(),
        required: field.required,
        optional: !field.required && !matches!(field.control, Control::Switch { .. }),
        ..Input::default()
    };
    match &field.control {
        Control::Line { value, placeholder, inputmode, exact } => {
            let input = Input { exact: *exact, inputmode: *inputmode, ..input };
            line(&errors, &input, value, placeholder.as_deref(), None)
        }
        Control::Area { value, placeholder, exact } => {
            let rows = if *exact { 6 } else { 4 };
            let placeholder = placeholder.as_deref();
            text_area(&errors, &Input { value, placeholder, exact: *exact, ..input }, rows)
        }
        Control::Template { value, placeholder, lines } => {
            let shown = if value.is_empty() { placeholder.as_deref().unwrap_or("") } else { value };
            template(chrome, &errors, &input, (value, placeholder.as_deref(), *lines), shown)
        }
        Control::Secret { stored, forget, lines } => {
            let forget = (*stored && !field.required).then_some(*forget);
            secret(&errors, &input, *stored, *lines, forget)
        }
        Control::Switch { on } => switch(&errors, &input, *on),
        Control::Choice { options, chosen, none } => {
            choice(&errors, &input, options, chosen, none.as_deref())
        }
        Control::Ticks(options) => ticks(&errors, &input, options),
    }
}

fn framed(errors: &FieldErrors, input: &Input<'_>, control: &Markup) -> Markup {
    let error = errors.get(input.name);
    frame(&id(input.prefix, input.name), input.label, input.optional, input.hint, error, control)
}

/// A line of text; `preview` is what follows its changes, if anything does.
fn line(
    errors: &FieldErrors,
    input: &Input<'_>,
    value: &str,
    placeholder: Option<&str>,
    preview: Option<(&Chrome, &str)>,
) -> Markup {
    let id = id(input.prefix, input.name);
    let error = errors.get(input.name);
    let control = html! {
        input id=(id) name=(input.name) type="text" value=(value)
            class=[input.exact.then_some("exact")]
            placeholder=[placeholder]
            autocomplete="off"
            spellcheck=[input.exact.then_some("false")]
            autocapitalize=[input.exact.then_some("none")]
            inputmode=[input.inputmode]
            aria-required=[input.required.then_some("true")]
            aria-invalid=[error.map(|_| "true")]
            aria-describedby=[described(&id, input.hint, error)]
            hx-get=[preview.map(|_| "/destinations/preview")]
            hx-trigger=[preview.map(|_| "input changed delay:150ms")]
            hx-target=[preview.map(|(_, target)| format!("#{target}"))]
            hx-swap=[preview.map(|_| "innerHTML ignoreTitle:true")]
            hx-nonce=[preview.map(|(chrome, _)| chrome.nonce.as_str())];
    };
    framed(errors, input, &control)
}

/// A text with placeholders; what it makes stands below and follows the typing.
fn template(
    chrome: &Chrome,
    errors: &FieldErrors,
    input: &Input<'_>,
    (value, placeholder, lines): (&str, Option<&str>, bool),
    shown: &str,
) -> Markup {
    let target = format!("{}-preview", id(input.prefix, input.name));
    let input = Input { exact: true, ..*input };
    html! {
        div.with-preview {
            @if lines { (text_area(errors, &Input { value, ..input }, 6)) }
            @else { (line(errors, &input, value, placeholder, Some((chrome, &target)))) }
            div.preview id=(target) aria-live="polite" { (preview(shown)) }
        }
    }
}

/// What a template makes of an example, and which placeholders there are not.
pub(crate) fn preview(template: &str) -> Markup {
    let (text, unknown) = expand(template, &TemplateFacts::default());
    html! {
        p.preview-line {
            span.muted { (t::PREVIEW) } " "
            @if text.is_empty() { span.muted { (common::NONE) } } @else { code { (text) } }
        }
        @if !unknown.is_empty() { p.preview-line.bad { bdi { (t::unknown_placeholders(&unknown)) } } }
    }
}

/// `forget` where the stored one can be taken away: whether that is wished.
fn secret(
    errors: &FieldErrors,
    input: &Input<'_>,
    stored: bool,
    lines: bool,
    forget: Option<bool>,
) -> Markup {
    let kept = if stored { t::SECRET_STORED } else { t::SECRET_NEW };
    let hint = input
        .hint
        .map_or_else(|| kept.to_owned(), |hint| format!("{} {kept}", common::sentence(hint)));
    let input = Input { hint: Some(&hint), autocomplete: "off", ..*input };
    html! {
        div.secret {
            @if lines { (text_area(errors, &Input { exact: true, ..input }, 5)) }
            @else { (super::password(errors, &input)) }
            @if let Some(on) = forget {
                @let label = t::forget(input.label);
                (super::tick(input.prefix, FORGET, input.name, &label, on))
            }
        }
    }
}

fn switch(errors: &FieldErrors, input: &Input<'_>, on: bool) -> Markup {
    let id = id(input.prefix, input.name);
    let error = errors.get(input.name);
    html! {
        div.field {
            label.tick for=(id) {
                input id=(id) type="checkbox" name=(input.name) value="true" checked[on]
                    aria-invalid=[error.map(|_| "true")]
                    aria-describedby=[described(&id, input.hint, error)];
                span { bdi { (input.label) } }
            }
            @if let Some(error) = error {
                p.error id={ (id) "-error" } { span { bdi { (common::sentence(error)) } } }
            }
            @if let Some(hint) = input.hint { p.hint id={ (id) "-hint" } { bdi { (hint) } } }
        }
    }
}

fn choice(
    errors: &FieldErrors,
    input: &Input<'_>,
    options: &[(String, String)],
    chosen: &str,
    none: Option<&str>,
) -> Markup {
    let mut all = Vec::with_capacity(options.len() + 1);
    if let Some(default) = none {
        all.push((String::new(), t::none(default)));
    }
    all.extend(options.iter().cloned());
    super::select(errors, &Input { value: chosen, ..*input }, &all)
}
