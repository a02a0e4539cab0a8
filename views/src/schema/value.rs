//! Between JSON and what a form posts, which is text.

use serde_json::{Map, Number, Value};

use super::{Choice, FORGET, Field, Kind, PREFIX, Problem, Schema, SettingsForm, Shape};

/// What came back from a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    /// The settings, typed by the schema; without what was left empty, and
    /// without fields that these very settings hide.
    pub settings: Map<String, Value>,
    /// Secrets that were left empty: what is stored stays.
    pub keep: Vec<String>,
    /// Secrets that were left empty, and whose stored value is to go.
    pub forget: Vec<String>,
    /// What is wrong. The settings fit the schema where this is empty.
    pub problems: Vec<Problem>,
    /// The form again, as it was typed and with the problems beside the fields.
    pub form: SettingsForm,
}

/// What one field was posted with.
pub(super) enum Read {
    Value(Value),
    Nothing,
    Wrong(String),
}

impl Schema {
    /// Reads a posted form. `stored` names the secrets that are kept already.
    #[must_use]
    pub fn posted(&self, pairs: &[(String, String)], stored: &[&str]) -> Posted {
        let mut settings = Map::new();
        let (mut keep, mut forget) = (Vec::new(), Vec::new());
        let mut unread = Vec::new();
        for field in &self.fields {
            match field.read(&field.texts(pairs)) {
                Read::Value(Value::Object(whole)) if field.name.is_empty() => settings = whole,
                Read::Value(value) => {
                    settings.insert(field.name.clone(), value);
                }
                Read::Nothing => {
                    let secret = matches!(field.kind, Kind::Secret { .. });
                    if secret && stored.contains(&field.name.as_str()) {
                        let goes = |(name, text): &(String, String)| {
                            name == FORGET && *text == field.posted_name()
                        };
                        let list = if pairs.iter().any(goes) { &mut forget } else { &mut keep };
                        list.push(field.name.clone());
                    }
                }
                Read::Wrong(message) => {
                    unread.push(Problem { field: field.name.clone(), message });
                }
            }
        }
        // Hidden fields go before anything is judged.
        let visible = self.visible(&settings);
        let hidden: Vec<&str> = self
            .fields
            .iter()
            .zip(&visible)
            .filter(|(_, shown)| !**shown)
            .map(|(field, _)| field.name.as_str())
            .collect();
        settings.retain(|name, _| !hidden.contains(&name.as_str()));
        keep.retain(|name| !hidden.contains(&name.as_str()));
        unread.retain(|problem| !hidden.contains(&problem.field.as_str()));
        let kept: Vec<&str> = keep.iter().map(String::as_str).collect();
        let mut problems = self.problems(&settings, &kept);
        problems.retain(|problem| unread.iter().all(|first| first.field != problem.field));
        problems.extend(unread);
        let place = |problem: &Problem| self.fields.iter().position(|it| it.name == problem.field);
        problems.sort_by_key(place);
        let form = self.typed(pairs, &settings, stored).with_problems(&problems);
        Posted { settings, keep, forget, problems, form }
    }
}

impl Field {
    /// What was posted under its name, with line ends as programs write them.
    pub(super) fn texts(&self, pairs: &[(String, String)]) -> Vec<String> {
        let own = |name: &str| name.strip_prefix(PREFIX) == Some(&self.name);
        let values = pairs.iter().filter(|(name, _)| own(name));
        values.map(|(_, text)| text.replace("\r\n", "\n")).collect()
    }

