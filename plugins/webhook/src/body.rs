//! What is sent: the event's document, or a text of the administrator's with
//! placeholders in it.

use cofferdam_plugin::{Event, Severity};

/// What may stand between two pairs of braces.
const PLACEHOLDERS: [&str; 10] =
    ["title", "text", "kind", "severity", "at", "url", "id", "database", "filename", "document"];

/// The body. In JSON, values are written so that they can stand between
/// quotes; `{{document}}` is JSON already and stands without.
pub(crate) fn render(template: &str, event: &Event, is_json: bool) -> String {
    if template.trim().is_empty() {
        return event.document.clone();
    }
    fill(template, |name| {
        let value = value(name, event);
        if is_json && name != "document" { in_quotes(value) } else { value.to_owned() }
    })
    .unwrap_or_else(|_| event.document.clone())
}

/// Whether the template can be filled, and is JSON then where it has to be.
pub(crate) fn check(template: &str, is_json: bool) -> Result<(), String> {
    if template.trim().is_empty() {
        return Ok(());
    }
    // As the real one, the sample has quotes: it cannot stand between others.
    let document = r#"{"x":"y"}"#;
    let sample = fill(template, |name| if name == "document" { document } else { "x" }.to_owned())?;
    if !is_json {
        return Ok(());
    }
    serde_json::from_str::<serde::de::IgnoredAny>(&sample)
        .map(|_| ())
        .map_err(|error| format!("it does not make JSON: {error}"))
}

fn fill(template: &str, value: impl Fn(&str) -> String) -> Result<String, String> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let (name, after) =
            after.split_once("}}").ok_or("a placeholder is not closed: write {{title}}")?;
        let name = name.trim();
        if !PLACEHOLDERS.contains(&name) {
            let all = PLACEHOLDERS.join("}}, {{");
            return Err(format!("there is no {{{{{name}}}}}: there are {{{{{all}}}}}"));
        }
        text.push_str(&value(name));
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn value<'a>(name: &str, event: &'a Event) -> &'a str {
    let backup = event.backup.as_ref();
    match name {
        "title" => &event.title,
        "text" => &event.text,
        "kind" => &event.kind,
        "severity" => match event.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        },
        "at" => &event.at,
        "url" => event.url.as_deref().unwrap_or_default(),
        "id" => &event.id,
        "database" => backup.map_or("", |backup| &backup.database),
        "filename" => backup.map_or("", |backup| &backup.filename),
        _ => &event.document,
    }
}

/// The text as it stands between the quotes of a JSON string.
fn in_quotes(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn event(title: &str) -> Event {
        Event {
            id: "1".into(),
            kind: "test".into(),
            severity: Severity::Warning,
            at: "2026-01-31T02:00:00.000Z".into(),
            title: title.into(),
            text: "line\nline".into(),
            url: None,
            backup: None,
            document: r#"{"a":1}"#.into(),
        }
    }

    #[test]
    fn without_a_template_the_document_is_sent() {
        assert_eq!(render(" \n", &event("t"), true), r#"{"a":1}"#);
    }

    #[test]
    fn values_stand_in_their_places() {
        let template = r#"{"t":"{{title}}","n":"{{ text }}","s":"{{severity}}","d":{{document}}}"#;
        let body: Value =
            serde_json::from_str(&render(template, &event("a \"b\""), true)).expect("JSON");
        let wanted = json!({"t": "a \"b\"", "n": "line\nline", "s": "warning", "d": {"a": 1}});
        assert_eq!(body, wanted);
        assert_eq!(render("{{kind}}: {{title}}{{url}}", &event("a \"b\""), false), "test: a \"b\"");
    }

    #[test]
    fn a_template_that_cannot_be_filled_is_refused() {
        for (template, reason) in [
            ("{{what}}", "{{title}}"),
            ("{{title", "not closed"),
            (r#"{"a": {{title}}}"#, "JSON"),
            (r#"{"a": "{{title}}""#, "JSON"),
            (r#"{"a": "{{document}}"}"#, "JSON"),
        ] {
            let error = check(template, true).expect_err(template);
            assert!(error.contains(reason), "{template}: {error}");
        }
        assert_eq!(check(r#"{"a": "{{title}}", "b": {{document}}}"#, true), Ok(()));
        assert_eq!(check("{{title}}!", false), Ok(()));
    }

    proptest! {
        #[test]
        fn no_title_breaks_the_json(title in ".{0,40}") {
            let body = render(r#"{"t":"{{title}}"}"#, &event(&title), true);
            let value: Value = serde_json::from_str(&body).expect("JSON");
            prop_assert_eq!(value["t"].as_str(), Some(title.as_str()));
        }
    }
}
