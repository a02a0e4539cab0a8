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
        // The parser shows the line as well, which may hold a secret; the
        // message itself is made of its own words.
        Err(error) => {
            let reason = error.message().lines().next().unwrap_or_default();
            let at = error.span().map_or(0, |span| span.start);
            // A string that is left open ends behind its line.
            let open = reason.contains("string") && text[..at].ends_with('\n');
            let line = line_of(if open { at - 1 } else { at });
            return layers
                .wrong
                .push(format!("the settings file {shown} is not TOML: line {line}: {reason}"));
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
                }));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_toml_is_named_with_its_line_and_reason_and_not_repeated() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("settings.toml");
        for (text, said) in [
            ("log = \"canary\nlisten = \"127.0.0.1:80\"\n", "line 1: invalid basic string"),
            ("log = \"info\"\nlisten = 'canary", "line 2: invalid literal string"),
            ("log = \"info\"\ncanary\n", "line 2: "),
            ("log = \"canary\"\nlog = \"canary\"\n", "line 2: duplicate key"),
            ("log = canary\n", "line 1: "),
        ] {
            fs::write(&file, text).expect("written");
            let mut layers = Layers::default();
            read(&file, &mut layers);
            let [told] = layers.wrong.as_slice() else { panic!("{text}: {:?}", layers.wrong) };
            assert!(told.contains(said) && !told.contains("canary"), "{text}: {told}");
        }
    }
}
