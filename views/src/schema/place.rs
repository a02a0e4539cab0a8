//! Where settings lead, in a few words.

use serde_json::{Map, Value};

use super::{Kind, Schema, Shape, condition::When};

/// More than this is no longer a few words.
const WORDS_MAX: usize = 3;

impl Schema {
    /// Hosts and folders that the settings name, and what else they cannot do
    /// without, but secrets: `https://s3.example.org · backups`.
    #[must_use]
    pub fn place(&self, settings: &Map<String, Value>) -> String {
        let leads = |shape: &Shape| matches!(shape, Shape::Host | Shape::Folder);
        let (mut first, mut then) = (Vec::new(), Vec::new());
        for field in &self.fields {
            let (Kind::Text(shape), Some(text)) =
                (&field.kind, settings.get(&field.name).and_then(Value::as_str))
            else {
                continue;
            };
            if leads(shape) {
                first.push(text);
            } else if *shape == Shape::Plain && field.required.contains(&When::ALWAYS) {
                then.push(text);
            }
        }
        first.append(&mut then);
        first.truncate(WORDS_MAX);
        first.join(" · ")
    }
}
