//! What a component says of itself, checked.

use jsonschema::PatternOptions;
use semver::Version;
use serde_json::Value;

use crate::{
    Refusal,
    bindings::exported::plugin::{Description as Said, Grants},
    marks::{self, MARK},
    text::clean,
};

/// What a component says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Its short name: `[a-z0-9-]{1,40}`.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its version, as in Semantic Versioning.
    pub version: Version,
    /// What it does, in one sentence.
    pub summary: String,
    /// Who made it.
    pub author: String,
    /// A page about it: `https://…`.
    pub homepage: Option<String>,
    /// A JSON Schema of its settings, which has the type object. It has been
    /// compiled once and so is a valid one.
    pub settings_schema: Value,
    /// What can be granted to it.
    pub grants: GrantKinds,
}

/// The kinds of grants that a component wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GrantKinds {
    /// Connections to hosts.
    pub network: bool,
    /// One folder.
    pub folder: bool,
    /// Mail through the console's relay.
    pub mail: bool,
}

pub(crate) const SCHEMA: usize = 64 << 10;
/// Regular expressions of one schema, and the memory of each once it is compiled.
const PATTERNS: usize = 100;
const PATTERN: usize = 256 << 10;
/// What would let a small schema take for ever, or hide a marked setting.
const REFERENCES: [&str; 8] = [
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "$defs",
    "definitions",
    "patternProperties",
    // Nested in each other, each doubles the work of the one around it.
    "unevaluatedProperties",
    "unevaluatedItems",
];
/// The longest version.
const VERSION: usize = 64;

type Checked<T> = Result<T, Refusal>;

fn wrong<T>(field: &'static str, message: impl Into<String>) -> Checked<T> {
    Err(Refusal::Description { field, message: message.into() })
}

impl Description {
    pub(crate) fn check(said: Said) -> Checked<Self> {
        let id_fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=40).contains(&said.id.len()) || !said.id.chars().all(id_fits) {
            return wrong("id", "1 to 40 of the characters a-z, 0-9 and - are allowed");
        }
        let short = Some(&said.version).filter(|it| it.len() <= VERSION);
        let Some(version) = short.and_then(|it| Version::parse(it).ok()) else {
            let rule =
                format!("it is not a version such as 1.2.0, of at most {VERSION} characters");
            return wrong("version", rule);
        };
        Ok(Self {
            id: said.id,
            name: line("name", said.name, 1, 60)?,
            version,
            summary: line("summary", said.summary, 1, 300)?,
            author: line("author", said.author, 0, 100)?,
            homepage: said.homepage.map(homepage).transpose()?,
            settings_schema: schema(&said.settings_schema)?,
            grants: GrantKinds {
                network: said.grants.contains(Grants::NETWORK),
                folder: said.grants.contains(Grants::FOLDER),
                mail: said.grants.contains(Grants::MAIL),
            },
        })
    }
}

fn line(field: &'static str, text: String, least: usize, most: usize) -> Checked<String> {
    let count = text.chars().count();
    if count < least || count > most || clean(&text, usize::MAX, false) != text {
        return wrong(field, format!("one line of {least} to {most} characters is allowed"));
    }
    Ok(text)
}

fn homepage(text: String) -> Checked<String> {
    let text = line("homepage", text, 1, 300)?;
    let https = text.parse::<http::Uri>().is_ok_and(|uri| {
        uri.scheme() == Some(&http::uri::Scheme::HTTPS)
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
    });
    if https {
        Ok(text)
    } else {
        wrong("homepage", "it is not an address that begins with https://")
    }
}

