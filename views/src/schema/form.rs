//! The settings as a form shows them.

use serde_json::{Map, Value, json};

use super::{FORGET, Field, Kind, Problem, Schema, Shape, When};

/// A plugin's settings as a form. Values are kept as they were typed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SettingsForm {
    /// Its fields, in the order to show.
    pub fields: Vec<SettingsField>,
    /// What is wrong with the settings as a whole.
    pub whole: Vec<String>,
}

/// One field of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingsField {
    /// The name that it posts under.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// One sentence or two about it.
    pub hint: Option<String>,
    /// What it looks like, with what it holds.
    pub control: Control,
    /// Whether it must be filled in, as the form stands.
    pub required: bool,
    /// Where it is shown, if not always.
    pub condition: Option<Condition>,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// Where a field is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Whether that holds as the form stands.
    pub holds: bool,
    /// In words, for a page without scripts: `Kind is Slack`.
    pub words: String,
    /// The same for the script: see `app.js`.
    pub rule: String,
}

/// What a field looks like.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    /// A line of text.
    Line {
        /// What it holds.
        value: String,
        /// What counts where it is left empty.
        placeholder: Option<String>,
        /// Which keyboard fits.
        inputmode: Option<&'static str>,
        /// Names and numbers: no correction, monospace.
        exact: bool,
    },
    /// Several lines of text.
    Area {
        /// What it holds.
        value: String,
        /// What counts where it is left empty.
        placeholder: Option<String>,
        /// JSON: monospace.
        exact: bool,
    },
    /// A text with placeholders, shown filled in below.
    Template {
        /// What it holds.
        value: String,
        /// What counts where it is left empty.
        placeholder: Option<String>,
        /// Whether it has several lines.
        lines: bool,
    },
    /// A secret. What is stored is never shown.
    Secret {
        /// Whether one is stored.
        stored: bool,
        /// Whether what is stored is to go; only what is optional can.
        forget: bool,
        /// Whether it may have several lines.
        lines: bool,
    },
    /// On or off.
    Switch {
        /// Which.
        on: bool,
    },
    /// One of several.
    Choice {
        /// What is posted, and what it is called.
        options: Vec<(String, String)>,
        /// What is chosen; empty for none.
        chosen: String,
        /// What it is called to choose none, where that can be.
        none: Option<String>,
    },
    /// Some of several.
    Ticks(Vec<Tick>),
}

/// One of several to tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// What is posted.
    pub text: String,
    /// What it is called.
    pub label: String,
    /// Whether it is chosen.
    pub on: bool,
}

impl Schema {
    /// An empty form: with the defaults.
    #[must_use]
    pub fn blank(&self) -> SettingsForm {
        let defaults = self.fields.iter().filter_map(|field| {
            let secret = matches!(field.kind, Kind::Secret { .. });
            let default = field.default.clone().filter(|_| !secret && !field.name.is_empty())?;
            Some((field.name.clone(), default))
        });
        self.filled(&defaults.collect(), &[])
    }

    /// A form with these settings. `stored` names the secrets that are kept.
    #[must_use]
    pub fn filled(&self, settings: &Map<String, Value>, stored: &[&str]) -> SettingsForm {
        let texts = |field: &Field| {
            if field.name.is_empty() {
                return vec![field.text(&Value::Object(settings.clone()))];
            }
            let value = settings.get(&field.name);
            match (&field.kind, value) {
                (Kind::Ticks(_), Some(Value::Array(values))) => {
                    values.iter().map(|value| field.tick_text(value)).collect()
                }
                (Kind::Ticks(_), None) => field.default_ticks(),
                // A switch cannot be left out: it shows what counts.
                (Kind::Switch, None) => field.default.iter().map(|it| field.text(it)).collect(),
                _ => value.map(|value| field.text(value)).into_iter().collect(),
            }
        };
        self.form(texts, settings, stored)
    }

    /// The form as it was posted.
    pub(super) fn typed(
        &self,
        pairs: &[(String, String)],
        settings: &Map<String, Value>,
        stored: &[&str],
    ) -> SettingsForm {
        let mut form = self.form(|field| field.texts(pairs), settings, stored);
        for field in &mut form.fields {
            if let Control::Secret { forget, .. } = &mut field.control {
                *forget = pairs.iter().any(|(name, text)| name == FORGET && *text == field.name);
            }
        }
        form
    }

    fn form(
        &self,
        texts: impl Fn(&Field) -> Vec<String>,
        settings: &Map<String, Value>,
        stored: &[&str],
    ) -> SettingsForm {
        let visible = self.visible(settings);
        let fields = self.fields.iter().zip(visible).map(|(field, holds)| SettingsField {
            name: field.posted_name(),
            label: field.label.clone(),
            hint: field.hint.clone(),
            required: self.any(&field.required, settings),
            condition: (!field.shown.is_empty()).then(|| Condition {
                holds,
                words: self.words(&field.shown),
                rule: self.rule(&field.shown),
            }),
            control: field.control(&texts(field), stored.contains(&field.name.as_str())),
            error: None,
        });
        SettingsForm { fields: fields.collect(), whole: Vec::new() }
    }

    /// A condition in words. Several ways to hold are told by the first ones.
    fn words(&self, conditions: &[When]) -> String {
        let mut ways: Vec<String> = Vec::new();
        for when in conditions {
            let tests = when.tests.iter().map(|test| {
                let field = self.field(&test.field);
                let label = field.map_or(test.field.as_str(), |field| field.label.as_str());
                let word = |value: &Value| field.map_or(value.to_string(), |it| it.words(value));
                match &test.values {
                    None => format!("{label} is filled in"),
                    Some(values) => {
                        let values: Vec<String> = values.iter().map(word).collect();
                        let is = if when.negated { "is not" } else { "is" };
                        format!("{label} {is} {}", values.join(" or "))
                    }
                }
            });
            ways.push(tests.collect::<Vec<_>>().join(" and "));
        }
        ways.join(", or ")
    }

