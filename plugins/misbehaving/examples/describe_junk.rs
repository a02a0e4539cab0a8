//! Says things of itself that are none.

use cofferdam_plugin::{Description, Event, Notifier, Plugin, Result};

/// The plugin.
#[derive(Debug)]
pub struct Misbehaving;

cofferdam_plugin::notifier!(Misbehaving);

impl Plugin for Misbehaving {
    type Settings = serde::de::IgnoredAny;

    fn describe() -> Description {
        Description {
            id: "../Etc Passwd",
            name: "\u{1b}[31m<script>alert(1)</script>",
            version: "newest",
            summary: "\u{202e}\0\r\n",
            author: "",
            homepage: Some("javascript:alert(1)"),
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
