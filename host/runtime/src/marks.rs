//! The settings that a schema marks: with `"x-cofferdam": "secret"`, say.
//!
//! Marks are looked for in the properties of objects, at every depth, and in
//! conditional parts; a mark says something about the property with that name
//! wherever it stands in the schema.

use serde_json::{Map, Value};

/// Where a setting is: the names of properties, from the outermost on.
pub type Place = Vec<String>;

/// Schemas are not nested deeper than this.
const DEPTH: u32 = 8;

/// The settings that carry this mark.
#[must_use]
pub fn marked(schema: &Value, mark: &str) -> Vec<Place> {
    let mut found = Vec::new();
    walk(schema, mark, &mut Vec::new(), &mut found, DEPTH);
    found
}

fn walk(schema: &Value, mark: &str, at: &mut Place, found: &mut Vec<Place>, depth: u32) {
    if depth == 0 {
        return;
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        at.push(name.clone());
        let is_marked = match &property["x-cofferdam"] {
            Value::String(word) => word == mark,
            Value::Array(words) => words.iter().any(|word| word == mark),
            _ => false,
        };
        if is_marked && !found.contains(at) {
            found.push(at.clone());
        }
        walk(property, mark, at, found, depth - 1);
        at.pop();
    }
    for part in ["if", "then", "else"] {
        walk(&schema[part], mark, at, found, depth - 1);
    }
    for list in ["allOf", "anyOf", "oneOf"] {
        for part in schema[list].as_array().into_iter().flatten() {
            walk(part, mark, at, found, depth - 1);
        }
    }
    for part in schema["dependentSchemas"].as_object().into_iter().flat_map(Map::values) {
        walk(part, mark, at, found, depth - 1);
    }
}

/// A setting's value.
#[must_use]
pub fn at_place<'v>(settings: &'v Value, place: &[String]) -> Option<&'v Value> {
    place.iter().try_fold(settings, |value, name| value.get(name))
}
