//! Settings made from a schema: some that fit, and some that do not.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::service::destinations::settings::{complete, marked, put, wrong};

/// A host that nobody has.
const HOST: &str = "https://backup.example.org/kit";

/// Settings with every default and everything that is required.
pub fn made(schema: &Value, folder: Option<&Path>) -> Value {
    let mut settings = Value::Object(Map::new());
    let required = schema["required"].as_array();
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        settings[name] = example(&schema["properties"][name]);
    }
    name_folder(schema, &mut settings, folder);
    complete(schema, &mut settings);
    settings
}

/// Lets the settings name the folder that is granted.
pub fn name_folder(schema: &Value, settings: &mut Value, folder: Option<&Path>) {
    let Some(folder) = folder else { return };
    for place in marked(schema, "folder") {
        put(settings, &place, folder.display().to_string().into());
    }
}

/// A value that fits, as far as its schema says what that is.
fn example(property: &Value) -> Value {
    for known in
        [&property["default"], &property["examples"][0], &property["const"], &property["enum"][0]]
    {
        if !known.is_null() {
            return known.clone();
        }
    }
    let least = &property["minimum"];
    match property["type"].as_str() {
        Some("integer" | "number") if least.is_number() => least.clone(),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(false),
        Some("array") => {
            let count = usize::try_from(property["minItems"].as_u64().unwrap_or(0)).unwrap_or(0);
            Value::Array(vec![example(&property["items"]); count])
        }
        Some("object") => made(property, None),
        _ => json!(match mark(property) {
            "host" => HOST,
            "secret" => "not-a-real-secret-of-anybody",
            "duration" => "7d",
            "size" => "16 MiB",
            "template" => "{filename}",
            _ => "example",
        }),
    }
}

fn mark(property: &Value) -> &str {
    let mark = &property["x-cofferdam"];
    mark.as_str().or_else(|| mark[0].as_str()).unwrap_or_default()
}

/// Settings that do not fit the schema, each with words for what is wrong.
/// Folders are left alone: they are the console's to judge.
pub fn bad(schema: &Value, base: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut add = |what: String, settings: Value| {
        if !wrong(schema, &settings).is_empty() {
            all.push((what, settings));
        }
    };
    let required = schema["required"].as_array();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if mark(property) == "folder" {
            continue;
        }
        if required.into_iter().flatten().any(|it| it == name.as_str()) {
            let mut settings = base.clone();
            settings.as_object_mut().map(|fields| fields.remove(name));
            add(format!("without {name}"), settings);
        }
        for (what, value) in unfit(property) {
            let mut settings = base.clone();
            settings[name.as_str()] = value;
            add(format!("with {what} for {name}"), settings);
        }
    }
    all
}

/// Values that a property should not take.
fn unfit(property: &Value) -> Vec<(&'static str, Value)> {
    let mut values = vec![("an object", json!({ "wrong": true })), ("true", json!(true))];
    if property["enum"].is_array() {
        values.push(("an unknown choice", json!("no-such-choice")));
    }
    if let Some(least) = property["minimum"].as_i64() {
        values.push(("too small a number", json!(least.saturating_sub(1))));
    }
    if let Some(most) = property["maximum"].as_i64() {
        values.push(("too large a number", json!(most.saturating_add(1))));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["url", "to", "parts", "folder"],
            "properties": {
                "url": { "type": "string", "x-cofferdam": "host" },
                "to": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
                "parts": { "type": "integer", "minimum": 2, "maximum": 9 },
                "keep": { "type": "string", "enum": ["all", "none"], "default": "all" },
                "folder": { "type": "string", "x-cofferdam": "folder" },
            }
        })
    }

    #[test]
    fn made_settings_fit_the_schema() {
        let made = made(&schema(), Some(Path::new("/backups")));
        let wanted = json!({ "url": HOST, "to": ["example"], "parts": 2, "folder": "/backups", "keep": "all" });
        assert_eq!(made, wanted);
        assert!(wrong(&schema(), &made).is_empty());
    }

    #[test]
    fn every_kind_of_bad_setting_is_made_and_none_fits() {
        let bad = bad(&schema(), &made(&schema(), Some(Path::new("/backups"))));
        let words: Vec<&str> = bad.iter().map(|(what, _)| what.as_str()).collect();
        for what in [
            "without url",
            "with an object for to",
            "with true for parts",
            "with too small a number for parts",
            "with too large a number for parts",
            "with an unknown choice for keep",
        ] {
            assert!(words.contains(&what), "{what}: {words:?}");
        }
        assert!(!words.iter().any(|what| what.contains("folder")), "{words:?}");
        assert!(bad.iter().all(|(_, settings)| !wrong(&schema(), settings).is_empty()));
    }
}
