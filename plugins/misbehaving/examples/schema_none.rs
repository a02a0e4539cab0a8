//! Has settings whose schema is no JSON. What authors write cannot be that, so
//! this goes below.

#[cfg(target_family = "wasm")]
use cofferdam_plugin::{
    Event, Result,
    bindings::{
        notifier::exports::cofferdam::plugin::notifier, plugin::exports::cofferdam::plugin::plugin,
    },
};

/// The plugin.
#[derive(Debug)]
pub struct Misbehaving;

#[cfg(target_family = "wasm")]
impl plugin::Guest for Misbehaving {
    fn describe() -> plugin::Description {
        plugin::Description {
            id: "misbehaving".into(),
            name: "Misbehaving".into(),
            version: "1.0.0".into(),
            summary: "Does harm.".into(),
            author: "Nobody".into(),
            homepage: None,
            settings_schema: "{ this is none".into(),
            grants: plugin::Grants::empty(),
        }
    }

    fn check(_: String) -> Result<String> {
        Ok(String::new())
    }
}

#[cfg(target_family = "wasm")]
impl notifier::Guest for Misbehaving {
    fn notify(_: String, _: Event) -> Result<String> {
        Ok(String::new())
    }
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, missing_docs, unused_qualifications, clippy::pedantic)]
const _: () = {
    cofferdam_plugin::bindings::plugin::export!(
        Misbehaving with_types_in cofferdam_plugin::bindings::plugin
    );
    cofferdam_plugin::bindings::notifier::export!(
        Misbehaving with_types_in cofferdam_plugin::bindings::notifier
    );
};
