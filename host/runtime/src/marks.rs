//! The settings that a schema speaks of, and its marks on them: with
//! `"x-cofferdam": "secret"`, say.
//!
//! They are looked for in the properties of objects, at every depth, and in
//! conditional parts; a mark says something about the property with that name
//! wherever it stands in the schema.

use serde_json::Value;

/// Where a setting is: the names of properties, from the outermost on.
pub type Place = Vec<String>;

/// The keyword.
pub(crate) const MARK: &str = "x-cofferdam";
/// Schemas are not nested deeper than this.
const DEPTH: u32 = 8;

/// The settings that carry this mark.
#[must_use]
pub fn marked(schema: &Value, mark: &str) -> Vec<Place> {
    with_mark(properties(schema), mark)
}

/// The settings that carry this mark and that these settings have a use for:
/// what stands in a conditional part counts where its condition holds.
#[must_use]
pub fn marked_and_used(schema: &Value, settings: &Value, mark: &str) -> Vec<Place> {
    let mut found = Vec::new();
    walk(schema, Some(settings), &mut Vec::new(), &mut found, DEPTH);
    with_mark(found, mark)
}

fn with_mark(properties: Vec<(Place, &Value)>, mark: &str) -> Vec<Place> {
    let mut found = Vec::new();
    for (place, property) in properties {
        if words(&property[MARK]).contains(&mark) && !found.contains(&place) {
            found.push(place);
        }
    }
    found
}

/// The words of a mark: one, or a list of them.
#[must_use]
pub fn words(mark: &Value) -> Vec<&str> {
    match mark {
        Value::String(word) => vec![word],
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Every property, with its place; one that several parts of the schema speak
/// of is there several times.
#[must_use]
pub fn properties(schema: &Value) -> Vec<(Place, &Value)> {
    let mut found = Vec::new();
    walk(schema, None, &mut Vec::new(), &mut found, DEPTH);
    found
}

/// Walks through all parts, or through those whose condition these settings meet.
fn walk<'s>(
    schema: &'s Value,
    settings: Option<&Value>,
    at: &mut Place,
    found: &mut Vec<(Place, &'s Value)>,
    depth: u32,
) {
    if depth == 0 {
        return;
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        at.push(name.clone());
        found.push((at.clone(), property));
        let inner = settings.map(|it| &it[name.as_str()]);
        walk(property, inner, at, found, depth - 1);
        at.pop();
    }
    let parts: &[&str] = match (schema.get("if"), settings) {
        (Some(condition), Some(settings)) if is_met(condition, settings) => &["if", "then"],
        (Some(_), Some(_)) => &["else"],
        _ => &["if", "then", "else"],
    };
    for part in parts {
        walk(&schema[*part], settings, at, found, depth - 1);
    }
    for list in ["allOf", "anyOf", "oneOf"] {
        for part in schema[list].as_array().into_iter().flatten() {
            walk(part, settings, at, found, depth - 1);
        }
    }
    for (name, part) in schema["dependentSchemas"].as_object().into_iter().flatten() {
        if settings.is_none_or(|it| it.get(name).is_some()) {
            walk(part, settings, at, found, depth - 1);
        }
    }
}

fn is_met(condition: &Value, settings: &Value) -> bool {
    crate::description::validator(condition).is_ok_and(|it| it.is_valid(settings))
}

/// A setting's value.
#[must_use]
pub fn at_place<'v>(settings: &'v Value, place: &[String]) -> Option<&'v Value> {
    place.iter().try_fold(settings, |value, name| value.get(name))
}
