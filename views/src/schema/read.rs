//! From JSON Schema to fields.

use serde_json::{Map, Value};

use super::{Choice, Field, Kind, Limits, Schema, Shape, condition::When};

/// More fields than this are no form.
const FIELDS_MAX: usize = 200;

impl Schema {
    /// Reads a schema. What is not understood becomes a field that takes JSON.
    #[must_use]
    pub fn read(schema: &Value) -> Self {
        let mut read = Self::default();
        let Some(object) = schema.as_object() else { return read };
        for (name, property) in properties(object) {
            read.add(name, property, None);
        }
        read.require(object, &When::ALWAYS);
        for part in std::iter::once(schema).chain(list(object.get("allOf"))) {
            read.branches(part);
        }
        if let Some(dependent) = object.get("dependentRequired").and_then(Value::as_object) {
            for (on, names) in dependent {
                for name in list(Some(names)).filter_map(Value::as_str) {
                    read.required_when(name, When::present(on));
                }
            }
        }
        if read.fields.is_empty() && takes_anything(object) {
            read.fields.push(whole());
        }
        read
    }

    /// One `if` with its `then` and `else`. Where the condition is not one that
    /// a form can follow, all that it speaks of is shown and may be left empty.
    fn branches(&mut self, schema: &Value) {
        let Some(condition) = schema.get("if") else { return };
        let when = When::read(condition);
        for (branch, negated) in [("then", false), ("else", true)] {
            let Some(branch) = schema.get(branch).and_then(Value::as_object) else { continue };
            let when = when.clone().map(|when| When { negated, ..when });
            for (name, property) in properties(branch) {
                self.add(name, property, when.as_ref());
            }
            if let Some(when) = when {
                self.require(branch, &when);
            }
        }
    }

    fn add(&mut self, name: &str, property: &Value, when: Option<&When>) {
        if let Some(known) = self.fields.iter_mut().find(|field| field.name == name) {
            known.shown.extend(when.cloned());
            return;
        }
        if name.is_empty() || self.fields.len() >= FIELDS_MAX {
            return;
        }
        let mut field = read_field(name, property);
        field.shown.extend(when.cloned());
        let place = when.and_then(|when| self.place_after(when)).unwrap_or(self.fields.len());
        self.fields.insert(place, field);
    }

    /// Behind the field that decides, and whatever follows it for the same reason.
    fn place_after(&self, when: &When) -> Option<usize> {
        let on = &when.tests.first()?.field;
        let decides = self.fields.iter().position(|field| field.name == *on)?;
        let follows = |field: &&Field| field.shown.iter().any(|when| when.asks(on));
        Some(decides + 1 + self.fields[decides + 1..].iter().take_while(follows).count())
    }

    fn require(&mut self, schema: &Map<String, Value>, when: &When) {
        for name in list(schema.get("required")).filter_map(Value::as_str) {
            self.required_when(name, when.clone());
        }
    }

    fn required_when(&mut self, name: &str, when: When) {
        if let Some(field) = self.fields.iter_mut().find(|field| field.name == name) {
            field.required.push(when);
        }
    }
}

fn properties(schema: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// A schema without properties may still want some.
fn takes_anything(schema: &Map<String, Value>) -> bool {
    let open = schema.get("additionalProperties").is_some_and(|it| *it != Value::Bool(false));
    open || ["patternProperties", "anyOf", "oneOf", "$ref", "minProperties", "required"]
        .iter()
        .any(|keyword| schema.contains_key(*keyword))
}

fn whole() -> Field {
    Field {
        name: String::new(),
        label: "Settings".to_owned(),
        hint: None,
        kind: Kind::Json,
        required: Vec::new(),
        shown: Vec::new(),
        default: None,
        limits: Limits::default(),
    }
}

fn read_field(name: &str, property: &Value) -> Field {
    let text = |key: &str| {
        property.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    };
    Field {
        name: name.to_owned(),
        label: text("title").map_or_else(|| words(name), str::to_owned),
        hint: text("description").map(str::to_owned),
        kind: kind(property),
        required: Vec::new(),
        shown: Vec::new(),
        default: property.get("default").or_else(|| property.get("const")).cloned(),
        limits: limits(property),
    }
}

/// `access_key_id` is "Access key id".
fn words(name: &str) -> String {
    let text = name.replace(['_', '-', '.'], " ");
    let mut letters = text.trim().chars();
    letters.next().map_or_else(
        || name.to_owned(),
        |first| format!("{}{}", first.to_uppercase(), letters.as_str()),
    )
}

fn kind(property: &Value) -> Kind {
    if let Some(choices) = choices(property) {
        return Kind::Choice(choices);
    }
    match type_of(property) {
        Some("string") => text_kind(property),
        Some("number") => Kind::Number { whole: false },
        Some("integer") => Kind::Number { whole: true },
        Some("boolean") => Kind::Switch,
        Some("array") => array_kind(property),
        None if property.get("x-cofferdam").is_some() => text_kind(property),
        _ => Kind::Json,
    }
}

/// The one type, or the one beside `null`.
fn type_of(property: &Value) -> Option<&str> {
    match property.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => {
            let mut real = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            let first = real.next()?;
            real.next().is_none().then_some(first).or(Some("any"))
        }
        _ => Some("any"),
    }
}

