//! The settings file: TOML, one line for each setting.

use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

use toml::{Spanned, Value};

use super::{
    layers::{Layers, Origin, refuse_open_file},
    nearest,
    settings::SETTINGS,
};

/// Reads the file into the layers. All that is wrong in it is noted; what is
/// right still counts, so that the rest of the settings can be looked at too.
pub(super) fn read(path: &Path, layers: &mut Layers) {
    let shown = path.display();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return layers.wrong.push(format!("the settings file {shown} does not exist"));
        }
        Err(error) => {
            return layers.wrong.push(format!("the settings file {shown} cannot be read: {error}"));
        }
    };
    let line_of = |at: usize| text[..at].matches('\n').count() + 1;
    let table: BTreeMap<String, Spanned<Value>> = match toml::from_str(&text) {
        Ok(table) => table,
        // The parser's message quotes the line, which may hold a secret.
        Err(error) => {
            let line = error.span().map_or(1, |span| line_of(span.start));
            return layers.wrong.push(format!(
                "the settings file {shown} is not TOML: line {line} cannot be understood"
            ));
        }
    };
    let mut entries: Vec<_> = flatten(table);
    entries.sort_by_key(|(_, value)| value.span().start);
    let mut has_secret = false;
    for (name, value) in entries {
        let origin = Origin::File(path.to_owned(), line_of(value.span().start));
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            let advice = nearest::setting(&name)
                .map_or_else(String::new, |near| format!("\nHINT: did you mean {near}?"));
            layers.wrong.push(format!("{name:?} is not a setting (set by {origin}){advice}"));
            continue;
        };
        has_secret |= setting.secret;
        match plain(value.into_inner()) {
            Some(value) => layers.set(setting.name, value, origin),
            None => layers.wrong.push(format!(
                "{name} is neither text nor a number nor true or false (set by {origin})"
            )),
        }
    }
    if has_secret && let Err(error) = refuse_open_file(path) {
        layers.wrong.push(error.to_string());
    }
}

/// `host` in the table `[mail]` is the setting `mail_host`.
fn flatten(table: BTreeMap<String, Spanned<Value>>) -> Vec<(String, Spanned<Value>)> {
    let mut entries = Vec::new();
    for (name, value) in table {
        let span = value.span();
        match value.into_inner() {
            Value::Table(inner) if name == "mail" => {
                entries.extend(inner.into_iter().map(|(key, value)| {
                    (format!("{name}_{key}"), Spanned::new(span.clone(), value))
                }))
            }
            other => entries.push((name, Spanned::new(span, other))),
        }
    }
    entries
}

/// The value as a variable would have it.
fn plain(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(yes) => Some(yes.to_string()),
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            items.map(|items| items.join(","))
        }
        _ => None,
    }
}
