//! Whether settings fit their schema.

use serde_json::{Map, Value};

use super::{Field, Kind, Limits, Schema};

/// One setting that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The property's key. Empty: all settings together.
    pub field: String,
    /// What is wrong and what would be right: lower case at the start, no full stop.
    pub message: String,
}

impl Schema {
    /// What is wrong with these settings, in the order of the fields. `kept`
    /// names secrets that are stored and need not be given again.
    #[must_use]
    pub fn problems(&self, settings: &Map<String, Value>, kept: &[&str]) -> Vec<Problem> {
        let visible = self.visible(settings);
        let mut problems = Vec::new();
        for (field, _) in self.fields.iter().zip(visible).filter(|(_, shown)| *shown) {
            if field.name.is_empty() {
                continue;
            }
            let message = match settings.get(&field.name) {
                Some(value) => field.problem(value),
                None if kept.contains(&field.name.as_str()) => None,
                // What has a default is filled in with it.
                None if field.default.is_some() => None,
                None if self.any(&field.required, settings) => Some(field.missing()),
                None => None,
            };
            problems.extend(message.map(|message| Problem { field: field.name.clone(), message }));
        }
        problems
    }
}

impl Field {
    fn missing(&self) -> String {
        match self.kind {
            Kind::Choice(_) => "choose one of these".to_owned(),
            Kind::Ticks(_) => "choose some of these".to_owned(),
            _ => format!("{} is needed", self.label),
        }
    }

    fn problem(&self, value: &Value) -> Option<String> {
        let wrong = |text: &str| Some(text.to_owned());
        match (&self.kind, value) {
            (Kind::Text(shape), Value::String(text)) => {
                shape.problem(text).or_else(|| self.limits.text(text))
            }
            (Kind::Secret { .. }, Value::String(text)) => self.limits.text(text),
            (Kind::Text(_) | Kind::Secret { .. }, _) => wrong("this is a text"),
            (Kind::Number { whole }, Value::Number(number)) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                if *whole && number.fract() != 0.0 {
                    return wrong("this is a whole number");
                }
                self.limits.number(number)
            }
            (Kind::Number { .. }, _) => wrong("this is a number"),
            (Kind::Switch, Value::Bool(_)) | (Kind::Json, _) => None,
            (Kind::Switch, _) => wrong("this is true or false"),
            (Kind::Choice(choices), _) => {
                let known = choices.iter().any(|choice| choice.value == *value);
                (!known).then(|| "choose one of these".to_owned())
            }
            (Kind::Lines, Value::Array(lines)) if lines.iter().all(Value::is_string) => {
                self.limits.count(lines.len(), "entry", "entries")
            }
            (Kind::Lines, _) => wrong("this is a list of texts"),
            (Kind::Ticks(choices), Value::Array(values)) => {
                let known = |value: &Value| choices.iter().any(|choice| choice.value == *value);
                if values.iter().all(known) {
                    self.limits.count(values.len(), "entry", "entries")
                } else {
                    wrong("choose some of these")
                }
            }
            (Kind::Ticks(_), _) => wrong("this is a list"),
        }
    }
}

impl Limits {
    fn text(&self, text: &str) -> Option<String> {
        let problem = self.count(text.chars().count(), "character", "characters");
        problem.or_else(|| {
            let pattern = self.pattern.as_ref()?;
            // One that does not compile here is the plugin's own affair.
            let regex = regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().ok()?;
            (!regex.is_match(text)).then(|| format!("it must fit the pattern {pattern}"))
        })
    }

    fn count(&self, count: usize, one: &str, many: &str) -> Option<String> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let unit = |limit: u64| if limit == 1 { one } else { many };
        match (self.shortest, self.longest) {
            (Some(least), _) if count < least => Some(format!("at least {least} {}", unit(least))),
            (_, Some(most)) if count > most => Some(format!("at most {most} {}", unit(most))),
            _ => None,
        }
    }

    fn number(&self, number: f64) -> Option<String> {
        match (self.least, self.most) {
            (Some((least, true)), _) if number <= least => Some(format!("more than {least}")),
            (Some((least, false)), _) if number < least => Some(format!("at least {least}")),
            (_, Some((most, true))) if number >= most => Some(format!("less than {most}")),
            (_, Some((most, false))) if number > most => Some(format!("at most {most}")),
            _ => None,
        }
    }
}
