//! Where a field is shown, and where it must be filled in.

use serde_json::{Map, Value};

use super::Schema;

/// A condition on other fields.
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    /// All of these hold.
    pub tests: Vec<Test>,
    /// Or rather: not all of them.
    pub negated: bool,
}

/// A condition on one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// The field's name.
    pub field: String,
    /// It has one of these values; `None`: it has any.
    pub values: Option<Vec<Value>>,
    /// Whether it also holds where the field is left out.
    pub absent: bool,
}

impl When {
    /// No condition at all.
    pub const ALWAYS: Self = Self { tests: Vec::new(), negated: false };

    /// The field is filled in.
    #[must_use]
    pub fn present(field: &str) -> Self {
        let test = Test { field: field.to_owned(), values: None, absent: false };
        Self { tests: vec![test], negated: false }
    }

    /// Reads what stands under `if`: properties with a constant, or one of
    /// several. Anything else cannot be followed in a form.
    pub(super) fn read(condition: &Value) -> Option<Self> {
        let required: Vec<&str> = condition
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut tests = Vec::new();
        let properties = condition.get("properties").and_then(Value::as_object);
        for (field, wanted) in properties.into_iter().flatten() {
            let values = match (wanted.get("const"), wanted.get("enum")) {
                (Some(value), _) => vec![value.clone()],
                (None, Some(Value::Array(values))) => values.clone(),
                _ => return None,
            };
            let absent = !required.contains(&field.as_str());
            tests.push(Test { field: field.clone(), values: Some(values), absent });
        }
        for field in required {
            if !tests.iter().any(|test| test.field == field) {
                tests.extend(Self::present(field).tests);
            }
        }
        (!tests.is_empty()).then_some(Self { tests, negated: false })
    }

    /// Whether it asks about this field.
    pub(super) fn asks(&self, field: &str) -> bool {
        self.tests.iter().any(|test| test.field == field)
    }

    fn holds(&self, schema: &Schema, settings: &Map<String, Value>) -> bool {
        self.tests.iter().all(|test| test.holds(schema, settings)) != self.negated
    }
}

impl Test {
    /// A field that is left out counts as its default.
    fn holds(&self, schema: &Schema, settings: &Map<String, Value>) -> bool {
        let default = || schema.field(&self.field)?.default.as_ref();
        match settings.get(&self.field).or_else(default) {
            None => self.absent,
            Some(value) => self.values.as_ref().is_none_or(|values| values.contains(value)),
        }
    }
}

impl Schema {
    /// Whether one of these holds.
    pub(super) fn any(&self, conditions: &[When], settings: &Map<String, Value>) -> bool {
        conditions.iter().any(|when| when.holds(self, settings))
    }

    /// Which fields are shown beside these settings, in their order. What a
    /// hidden field holds decides nothing.
    pub(super) fn visible(&self, settings: &Map<String, Value>) -> Vec<bool> {
        let mut settings = settings.clone();
        // Each round can hide a field that others depend on, and no more often
        // than there are fields.
        for _ in 0..=self.fields.len() {
            let hidden: Vec<&str> = self
                .fields
                .iter()
                .filter(|field| settings.contains_key(&field.name) && !self.shows(field, &settings))
                .map(|field| field.name.as_str())
                .collect();
            if hidden.is_empty() {
                break;
            }
            settings.retain(|name, _| !hidden.contains(&name.as_str()));
        }
        self.fields.iter().map(|field| self.shows(field, &settings)).collect()
    }

    fn shows(&self, field: &super::Field, settings: &Map<String, Value>) -> bool {
        field.shown.is_empty() || self.any(&field.shown, settings)
    }
}
