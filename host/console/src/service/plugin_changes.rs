//! What differs between two versions of a plugin, for who approves the next.

use std::collections::BTreeMap;

use cofferdam_catalog::Component;
use serde_json::Value;

use crate::dto;

/// What is different from a version that was approved, each as a sentence
/// without a full stop.
pub fn of(now: &dto::PluginAbout, before: &Component) -> Vec<String> {
    let Ok(old) = serde_json::from_value::<dto::PluginAbout>(before.seen.description.clone())
    else {
        return Vec::new();
    };
    let mut changes = Vec::new();
    if now.version == old.version {
        changes.push(format!("its file is another one, under the same version {}", now.version));
    } else {
        changes.push(format!("version {} instead of {}", now.version, old.version));
    }
    if now.name != old.name {
        changes.push(format!("it is called {:?} instead of {:?}", now.name, old.name));
    }
    if now.author != old.author {
        changes.push(format!("made by {:?} instead of {:?}", now.author, old.author));
    }
    compare(&mut changes, "it asks for", &words(&now.asks), &words(&old.asks));
    compare(&mut changes, "it is", &words(&now.roles), &words(&old.roles));
    let imports = |about: &dto::PluginAbout| {
        about.imports.iter().map(|it| (it.words.clone(), Value::Null)).collect()
    };
    compare(&mut changes, "it can use", &imports(now), &imports(&old));
    let (new_settings, old_settings) =
        (settings(&now.settings_schema), settings(&old.settings_schema));
    compare(&mut changes, "its settings", &new_settings, &old_settings);
    if now.settings_schema != old.settings_schema && new_settings == old_settings {
        changes.push("its settings hang together otherwise".to_owned());
    }
    changes
}

fn words(list: &[String]) -> BTreeMap<String, Value> {
    list.iter().map(|word| (word.clone(), Value::Null)).collect()
}

/// Says what came, what went, and what is there in another way.
fn compare(
    changes: &mut Vec<String>,
    what: &str,
    now: &BTreeMap<String, Value>,
    old: &BTreeMap<String, Value>,
) {
    let mut tell = |how: &str, names: Vec<&str>| {
        if !names.is_empty() {
            changes.push(format!("{what} {how}: {}", names.join(", ")));
        }
    };
    let only = |one: &BTreeMap<String, Value>, other: &BTreeMap<String, Value>| {
        one.keys().filter(|name| !other.contains_key(*name)).cloned().collect::<Vec<_>>()
    };
    let (more, less) = (only(now, old), only(old, now));
    tell("now", more.iter().map(String::as_str).collect());
    tell("no longer", less.iter().map(String::as_str).collect());
    let differ = now.iter().filter(|(name, value)| old.get(*name).is_some_and(|it| it != *value));
    tell("otherwise", differ.map(|(name, _)| name.as_str()).collect());
}

/// What a schema says of each setting, by their names, in conditional parts too.
fn settings(schema: &Value) -> BTreeMap<String, Value> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (place, property) in cofferdam_runtime::properties(schema) {
        found.entry(place.join(".")).or_default().push(property.clone());
    }
    found.into_iter().map(|(name, said)| (name, Value::Array(said))).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use cofferdam_catalog::NewComponent;
    use cofferdam_model::{ComponentHash, Grants};
    use serde_json::json;

    use super::*;

    fn about(version: &str, asks: &[&str], words: &[&str], schema: Value) -> dto::PluginAbout {
        dto::PluginAbout {
            id: "x".into(),
            name: "X".into(),
            version: version.into(),
            summary: String::new(),
            author: "Anna".into(),
            homepage: None,
            roles: vec!["storage".into()],
            asks: asks.iter().map(|it| (*it).to_owned()).collect(),
            imports: words
                .iter()
                .map(|it| dto::PluginImport { name: "a:b/c".into(), words: (*it).into() })
                .collect(),
            settings_schema: schema,
        }
    }

    fn approved(about: &dto::PluginAbout) -> Component {
        Component {
            seen: NewComponent {
                hash: ComponentHash::from_bytes(&[1; 32]),
                plugin: "x".parse().expect("an id"),
                name: "X".into(),
                version: about.version.clone(),
                description: serde_json::to_value(about).expect("JSON"),
                file: "x.wasm".into(),
                bundled: false,
            },
            first_seen_at: DateTime::UNIX_EPOCH,
            approved: None,
            grants: Grants::default(),
        }
    }

    #[test]
    fn everything_that_somebody_should_look_at_is_named() {
        let old = about(
            "1.0.0",
            &["network"],
            &["The time"],
            json!({ "properties": { "url": {}, "old": {}, "size": { "maximum": 1 } } }),
        );
        let new = about(
            "1.1.0",
            &["network", "folder"],
            &["The time", "Files"],
            json!({ "properties": { "url": {}, "size": { "maximum": 2 } },
                "allOf": [{ "then": { "properties": { "extra": {} } } }] }),
        );
        assert_eq!(
            of(&new, &approved(&old)),
            [
                "version 1.1.0 instead of 1.0.0",
                "it asks for now: folder",
                "it can use now: Files",
                "its settings now: extra",
                "its settings no longer: old",
                "its settings otherwise: size",
            ]
        );
    }

    #[test]
    fn another_file_under_the_same_version_says_so() {
        let same = about("1.0.0", &[], &[], json!({ "properties": { "a": {} } }));
        let told = of(&same, &approved(&same));
        assert_eq!(told, ["its file is another one, under the same version 1.0.0"]);
        let schema = json!({ "properties": { "a": {} }, "required": ["a"] });
        let other = about("1.0.0", &[], &[], schema);
        assert_eq!(of(&other, &approved(&same))[1], "its settings hang together otherwise");
    }
}
