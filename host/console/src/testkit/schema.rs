//! What can be seen of a component's settings without calling it.

use serde_json::Value;

use super::{
    book::Book,
    report::{Finding, broken, not_applicable},
    rules,
    stand::Stand,
};
use crate::service::destinations::settings::{Place, dotted, marked, properties, words};

/// What `x-cofferdam` can say.
const MARKS: [&str; 8] =
    ["secret", "host", "folder", "place", "duration", "size", "template", "multiline"];
/// Parts of names that stand for what nobody else may know.
const SECRET_WORDS: [&str; 8] = [
    "password",
    "passphrase",
    "secret",
    "token",
    "private_key",
    "api_key",
    "credential",
    "authorization",
];
/// Names, and ends of names, that stand for a host.
const HOST_WORDS: [&str; 5] = ["url", "endpoint", "host", "hostname", "server"];

/// The clauses about the schema.
pub fn judge(stand: &Stand, book: &mut Book<'_>) {
    book.add(&rules::FORM, form(stand.schema()));
    book.add(&rules::SECRETS, secrets(stand.schema()));
    book.add(&rules::PLACES, places(stand));
}

/// Whether a JSON pointer leads to a setting, or into one, or stands for all of them.
pub fn has(schema: &Value, pointer: &str) -> bool {
    let Some(path) = pointer.strip_prefix('/') else { return pointer.is_empty() };
    let name = path.split('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
    properties(schema).iter().any(|(place, _)| place.first() == Some(&name))
}

fn is_a(property: &Value, mark: &str) -> bool {
    words(&property["x-cofferdam"]).contains(&mark)
}

/// The problems of all settings, or a sentence where there are none.
fn each(schema: &Value, problem: impl Fn(&Place, &Value) -> Option<String>) -> Finding {
    let all = properties(schema);
    let name = |place: &Place| dotted(place);
    let problems: Vec<String> = all
        .iter()
        .filter_map(|(place, it)| problem(place, it).map(|text| format!("{}: {text}", name(place))))
        .collect();
    if problems.is_empty() {
        let count = all.len();
        return Ok(format!("{count} {}", if count == 1 { "setting" } else { "settings" }));
    }
    broken(problems.join("; "))
}

fn form(schema: &Value) -> Finding {
    let all = properties(schema);
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        if !all.iter().any(|(place, _)| place.len() == 1 && place[0] == name) {
            return broken(format!("{name} is required, and is no property"));
        }
    }
    each(schema, |place, property| {
        // A condition names a setting again, and says nothing about its field.
        let plain = |it: &Value| it.get("type").is_none() && it.get("title").is_none();
        if plain(property) && all.iter().any(|(other, it)| other == place && !plain(it)) {
            return None;
        }
        let chosen = ["type", "enum", "const", "oneOf"].iter().any(|it| property.get(it).is_some());
        if !chosen {
            return Some("it has no type".to_owned());
        }
        if property["title"].as_str().is_none_or(|title| title.trim().is_empty()) {
            return Some("it has no title".to_owned());
        }
        let unknown = words(&property["x-cofferdam"]).into_iter().find(|it| !MARKS.contains(it));
        if let Some(word) = unknown {
            return Some(format!("x-cofferdam knows no {word:?}"));
        }
        let default = property.get("default")?;
        let fits = jsonschema::draft202012::is_valid(property, default);
        (!fits).then(|| "its default does not fit".to_owned())
    })
}

fn secrets(schema: &Value) -> Finding {
    let found = each(schema, |place, property| {
        let name = place.last().map(|name| name.to_lowercase().replace('-', "_"))?;
        let sounds = SECRET_WORDS.iter().any(|word| name.contains(word));
        let text = property["type"] == "string";
        if sounds && text && !is_a(property, "secret") {
            return Some("it sounds like a secret, and is not marked so".to_owned());
        }
        let default = property["default"].as_str().unwrap_or_default();
        (is_a(property, "secret") && !default.is_empty())
            .then(|| "a secret has no default that everybody can read".to_owned())
    });
    let secrets = marked(schema, "secret").len();
    found.map(|_| format!("{secrets} of them are marked secret"))
}

fn places(stand: &Stand) -> Finding {
    let (schema, asks) = (stand.schema(), stand.plugin.description().grants);
    if !asks.network && !asks.folder && !asks.mail {
        return not_applicable("it asks for no grant");
    }
    let imports = |start: &str| stand.plugin.imports().iter().any(|it| it.name.starts_with(start));
    for (kind, asked, mark, import) in [
        ("network", asks.network, "host", "wasi:http/"),
        ("folder", asks.folder, "folder", "wasi:filesystem/"),
    ] {
        let named = !marked(schema, mark).is_empty();
        match (asked, named) {
            (true, false) => {
                return broken(format!("it asks for {kind}, and no setting is marked {mark}"));
            }
            (false, true) => {
                return broken(format!(
                    "a setting is marked {mark}, and it does not ask for {kind}"
                ));
            }
            _ => {}
        }
        if asked && !imports(import) {
            return broken(format!("it asks for {kind}, and imports nothing of {import}"));
        }
    }
    if asks.mail && !imports("cofferdam:plugin/mail") {
        return broken("it asks for mail, and does not import cofferdam:plugin/mail");
    }
    let found = each(schema, |place, property| {
        let name = place.last()?.to_lowercase();
        let sounds = property["format"] == "uri"
            || name.rsplit(['_', '-']).next().is_some_and(|end| HOST_WORDS.contains(&end));
        let free = property["type"] == "string" && property.get("enum").is_none();
        let known = is_a(property, "host") || is_a(property, "secret");
        (asks.network && sounds && free && !known)
            .then(|| "it sounds like a host, and is not marked so".to_owned())
    });
    found.map(|_| {
        let kinds = [("network", asks.network), ("folder", asks.folder), ("mail", asks.mail)];
        let kinds: Vec<_> = kinds.iter().filter(|(_, on)| *on).map(|(kind, _)| *kind).collect();
        format!("it asks for {}", kinds.join(", "))
    })
}
