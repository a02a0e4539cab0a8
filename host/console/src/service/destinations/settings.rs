//! The settings of a destination against its plugin's JSON Schema: which of
//! them are secret or name hosts, whether they fit, and keeping secrets apart.
//!
//! A property is marked with the keyword `x-cofferdam` (see `wit/README.md`).

use cofferdam_model::Secret;
use cofferdam_runtime::marked_and_used;
pub use cofferdam_runtime::{Place, at_place as get, marked, properties, words};
use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::{Map, Value};

use crate::service::FieldError;

/// Settings of one destination may take so many bytes as JSON.
pub const SETTINGS_MAX: usize = 32 << 10;
/// More wrong settings than this are not told at once.
const WRONG_MAX: usize = 20;

/// Takes a setting out.
pub fn take(settings: &mut Value, place: &[String]) -> Option<Value> {
    let (last, outer) = place.split_last()?;
    let object = outer.iter().try_fold(settings, |value, name| value.get_mut(name))?;
    object.as_object_mut()?.remove(last)
}

/// Puts a setting in, and the objects around it where they are missing.
pub fn put(settings: &mut Value, place: &[String], value: Value) {
    let Some((last, outer)) = place.split_last() else { return };
    let mut object = settings;
    for name in outer {
        let Some(fields) = object.as_object_mut() else { return };
        object = fields.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
    }
    if let Some(fields) = object.as_object_mut() {
        fields.insert(last.clone(), value);
    }
}

/// A place as forms, JSON and errors name it: `auth.token`.
pub fn dotted(place: &[String]) -> String {
    place.join(".")
}

fn is_blank(value: &Value) -> bool {
    matches!(value, Value::Null) || value.as_str().is_some_and(str::is_empty)
}

/// Settings with their secrets apart.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Without secrets.
    pub clear: Value,
    /// The secrets, as a JSON object from places to values; nothing where there are none.
    pub secret: Option<Secret>,
}

/// Takes the secrets out.
pub fn split(schema: &Value, mut settings: Value) -> Parts {
    let mut secrets = Map::new();
    for place in marked(schema, "secret") {
        if let Some(value) = take(&mut settings, &place).filter(|value| !is_blank(value)) {
            secrets.insert(dotted(&place), value);
        }
    }
    let secret = (!secrets.is_empty()).then(|| Secret::new(Value::Object(secrets).to_string()));
    Parts { clear: settings, secret }
}

/// The reverse of [`split`]. Also secrets that the schema of a later version no
/// longer marks find their place again.
pub fn join(parts: Parts) -> Value {
    let mut settings = parts.clear;
    for (place, value) in secrets(parts.secret.as_ref()) {
        let place: Place = place.split('.').map(str::to_owned).collect();
        put(&mut settings, &place, value);
    }
    settings
}

/// The stored secrets by their places.
pub fn secrets(secret: Option<&Secret>) -> Map<String, Value> {
    secret.and_then(|it| serde_json::from_str(it.expose()).ok()).unwrap_or_default()
}

/// New settings over the stored ones: a secret that is missing or blank keeps
/// its stored value, unless it is among those to `forget`. One that would go to
/// another host than before must be typed again: who does not know it must not
/// have it sent to a host of theirs.
pub fn keep_secrets(
    schema: &Value,
    mut new: Value,
    old: &Value,
    forget: &[Place],
) -> Result<Value, Vec<FieldError>> {
    let hosts = marked(schema, "host");
    let moved = hosts.iter().any(|place| get(&new, place) != get(old, place));
    let mut wrong = Vec::new();
    // One that has no use any more is not kept: nobody could see or remove it.
    for place in marked_and_used(schema, &new, "secret") {
        let typed = get(&new, &place).is_some_and(|value| !is_blank(value));
        let stored = get(old, &place).filter(|value| !is_blank(value) && !forget.contains(&place));
        if let (false, Some(stored)) = (typed, stored) {
            put(&mut new, &place, stored.clone());
            if moved {
                let text = "type it again, since the host is another one";
                wrong.push(FieldError::new(field(&dotted(&place)), text));
            }
        }
    }
    if wrong.is_empty() { Ok(new) } else { Err(wrong) }
}