fn text_kind(property: &Value) -> Kind {
    let marks: Vec<&str> = match property.get("x-cofferdam") {
        Some(Value::String(mark)) => vec![mark],
        Some(Value::Array(marks)) => marks.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if marks.contains(&"secret") {
        return Kind::Secret { lines: marks.contains(&"multiline") };
    }
    let shapes = [
        ("host", Shape::Host),
        ("folder", Shape::Folder),
        ("duration", Shape::Duration),
        ("size", Shape::Size),
        ("template", Shape::Template),
        ("multiline", Shape::Multiline),
    ];
    let shape = shapes.into_iter().find(|(mark, _)| marks.contains(mark));
    Kind::Text(shape.map_or(Shape::Plain, |(_, shape)| shape))
}

fn array_kind(property: &Value) -> Kind {
    let items = property.get("items").unwrap_or(&Value::Null);
    if let Some(choices) = choices(items) {
        Kind::Ticks(choices)
    } else if type_of(items) == Some("string") && items.get("x-cofferdam").is_none() {
        Kind::Lines
    } else {
        Kind::Json
    }
}

/// The values to choose from: `enum`, `const`, or `oneOf` of constants, which
/// can give each a title.
fn choices(property: &Value) -> Option<Vec<Choice>> {
    let named: Vec<(Value, Option<&str>)> = if let Some(Value::Array(values)) = property.get("enum")
    {
        values.iter().map(|value| (value.clone(), None)).collect()
    } else if let Some(value) = property.get("const") {
        vec![(value.clone(), None)]
    } else {
        let options = property.get("oneOf").or_else(|| property.get("anyOf"))?.as_array()?;
        let one = |option: &Value| option.get("const").cloned();
        let titles = options.iter().map(|option| option.get("title").and_then(Value::as_str));
        options.iter().map(one).collect::<Option<Vec<_>>>()?.into_iter().zip(titles).collect()
    };
    let mut values: Vec<(Value, Option<&str>)> = Vec::new();
    for (value, title) in named {
        // Leaving it out says the same as `null`, and once is enough.
        if !value.is_null() && !values.iter().any(|(known, _)| *known == value) {
            values.push((value, title));
        }
    }
    if values.is_empty() {
        return None;
    }
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let texts: std::collections::HashSet<String> =
        values.iter().map(|(value, _)| plain(value)).collect();
    // The text "1" and the number 1 are told apart by quotes; so is the empty
    // text from no choice at all, and what a browser would send otherwise.
    let clear = texts.len() == values.len()
        && texts.iter().all(|text| !text.trim().is_empty() && !text.contains(char::is_control));
    let choice = |(value, title): (Value, Option<&str>)| Choice {
        text: if clear { plain(&value) } else { value.to_string() },
        label: title.map_or_else(|| plain(&value), str::to_owned),
        value,
    };
    Some(values.into_iter().map(choice).collect())
}

fn limits(property: &Value) -> Limits {
    let number = |key: &str| property.get(key).and_then(Value::as_f64);
    let count = |keys: [&str; 2]| {
        keys.into_iter().find_map(|key| property.get(key).and_then(Value::as_u64))
    };
    let least = [("minimum", false), ("exclusiveMinimum", true)];
    let most = [("maximum", false), ("exclusiveMaximum", true)];
    Limits {
        least: least.into_iter().find_map(|(key, open)| Some((number(key)?, open))),
        most: most.into_iter().find_map(|(key, open)| Some((number(key)?, open))),
        shortest: count(["minLength", "minItems"]),
        longest: count(["maxLength", "maxItems"]),
        pattern: property.get("pattern").and_then(Value::as_str).map(str::to_owned),
    }
}