fn schema(text: &str) -> Checked<Value> {
    const FIELD: &str = "settings-schema";
    if text.len() > SCHEMA {
        return wrong(FIELD, format!("it has more than {SCHEMA} bytes"));
    }
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return wrong(FIELD, format!("it is not JSON: {error}")),
    };
    if value.get("type").and_then(Value::as_str) != Some("object") {
        return wrong(FIELD, "it is not the schema of an object: \"type\": \"object\" is missing");
    }
    let mut found = Found::default();
    found.look(&value);
    if let Some(word) = found.reference {
        return wrong(
            FIELD,
            format!("it uses {word}, and a form needs every setting in its place"),
        );
    }
    if found.patterns > PATTERNS {
        return wrong(FIELD, format!("it has more than {PATTERNS} patterns"));
    }
    let reached = marks::properties(&value);
    let fit = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_name = |it: &String| (1..=60).contains(&it.len()) && it.chars().all(fit);
    if let Some(name) = reached.iter().flat_map(|(place, _)| place).find(|it| !is_name(it)) {
        let name = clean(name, 60, false);
        let rule = "1 to 60 letters, digits, _ and -";
        return wrong(FIELD, format!("the setting {name:?} has a name that is not {rule}"));
    }
    if found.marks > reached.iter().filter(|(_, it)| it.get(MARK).is_some()).count() {
        let rule = "properties, if, then, else, allOf, anyOf, oneOf and dependentSchemas";
        return wrong(
            FIELD,
            format!("{MARK} stands where no form looks for it: below {rule} only"),
        );
    }
    match validator(&value) {
        Ok(_) => Ok(value),
        Err(error) => wrong(
            FIELD,
            format!("it is not a JSON Schema: {}", clean(&error.to_string(), 300, false)),
        ),
    }
}

/// The validator of a settings schema. Nothing is fetched, and no pattern takes
/// more than linear time.
///
/// # Errors
/// If it is not a JSON Schema (2020-12), or has a pattern that is too large.
pub fn validator(
    schema: &Value,
) -> Result<jsonschema::Validator, jsonschema::ValidationError<'static>> {
    let patterns = PatternOptions::regex().size_limit(PATTERN);
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_pattern_options(patterns)
        .build(schema)
}

/// What stands anywhere in a schema.
#[derive(Default)]
struct Found {
    reference: Option<&'static str>,
    patterns: usize,
    marks: usize,
}

impl Found {
    fn look(&mut self, schema: &Value) {
        match schema {
            Value::Object(members) => {
                for (name, value) in members {
                    self.reference = self
                        .reference
                        .or_else(|| REFERENCES.iter().find(|it| *it == name).copied());
                    self.patterns += usize::from(name == "pattern");
                    self.marks += usize::from(name == MARK);
                    // Below these are names or data of the author's own.
                    match (name.as_str(), value) {
                        ("properties" | "dependentSchemas", Value::Object(own)) => {
                            own.values().for_each(|it| self.look(it));
                        }
                        ("const" | "default" | "enum" | "examples", _) => {}
                        _ => self.look(value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|it| self.look(it)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Said {
        Said {
            id: "s3".to_owned(),
            name: "S3".to_owned(),
            version: "1.0.0".to_owned(),
            summary: "Keeps backups in a bucket.".to_owned(),
            author: "Cofferdam".to_owned(),
            homepage: Some("https://example.org/s3".to_owned()),
            settings_schema: r#"{"type":"object","properties":{"bucket":{"type":"string"}}}"#
                .to_owned(),
            grants: Grants::NETWORK,
        }
    }

    fn field(change: impl FnOnce(&mut Said)) -> &'static str {
        let mut said = said();
        change(&mut said);
        match Description::check(said) {
            Err(Refusal::Description { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_right_description_is_taken() {
        let description = Description::check(said()).expect("it is right");
        assert!(description.grants.network && !description.grants.folder);
    }

    #[test]
    fn each_part_that_is_wrong_is_named() {
        assert_eq!(field(|said| said.id = "S3".to_owned()), "id");
        assert_eq!(field(|said| said.id = String::new()), "id");
        assert_eq!(field(|said| said.name = "a\u{202e}b".to_owned()), "name");
        assert_eq!(field(|said| said.version = "1.0".to_owned()), "version");
        assert_eq!(field(|said| said.summary = "a\nb".to_owned()), "summary");
        assert_eq!(field(|said| said.author = "x".repeat(101)), "author");
        for homepage in ["http://example.org", "javascript:alert(1)", "https://a@b.org"] {
            assert_eq!(field(|said| said.homepage = Some(homepage.to_owned())), "homepage");
        }
        for schema in [
            "",
            "true",
            "[]",
            r#"{"type":"string"}"#,
            r#"{"type":"object","required":3}"#,
            r#"{"type":"object","$ref":"https://example.org/x.json"}"#,
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/x"}}}"##,
            r#"{"type":"object","properties":{"a.b":{"type":"string"}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string","pattern":"(a{1000}){1000}"}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"array","items":{"x-cofferdam":"secret"}}}}"#,
        ] {
            assert_eq!(
                field(|said| said.settings_schema = schema.to_owned()),
                "settings-schema",
                "{schema}"
            );
        }
    }
}
