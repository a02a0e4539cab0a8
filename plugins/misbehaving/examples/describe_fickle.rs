//! Describes itself otherwise each time, so that what somebody approves is not
//! what runs later.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
};

use cofferdam_plugin::{Description, Event, Notifier, Plugin, Result};

/// The plugin.
#[derive(Debug)]
pub struct Misbehaving;

cofferdam_plugin::notifier!(Misbehaving);

impl Plugin for Misbehaving {
    type Settings = serde::de::IgnoredAny;

    fn describe() -> Description {
        let random = RandomState::new().build_hasher().finish();
        Description {
            id: "fickle",
            name: "Fickle",
            version: "1.0.0",
            summary: "Is not the same twice.",
            author: "Nobody",
            homepage: None,
            settings: cofferdam_plugin::serde_json::json!({
                "type": "object",
                "properties": { "word": { "type": "string", "title": format!("Word {random}") } }
            }),
            grants: &[],
        }
    }

    fn check(_: Self::Settings) -> Result<String> {
        Ok("It is here".to_owned())
    }
}

impl Notifier for Misbehaving {
    fn notify(_: Self::Settings, _: &Event) -> Result<String> {
        Ok("told".to_owned())
    }
}