/// The secrets that are given as `null`: what is stored of them goes.
pub fn forgotten(schema: &Value, settings: &Value) -> Vec<Place> {
    let mut places = marked(schema, "secret");
    places.retain(|place| get(settings, place).is_some_and(Value::is_null));
    places
}

/// Fills in what the schema says of settings that were left out, and takes out
/// blank ones that it does not require: a form sends every field.
pub fn complete(schema: &Value, settings: &mut Value) {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(fields) = settings.as_object_mut() else { return };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let blank = fields.get(name).is_none_or(is_blank);
        if !blank {
            continue;
        }
        match property.get("default") {
            Some(default) => {
                fields.insert(name.clone(), default.clone());
            }
            None if !required.contains(&name.as_str()) => {
                fields.remove(name);
            }
            // What is given as nothing is missing.
            None if fields.get(name).is_some_and(Value::is_null) => {
                fields.remove(name);
            }
            None => {}
        }
    }
}

/// The name of a setting among the fields of a destination.
pub(super) fn field(place: &str) -> String {
    if place.is_empty() { "settings".to_owned() } else { format!("settings.{place}") }
}

/// A JSON pointer, as plugins and validators name settings, as a field.
pub fn field_of_pointer(pointer: &str) -> String {
    let parts = pointer.split('/').skip(1).map(|it| it.replace("~1", "/").replace("~0", "~"));
    field(&parts.collect::<Vec<_>>().join("."))
}

/// Everything in which the settings do not fit the schema. No value is
/// repeated: it may be a secret.
pub fn wrong(schema: &Value, settings: &Value) -> Vec<FieldError> {
    let Ok(validator) = cofferdam_runtime::settings_validator(schema) else {
        return vec![FieldError::new("settings", "the plugin's schema cannot be used")];
    };
    let errors = validator.iter_errors(settings).take(WRONG_MAX);
    let mut wrong: Vec<FieldError> = errors.map(|error| told(schema, &error)).collect();
    wrong.dedup();
    wrong
}

fn told(schema: &Value, error: &ValidationError<'_>) -> FieldError {
    let pointer = error.instance_path().to_string();
    let at = |pointer: &str| field_of_pointer(pointer);
    let limit = |value: &Value| value.to_string();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            FieldError::new(at(&format!("{pointer}/{name}")), "this is needed")
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let name = unexpected.first().map_or("", String::as_str);
            FieldError::new(at(&format!("{pointer}/{name}")), "the plugin has no such setting")
        }
        kind => {
            let text = match kind {
                ValidationErrorKind::Type { .. } => "this has the wrong type".to_owned(),
                ValidationErrorKind::Enum { options } => {
                    let words = options.as_array().into_iter().flatten();
                    let words: Vec<String> = words
                        .map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned))
                        .collect();
                    format!("this is none of {}", words.join(", "))
                }
                ValidationErrorKind::MinLength { limit: 1 } => "this is needed".to_owned(),
                ValidationErrorKind::MinLength { limit } => format!("at least {limit} characters"),
                ValidationErrorKind::MaxLength { limit } => format!("at most {limit} characters"),
                ValidationErrorKind::Minimum { limit: it } => format!("at least {}", limit(it)),
                ValidationErrorKind::Maximum { limit: it } => format!("at most {}", limit(it)),
                ValidationErrorKind::MinItems { limit } => format!("at least {limit} entries"),
                ValidationErrorKind::MaxItems { limit } => format!("at most {limit} entries"),
                ValidationErrorKind::Format { format } => format!("this is not a {format}"),
                ValidationErrorKind::Pattern { .. } => hint(schema, &pointer)
                    .unwrap_or_else(|| "this is not written as it should be".to_owned()),
                _ => one_of(schema, &pointer).unwrap_or_else(|| "this does not fit".to_owned()),
            };
            FieldError::new(at(&pointer), text)
        }
    }
}

/// The values to choose from, where the schema gives each a title.
fn one_of(schema: &Value, pointer: &str) -> Option<String> {
    let options = schema["properties"][pointer.split('/').nth(1)?]["oneOf"].as_array()?;
    let words: Option<Vec<&str>> = options.iter().map(|it| it["const"].as_str()).collect();
    Some(format!("this is none of {}", words?.join(", ")))
}

