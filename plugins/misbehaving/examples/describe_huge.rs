//! Says what it is in a very long text.

use cofferdam_plugin::{Description, Event, Notifier, Plugin, Result};

/// The plugin.
#[derive(Debug)]
pub struct Misbehaving;

cofferdam_plugin::notifier!(Misbehaving);

impl Plugin for Misbehaving {
    type Settings = serde::de::IgnoredAny;

    fn describe() -> Description {
        Description {
            id: "misbehaving",
            name: "Misbehaving",
            version: "1.0.0",
            summary: "x".repeat(500_000_000).leak(),
            author: "Nobody",
            homepage: None,
            settings: cofferdam_plugin::serde_json::json!({ "type": "object" }),
            grants: &[],
        }
    }

    fn check(_: Self::Settings) -> Result<String> {
        Ok(String::new())
    }
}

impl Notifier for Misbehaving {
    fn notify(_: Self::Settings, _: &Event) -> Result<String> {
        Ok(String::new())
    }
}
