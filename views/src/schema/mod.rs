//! A plugin's settings: the JSON Schema that it describes them with, read into
//! fields that a form can show, and what was posted read back into JSON.
//!
//! Known keywords (2020-12): `type` (string, number, integer, boolean, array of
//! strings), `enum`, `const`, `oneOf` of constants with titles, `title`,
//! `description`, `default`, `minimum`, `maximum`, `exclusiveMinimum`,
//! `exclusiveMaximum`, `minLength`, `maxLength`, `pattern`, `minItems`,
//! `maxItems`, `required`, `if`/`then`/`else` (also inside `allOf`) and
//! `dependentRequired`. A property that `then` or `else` names under
//! `properties` is shown only where that branch holds; one named under
//! `required` alone is always shown, and must be filled in there.
//!
//! The annotation `x-cofferdam`, a string or a list of strings, says what a
//! string is: `secret`, `host`, `folder`, `duration`, `size`, `template`,
//! `multiline`.
//!
//! Whatever else a schema says, reading it never fails: what is not understood
//! is a field that takes JSON as text.

mod check;
mod condition;
mod form;
mod place;
mod read;
mod shape;
mod value;

use serde_json::{Map, Value};

pub use check::Problem;
pub use condition::{Test, When};
pub use form::{Condition, Control, SettingsField, SettingsForm, Tick};
pub use shape::{Shape, TEMPLATE_PLACEHOLDERS, TemplateFacts, expand};
pub use value::Posted;

/// What stands before a property's name where a form posts it.
pub const PREFIX: &str = "s.";
/// Under this name a form posts the names of secrets whose stored value is to go.
pub const FORGET: &str = "forget";

/// The settings of a plugin, as fields in the order to show.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schema {
    fields: Vec<Field>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The property's key. Empty: the field holds all settings together, as JSON.
    pub name: String,
    /// What it is called: the schema's `title`, or words made from the key.
    pub label: String,
    /// The schema's `description`.
    pub hint: Option<String>,
    /// What it holds.
    pub kind: Kind,
    /// It must be filled in where one of these holds.
    pub required: Vec<When>,
    /// It is shown where one of these holds; always where there are none.
    pub shown: Vec<When>,
    /// What a new form begins with, and what the plugin takes where it is left out.
    pub default: Option<Value>,
    /// What else its value must fit.
    pub limits: Limits,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A string.
    Text(Shape),
    /// A string that is never shown again.
    Secret {
        /// Whether it may have several lines: a key in PEM.
        lines: bool,
    },
    /// A number.
    Number {
        /// Whether it has no fraction.
        whole: bool,
    },
    /// True or false.
    Switch,
    /// One of these.
    Choice(Vec<Choice>),
    /// Strings, one per line.
    Lines,
    /// Some of these.
    Ticks(Vec<Choice>),
    /// Anything, written as JSON.
    Json,
}

/// A value to choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The value itself.
    pub value: Value,
    /// The same as a form posts it.
    pub text: String,
    /// What it is called.
    pub label: String,
}

/// What a value must fit besides its type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limits {
    /// No smaller number, and whether it is too small itself.
    pub least: Option<(f64, bool)>,
    /// No larger number, and whether it is too large itself.
    pub most: Option<(f64, bool)>,
    /// No fewer characters, or entries of a list.
    pub shortest: Option<u64>,
    /// No more characters, or entries of a list.
    pub longest: Option<u64>,
    /// A regular expression that is found in the text.
    pub pattern: Option<String>,
}

impl Schema {
    /// Its fields.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The names of the settings that are kept secret.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let secret = |field: &&Field| matches!(field.kind, Kind::Secret { .. });
        self.fields.iter().filter(secret).map(|field| field.name.as_str())
    }

    /// The hosts that these settings name: URLs, `host` or `host:port`, as written.
    #[must_use]
    pub fn hosts<'a>(&self, settings: &'a Map<String, Value>) -> Vec<&'a str> {
        let host = |field: &&Field| field.kind == Kind::Text(Shape::Host);
        let named = self.fields.iter().filter(host).filter_map(|field| settings.get(&field.name));
        named.filter_map(Value::as_str).collect()
    }

    /// Label and text of each setting that is filled in, without secrets: for reading.
    #[must_use]
    pub fn summary(&self, settings: &Map<String, Value>) -> Vec<(String, String)> {
        let visible = self.visible(settings);
        let fields = self.fields.iter().zip(visible).filter(|(_, shown)| *shown);
        let mut lines = Vec::new();
        for (field, _) in fields {
            let value = if field.name.is_empty() {
                Some(Value::Object(settings.clone()))
            } else {
                settings.get(&field.name).cloned()
            };
            let Some(value) = value else { continue };
            let words = field.words(&value);
            if !matches!(field.kind, Kind::Secret { .. }) && !words.is_empty() {
                lines.push((field.label.clone(), words));
            }
        }
        lines
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    /// The name under which a form posts it.
    #[must_use]
    pub fn posted_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }
}

#[cfg(test)]
mod tests;