/// What the schema itself says about a setting that is written wrongly.
fn hint(schema: &Value, pointer: &str) -> Option<String> {
    let name = pointer.split('/').nth(1)?;
    let described = schema["properties"][name]["description"].as_str()?;
    Some(format!("this is not written as it should be: {described}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["endpoint", "bucket"],
            "additionalProperties": false,
            "properties": {
                "endpoint": { "type": "string", "x-cofferdam": "host" },
                "bucket": { "type": "string", "pattern": "^[a-z]+$", "description": "lower-case letters" },
                "key": { "type": "string", "x-cofferdam": "secret" },
                "parts": { "type": "integer", "minimum": 1, "maximum": 9, "default": 4 },
                "auth": { "type": "object", "properties": {
                    "token": { "type": "string", "x-cofferdam": ["secret"] } } },
            },
            "if": { "properties": { "bucket": { "const": "x" } } },
            "then": { "properties": { "pin": { "x-cofferdam": "secret" } } },
        })
    }

    #[test]
    fn marks_are_found_at_every_depth_and_in_conditional_parts() {
        let places: Vec<_> = marked(&schema(), "secret").iter().map(|it| dotted(it)).collect();
        assert_eq!(places, ["key", "auth.token", "pin"]);
    }

    #[test]
    fn secrets_are_taken_out_and_find_their_places_again() {
        let whole = json!({ "endpoint": "https://a.example", "bucket": "x", "key": "canary",
            "auth": { "token": "t", "user": "u" } });
        let parts = split(&schema(), whole.clone());
        assert!(!parts.clear.to_string().contains("canary"));
        assert_eq!(parts.clear["auth"], json!({ "user": "u" }));
        assert_eq!(join(parts), whole);
    }

    #[test]
    fn a_blank_secret_is_kept_but_not_sent_to_another_host() {
        let old = json!({ "endpoint": "https://a.example", "bucket": "x", "key": "canary" });
        let new = json!({ "endpoint": "https://a.example", "bucket": "y", "key": "" });
        let kept = keep_secrets(&schema(), new, &old, &[]).expect("the host is the same");
        assert_eq!((&kept["key"], &kept["bucket"]), (&json!("canary"), &json!("y")));
        let moved = json!({ "endpoint": "https://evil.example", "bucket": "y" });
        let refused = keep_secrets(&schema(), moved, &old, &[]).expect_err("another host");
        assert_eq!(refused[0].field, "settings.key");
        let typed = json!({ "endpoint": "https://evil.example", "bucket": "y", "key": "new" });
        assert!(keep_secrets(&schema(), typed, &old, &[]).is_ok());
    }

    #[test]
    fn a_secret_given_as_null_goes_also_with_another_host() {
        let old =
            json!({ "endpoint": "https://a.example", "key": "canary", "auth": { "token": "t" } });
        let new =
            json!({ "endpoint": "https://b.example", "key": null, "auth": { "token": null } });
        let forget = forgotten(&schema(), &new);
        assert_eq!(forget.iter().map(|it| dotted(it)).collect::<Vec<_>>(), ["key", "auth.token"]);
        let left = keep_secrets(&schema(), new, &old, &forget).expect("nothing is sent anywhere");
        assert!(!left.to_string().contains("canary"));
    }

    #[test]
    fn every_setting_that_does_not_fit_is_named_without_its_value() {
        let mut settings = json!({ "bucket": "CANARY", "parts": 12, "colour": "canary" });
        complete(&schema(), &mut settings);
        let wrong = wrong(&schema(), &settings);
        let mut told: Vec<_> =
            wrong.iter().map(|it| (it.field.as_ref(), it.message.as_str())).collect();
        told.sort_unstable();
        assert_eq!(
            told,
            [
                ("settings.bucket", "this is not written as it should be: lower-case letters"),
                ("settings.colour", "the plugin has no such setting"),
                ("settings.endpoint", "this is needed"),
                ("settings.parts", "at most 9"),
            ]
        );
    }

    #[test]
    fn defaults_are_filled_in_and_blank_fields_of_a_form_left_out() {
        let mut settings = json!({ "endpoint": "", "parts": null, "key": "" });
        complete(&schema(), &mut settings);
        assert_eq!(settings, json!({ "endpoint": "", "parts": 4 }));
    }
}
