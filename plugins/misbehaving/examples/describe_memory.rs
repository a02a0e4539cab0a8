//! Takes all memory when it is asked what it is.

use cofferdam_plugin::{Description, Event, Notifier, Plugin, Result};

/// The plugin.
#[derive(Debug)]
pub struct Misbehaving;

cofferdam_plugin::notifier!(Misbehaving);

impl Plugin for Misbehaving {
    type Settings = serde::de::IgnoredAny;

    fn describe() -> Description {
        let mut all = Vec::new();
        loop {
            all.push(std::hint::black_box(vec![1_u8; 1 << 20]));
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
