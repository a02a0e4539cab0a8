//! Fields of forms: label, hint and error belong to their control by id.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::{
    FieldErrors,
    icons::{Icon, icon},
    schema::Tick,
    text::{backup, common, database},
};

/// A text field.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of its own in HTML")]
pub(crate) struct Input<'a> {
    /// Its name; with `prefix` before it also its id.
    pub(crate) name: &'a str,
    /// Keeps ids apart where a page has several forms.
    pub(crate) prefix: &'a str,
    pub(crate) label: &'a str,
    pub(crate) value: &'a str,
    pub(crate) hint: Option<&'a str>,
    pub(crate) autocomplete: &'a str,
    pub(crate) inputmode: Option<&'a str>,
    pub(crate) placeholder: Option<&'a str>,
    pub(crate) maxlength: Option<u16>,
    pub(crate) required: bool,
    pub(crate) optional: bool,
    pub(crate) autofocus: bool,
    /// Names, addresses and paths: no correction, no capitals, monospace.
    pub(crate) exact: bool,
}

/// The id of a field. Names that a plugin chose may hold what an id cannot.
pub(super) fn id(prefix: &str, name: &str) -> String {
    let mut id = format!("{prefix}-");
    for letter in name.chars() {
        match letter {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' => id.push(letter),
            '.' => id.push('-'),
            _ => {
                let _ = write!(id, "_{:x}", u32::from(letter));
            }
        }
    }
    id
}

