//! Never says what it is.

use cofferdam_plugin::{Description, Event, Notifier, Plugin, Result};

/// The plugin.
#[derive(Debug)]
pub struct Misbehaving;

cofferdam_plugin::notifier!(Misbehaving);

impl Plugin for Misbehaving {
    type Settings = serde::de::IgnoredAny;

    fn describe() -> Description {
        loop {
            std::hint::black_box(());
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