    /// What was posted, as a value of its type.
    pub(super) fn read(&self, texts: &[String]) -> Read {
        let first = texts.first().map_or("", String::as_str);
        match &self.kind {
            Kind::Switch => Read::Value(texts.iter().any(|text| text == "true").into()),
            Kind::Ticks(choices) => match read_ticks(choices, texts) {
                // None of them is worth a word where some would be meant otherwise.
                Read::Value(Value::Array(values))
                    if values.is_empty() && self.default.is_none() && self.required.is_empty() =>
                {
                    Read::Nothing
                }
                read => read,
            },
            Kind::Lines => {
                let lines = first.lines().map(str::trim).filter(|line| !line.is_empty());
                let lines: Vec<Value> = lines.map(Value::from).collect();
                if lines.is_empty() { Read::Nothing } else { Read::Value(lines.into()) }
            }
            Kind::Secret { lines } => {
                let text = if *lines { first } else { first.trim_matches(['\r', '\n']) };
                if text.is_empty() { Read::Nothing } else { Read::Value(text.into()) }
            }
            Kind::Text(Shape::Multiline | Shape::Template) => {
                if first.is_empty() {
                    Read::Nothing
                } else {
                    Read::Value(first.into())
                }
            }
            _ if first.trim().is_empty() => Read::Nothing,
            Kind::Text(_) => Read::Value(first.trim().into()),
            Kind::Number { whole } => read_number(*whole, first.trim()),
            Kind::Choice(choices) => {
                let chosen = choices.iter().find(|choice| choice.text == first);
                chosen.map_or_else(
                    || Read::Wrong("choose one of these".to_owned()),
                    |choice| Read::Value(choice.value.clone()),
                )
            }
            Kind::Json => match serde_json::from_str::<Value>(first) {
                Ok(value) if !self.name.is_empty() || value.is_object() => Read::Value(value),
                Ok(_) => Read::Wrong("write a JSON object: { … }".to_owned()),
                Err(error) => Read::Wrong(format!("this is not JSON: {error}")),
            },
        }
    }

    /// A value as its field shows and posts it.
    pub(super) fn text(&self, value: &Value) -> String {
        match (&self.kind, value) {
            (Kind::Choice(choices), _) => {
                let known = choices.iter().find(|choice| choice.value == *value);
                known.map_or_else(|| plain(value), |choice| choice.text.clone())
            }
            (Kind::Lines, Value::Array(lines)) => {
                lines.iter().map(plain).collect::<Vec<_>>().join("\n")
            }
            (Kind::Json, _) => serde_json::to_string_pretty(value).unwrap_or_default(),
            _ => plain(value),
        }
    }

    /// A value as people read it.
    pub(super) fn words(&self, value: &Value) -> String {
        let label = |choices: &[Choice], value: &Value| {
            let known = choices.iter().find(|choice| choice.value == *value);
            known.map_or_else(|| plain(value), |choice| choice.label.clone())
        };
        match (&self.kind, value) {
            (Kind::Switch, Value::Bool(on)) => if *on { "yes" } else { "no" }.to_owned(),
            (Kind::Choice(choices), _) => label(choices, value),
            (Kind::Ticks(choices), Value::Array(values)) => {
                values.iter().map(|value| label(choices, value)).collect::<Vec<_>>().join(", ")
            }
            (_, Value::Array(values)) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
            _ => plain(value),
        }
    }
}

fn read_ticks(choices: &[Choice], texts: &[String]) -> Read {
    // The form posts an empty one along, so that none at all differs from a
    // field that was not there.
    if texts.is_empty() {
        return Read::Nothing;
    }
    let mut values = Vec::new();
    for text in texts.iter().filter(|text| !text.is_empty()) {
        match choices.iter().find(|choice| choice.text == *text) {
            Some(choice) => values.push(choice.value.clone()),
            None => return Read::Wrong("choose some of these".to_owned()),
        }
    }
    Read::Value(values.into())
}

fn read_number(whole: bool, text: &str) -> Read {
    let text = text.strip_prefix('+').unwrap_or(text);
    let number: Option<Number> = serde_json::from_str(text).ok();
    // Fractions are read by the standard library, which is exact to the last digit.
    let exact = |number: Number| match text.parse() {
        Ok(fraction) if number.is_f64() => Number::from_f64(fraction),
        _ => Some(number),
    };
    match number.and_then(exact) {
        Some(number) if !whole || number.as_f64().is_some_and(|it| it.fract() == 0.0) => {
            Read::Value(number.into())
        }
        _ if whole => Read::Wrong("write a whole number".to_owned()),
        _ => Read::Wrong("write a number, such as 1.5".to_owned()),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