pub(super) fn described(id: &str, hint: Option<&str>, error: Option<&str>) -> Option<String> {
    let parts: Vec<String> =
        [hint.map(|_| format!("{id}-hint")), error.map(|_| format!("{id}-error"))]
            .into_iter()
            .flatten()
            .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Label above; hint and error below.
pub(super) fn frame(
    id: &str,
    label: &str,
    optional: bool,
    hint: Option<&str>,
    error: Option<&str>,
    control: &Markup,
) -> Markup {
    html! {
        div.field.invalid[error.is_some()] {
            label for=(id) {
                bdi { (label) }
                @if optional { span.optional { " " (common::OPTIONAL) } }
            }
            (control)
            @if let Some(error) = error {
                p.error id={ (id) "-error" } { (icon(Icon::Alert)) span { bdi { (common::sentence(error)) } } }
            }
            @if let Some(hint) = hint { p.hint id={ (id) "-hint" } { bdi { (hint) } } }
        }
    }
}

/// A line of text.
pub(crate) fn text_input(errors: &FieldErrors, field: &Input<'_>) -> Markup {
    let id = id(field.prefix, field.name);
    let error = errors.get(field.name);
    frame(
        &id,
        field.label,
        field.optional,
        field.hint,
        error,
        &html! {
            input id=(id) name=(field.name) type="text" value=(field.value)
                class=[field.exact.then_some("exact")]
                autocomplete=(if field.autocomplete.is_empty() { "off" } else { field.autocomplete })
                spellcheck=[field.exact.then_some("false")]
                autocapitalize=[field.exact.then_some("none")]
                inputmode=[field.inputmode]
                placeholder=[field.placeholder]
                maxlength=[field.maxlength]
                required[field.required]
                autofocus[field.autofocus]
                aria-invalid=[error.map(|_| "true")]
                aria-describedby=[described(&id, field.hint, error)];
        },
    )
}

/// A password, never filled in by the server, with a switch to show it.
pub(crate) fn password(errors: &FieldErrors, field: &Input<'_>) -> Markup {
    let id = id(field.prefix, field.name);
    let error = errors.get(field.name);
    frame(
        &id,
        field.label,
        field.optional,
        field.hint,
        error,
        &html! {
            div.reveal {
                input id=(id) name=(field.name) type="password"
                    autocomplete=(field.autocomplete)
                    spellcheck="false" autocapitalize="none"
                    required[field.required]
                    autofocus[field.autofocus]
                    aria-invalid=[error.map(|_| "true")]
                    aria-describedby=[described(&id, field.hint, error)];
                button.needs-js type="button" data-reveal=(id) aria-pressed="false"
                    aria-label={ (common::SHOW) ": " (field.label) } { (common::SHOW) }
            }
        },
    )
}

/// A choice. Options are pairs of value and label.
pub(crate) fn select(
    errors: &FieldErrors,
    field: &Input<'_>,
    options: &[(String, String)],
) -> Markup {
    let id = id(field.prefix, field.name);
    let error = errors.get(field.name);
    frame(
        &id,
        field.label,
        field.optional,
        field.hint,
        error,
        &html! {
            select id=(id) name=(field.name)
                autofocus[field.autofocus]
                aria-invalid=[error.map(|_| "true")]
                aria-describedby=[described(&id, field.hint, error)] {
                @for (value, label) in options {
                    option value=(value) selected[value == field.value] { (label) }
                }
            }
        },
    )
}

/// What is wrong, above the form. It takes the focus when the page opens, and
/// each entry leads to its field.
pub(crate) fn summary(errors: &FieldErrors, prefix: &str) -> Markup {
    if errors.is_empty() {
        return html! {};
    }
    let count = errors.fields().count() + errors.whole().len();
    html! {
        div.error-summary role="alert" tabindex="-1" autofocus {
            (icon(Icon::Alert))
            @if errors.fields().next().is_none() {
                @for message in errors.whole() { p { bdi { (common::sentence(message)) } } }
            } @else {
                div {
                    p.error-title { (common::errors_title(count)) }
                    ul {
                        @for message in errors.whole() { li { bdi { (common::sentence(message)) } } }
                        @for (name, message) in errors.fields() {
                            li { a href={ "#" (id(prefix, name)) } { bdi { (of_field(name, message)) } } }
                        }
                    }
                }
            }
        }
    }
}

/// Several lines of text.
pub(crate) fn text_area(errors: &FieldErrors, field: &Input<'_>, rows: u8) -> Markup {
    let id = id(field.prefix, field.name);
    let error = errors.get(field.name);
    frame(
        &id,
        field.label,
        field.optional,
        field.hint,
        error,
        &html! {
            textarea id=(id) name=(field.name) rows=(rows) autocomplete="off"
                placeholder=[field.placeholder]
                class=[field.exact.then_some("exact")]
                spellcheck=[field.exact.then_some("false")]
                autocapitalize=[field.exact.then_some("none")]
                aria-required=[field.required.then_some("true")]
                aria-invalid=[error.map(|_| "true")]
                // A browser drops the first line end of the content.
                aria-describedby=[described(&id, field.hint, error)] { "\n" (field.value) }
        },
    )
}

/// Something to tick, with its words behind it.
pub(crate) fn tick(prefix: &str, name: &str, value: &str, label: &str, on: bool) -> Markup {
    let id = id(prefix, &format!("{name}.{value}"));
    html! {
        label.tick for=(id) {
            input id=(id) type="checkbox" name=(name) value=(value) checked[on];
            span { bdi { (label) } }
        }
    }
}

/// Several things to tick under one heading. The empty value that goes along
/// tells a form with none of them from one without the question.
pub(crate) fn ticks(errors: &FieldErrors, field: &Input<'_>, options: &[Tick]) -> Markup {
    let id = id(field.prefix, field.name);
    let error = errors.get(field.name);
    html! {
        fieldset.field.ticks id=(id) tabindex="-1" aria-describedby=[described(&id, field.hint, error)] {
            legend {
                bdi { (field.label) }
                @if field.optional { span.optional { " " (common::OPTIONAL) } }
            }
            input type="hidden" name=(field.name) value="";
            div.ticks-list {
                @for option in options {
                    (tick(field.prefix, field.name, &option.text, &option.label, option.on))
                }
            }
            @if let Some(error) = error {
                p.error id={ (id) "-error" } { (icon(Icon::Alert)) span { bdi { (common::sentence(error)) } } }
            }
            @if let Some(hint) = field.hint { p.hint id={ (id) "-hint" } { bdi { (hint) } } }
        }
    }
}

/// A field's message where its label does not stand beside it.
fn of_field(name: &str, message: &str) -> String {
    let message =
        label(name).map_or_else(|| message.to_owned(), |label| common::of_field(label, message));
    common::sentence(&message)
}

/// The label of a field, where its message alone would not say what it is about.
fn label(name: &str) -> Option<&'static str> {
    Some(match name {
        "name" => database::NAME,
        "host" => database::HOST,
        "port" => database::PORT,
        "dbname" | "database" => database::DBNAME,
        "user" => database::USER,
        "sslmode" => database::SSLMODE,
        "sslrootcert" => database::SSLROOTCERT,
        "path" => database::PATH,
        "description" => backup::DESCRIPTION,
        "compression_level" => backup::LEVEL,
        "format" => backup::FORMAT,
        _ => return None,
    })
}