    /// A condition for the script: any of these, all of their tests, each on
    /// the text of a field. The empty text stands for a field left out.
    fn rule(&self, conditions: &[When]) -> String {
        let any = conditions.iter().map(|when| {
            let all = when.tests.iter().map(|test| {
                let field = self.field(&test.field);
                let text = |value: &Value| field.map_or(value.to_string(), |it| it.text(value));
                let mut texts: Vec<String> = test.values.iter().flatten().map(text).collect();
                let default = field.and_then(|field| field.default.as_ref());
                let empty = match (default, &test.values) {
                    (Some(default), Some(values)) => values.contains(default),
                    (Some(_), None) => true,
                    (None, _) => test.absent,
                };
                if empty {
                    texts.push(String::new());
                }
                let name = field.map_or_else(String::new, Field::posted_name);
                json!({ "field": name, "texts": texts, "any": test.values.is_none() })
            });
            json!({ "all": all.collect::<Vec<_>>(), "not": when.negated })
        });
        Value::Array(any.collect()).to_string()
    }
}

impl Field {
    fn tick_text(&self, value: &Value) -> String {
        let Kind::Ticks(choices) = &self.kind else { return String::new() };
        let known = choices.iter().find(|choice| choice.value == *value);
        known.map_or_else(String::new, |choice| choice.text.clone())
    }

    fn default_ticks(&self) -> Vec<String> {
        let values = self.default.as_ref().and_then(Value::as_array);
        values.into_iter().flatten().map(|value| self.tick_text(value)).collect()
    }

    fn control(&self, texts: &[String], stored: bool) -> Control {
        let value = texts.first().cloned().unwrap_or_default();
        let default = self.default.as_ref().map(|value| self.text(value));
        let line = |value: String, placeholder, inputmode, exact| Control::Line {
            value,
            placeholder,
            inputmode,
            exact,
        };
        let example = |text: &str| default.clone().or_else(|| Some(text.to_owned()));
        match &self.kind {
            // What has several lines already needs room for them.
            Kind::Text(Shape::Plain) if !value.contains('\n') => line(value, default, None, false),
            Kind::Text(Shape::Plain | Shape::Multiline) => {
                Control::Area { value, placeholder: default, exact: false }
            }
            Kind::Text(Shape::Host) => {
                line(value, example("https://s3.example.org"), Some("url"), true)
            }
            Kind::Text(Shape::Folder) => line(value, default, None, true),
            Kind::Text(Shape::Duration) => line(value, example("7d"), None, true),
            Kind::Text(Shape::Size) => line(value, example("64 MiB"), None, true),
            Kind::Text(Shape::Template) => Control::Template {
                lines: value.contains('\n') || default.as_ref().is_some_and(|it| it.contains('\n')),
                value,
                placeholder: default,
            },
            Kind::Secret { lines } => Control::Secret { stored, forget: false, lines: *lines },
            Kind::Number { whole } => {
                line(value, default, Some(if *whole { "numeric" } else { "decimal" }), true)
            }
            Kind::Switch => Control::Switch { on: texts.iter().any(|text| text == "true") },
            Kind::Choice(choices) => {
                let name = |text: &String| {
                    let known = choices.iter().find(|choice| choice.text == *text);
                    known.map_or(text.clone(), |choice| choice.label.clone())
                };
                let always = self.required.contains(&When::ALWAYS);
                Control::Choice {
                    none: (!always || value.is_empty())
                        .then(|| default.as_ref().map_or_else(String::new, name)),
                    chosen: value,
                    options: choices
                        .iter()
                        .map(|choice| (choice.text.clone(), choice.label.clone()))
                        .collect(),
                }
            }
            Kind::Lines => Control::Area { value, placeholder: default, exact: false },
            Kind::Ticks(choices) => Control::Ticks(
                choices
                    .iter()
                    .map(|choice| Tick {
                        text: choice.text.clone(),
                        label: choice.label.clone(),
                        on: texts.contains(&choice.text),
                    })
                    .collect(),
            ),
            Kind::Json => Control::Area { value, placeholder: default, exact: true },
        }
    }
}

impl SettingsForm {
    /// The same with what is wrong beside the fields. What belongs to no field
    /// is about the whole. Names are property keys, JSON
    /// pointers to them, or dotted paths below them.
    #[must_use]
    pub fn with_problems(mut self, problems: &[Problem]) -> Self {
        for problem in problems {
            let key = problem.field.strip_prefix('/').unwrap_or(&problem.field);
            let key =
                key.split(['/', '.']).next().unwrap_or(key).replace("~1", "/").replace("~0", "~");
            let name = |name: &str| format!("{}{name}", super::PREFIX);
            let (direct, pointed) = (name(&problem.field), name(&key));
            let place = self.fields.iter().position(|field| field.name == direct);
            let place =
                place.or_else(|| self.fields.iter().position(|field| field.name == pointed));
            match place.map(|index| &mut self.fields[index]) {
                // A field that is hidden would hide its message too.
                Some(field) if field.condition.as_ref().is_none_or(|it| it.holds) => {
                    field.error.get_or_insert_with(|| problem.message.clone());
                }
                _ => self.whole.push(problem.message.clone()),
            }
        }
        self
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.whole.is_empty() && self.fields.iter().all(|field| field.error.is_none())
    }
}
