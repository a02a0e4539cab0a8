//! A plugin for the tests: its form has every kind of field, its check repeats
//! what it was given, and as a policy without a place it lets nothing go.

use cofferdam_plugin::{
    Candidate, Description, Expired, Failure, Plugin, Result, Retention, time::Timestamp,
};
use serde_json::{Value, json};

/// The plugin.
#[derive(Debug)]
pub struct AllFields;

cofferdam_plugin::retention!(AllFields);

impl Plugin for AllFields {
    type Settings = Value;

    fn describe() -> Description {
        Description {
            id: "all-fields",
            name: "All fields",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Shows every kind of field that a form can have.",
            author: "Cofferdam",
            homepage: Some("https://example.org/all-fields"),
            settings: schema(),
            grants: &[],
        }
    }

    /// Refuses the name `refused` at its field, and repeats anything else: each
    /// setting with its value, secrets as how long they are.
    fn check(settings: Value) -> Result<String> {
        if settings["name"] == "refused" {
            return Err(Failure::setting("name", "this name is taken on the other side"));
        }
        if settings["name"] == "later" {
            return Err(Failure::temporary("the other side is busy"));
        }
        let fields = settings.as_object().into_iter().flatten();
        let told = fields.map(|(name, value)| match (name.as_str(), value.as_str()) {
            ("token" | "key", Some(secret)) => format!("{name} has {} characters", secret.len()),
            _ => format!("{name} is {value}"),
        });
        Ok(told.collect::<Vec<_>>().join(", "))
    }
}

impl Retention for AllFields {
    fn select(_: Value, _: Timestamp, _: &[Candidate]) -> Result<Vec<Expired>> {
        Ok(Vec::new())
    }
}

fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["name", "service"],
        "properties": {
            "name": { "type": "string", "title": "Name", "minLength": 2,
                "description": "How the other side calls it." },
            "parts": { "type": "integer", "title": "Parts at once", "minimum": 1, "maximum": 9, "default": 4 },
            "ratio": { "type": "number", "title": "Ratio", "exclusiveMinimum": 0 },
            "lock": { "type": "boolean", "title": "Lock what is stored", "default": true },
            "class": { "type": "string", "title": "Storage class", "enum": ["hot", "cold"], "default": "hot" },
            "labels": { "type": "array", "title": "Labels", "items": { "type": "string" }, "maxItems": 3 },
            "days": { "type": "array", "title": "Days", "uniqueItems": true,
                "items": { "enum": ["monday", "tuesday", "friday"] }, "default": ["friday"] },
            "wait": { "type": "string", "title": "Wait", "x-cofferdam": "duration", "default": "30s" },
            "chunk": { "type": "string", "title": "Chunk", "x-cofferdam": "size", "default": "64 MiB" },
            "path": { "type": "string", "title": "Path", "x-cofferdam": "template",
                "default": "{database}/{yyyy}/{filename}" },
            "note": { "type": "string", "title": "Note", "x-cofferdam": "multiline" },
            "extra": { "type": "object", "title": "Extra", "description": "Any JSON object." },
            "token": { "type": "string", "title": "Token", "x-cofferdam": "secret" },
            "service": { "title": "Service", "oneOf": [
                { "const": "cloud", "title": "The cloud" }, { "const": "own", "title": "Own machine" } ] }
        },
        "allOf": [
            { "if": { "properties": { "service": { "const": "cloud" } }, "required": ["service"] },
              "then": { "required": ["region"], "properties": {
                "region": { "type": "string", "title": "Region" } } } },
            { "if": { "properties": { "service": { "const": "own" } }, "required": ["service"] },
              "then": { "properties": {
                "key": { "type": "string", "title": "Key of the machine", "x-cofferdam": ["secret", "multiline"] } } } }
        ]
    })
}
