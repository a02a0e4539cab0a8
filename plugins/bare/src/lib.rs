//! A component for the tests: what its settings say under `do`, it does.
//!
//! It is made without the SDK, so that nothing between it and the console is
//! kinder than a hostile component would be.
#![allow(missing_docs, reason = "nobody builds upon it")]

#[allow(warnings, reason = "made by wit-bindgen")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package cofferdam:bare;
            world bare {
                include cofferdam:plugin/imports@0.1.0;
                import wasi:sockets/instance-network@0.2.12;
                import wasi:sockets/tcp-create-socket@0.2.12;
                export cofferdam:plugin/plugin@0.1.0;
                export cofferdam:plugin/storage@0.1.0;
                export cofferdam:plugin/notifier@0.1.0;
                export cofferdam:plugin/retention@0.1.0;
            }
        ",
        world: "cofferdam:bare/bare",
        generate_all,
    });
    use super::Bare;
    export!(Bare);
}

mod act;
mod request;
mod transfer;

use bindings::{
    cofferdam::plugin::types::{Backup, Event, Failure, Receipt},
    exports::cofferdam::plugin::{
        notifier, plugin,
        retention::{self, Candidate, Expired},
        storage::{self, Entry, Page},
    },
};

struct Bare;

/// The value of a member of the settings that is a string without escapes.
fn setting<'a>(settings: &'a str, name: &str) -> &'a str {
    let member = format!("\"{name}\":\"");
    let Some(start) = settings.find(&member) else { return "" };
    let rest = &settings[start + member.len()..];
    rest.find('"').map_or("", |end| &rest[..end])
}

impl plugin::Guest for Bare {
    fn describe() -> plugin::Description {
        plugin::Description {
            id: "bare".to_owned(),
            name: "Bare".to_owned(),
            version: "0.1.0".to_owned(),
            summary: "Does what a plugin must not do.".to_owned(),
            author: "Cofferdam".to_owned(),
            homepage: None,
            settings_schema: r#"{"type":"object","properties":{"do":{"type":"string"}}}"#
                .to_owned(),
            grants: plugin::Grants::all(),
        }
    }

    fn check(settings: String) -> Result<String, Failure> {
        act::act(&settings)
    }
}

impl storage::Guest for Bare {
    fn store(settings: String, backup: Backup) -> Result<Receipt, Failure> {
        transfer::store(&settings, &backup)
    }

    fn open(
        settings: String,
        _location: String,
        offset: u64,
        length: Option<u64>,
    ) -> Result<(), Failure> {
        transfer::open(&settings, offset, length)
    }

    fn remove(settings: String, _location: String) -> Result<(), Failure> {
        act::act(&settings).map(drop)
    }

    fn list(settings: String, _cursor: Option<String>) -> Result<Page, Failure> {
        let count = if setting(&settings, "do") == "flood" { 1001 } else { 1 };
        let entry = Entry {
            location: "here".to_owned(),
            filename: setting(&settings, "filename").to_owned(),
            size: 1,
            stored_at: None,
            sidecar: None,
        };
        Ok(Page { entries: vec![entry; count], next: None })
    }
}

impl notifier::Guest for Bare {
    fn notify(settings: String, _event: Event) -> Result<String, Failure> {
        act::act(&settings)
    }
}

impl retention::Guest for Bare {
    fn select(
        settings: String,
        _now: String,
        candidates: Vec<Candidate>,
    ) -> Result<Vec<Expired>, Failure> {
        let one = |id: &str| Expired { id: id.to_owned(), reason: "old".to_owned() };
        Ok(match setting(&settings, "do") {
            "strange" => vec![one("never-seen")],
            "twice" => candidates.iter().flat_map(|c| [one(&c.id), one(&c.id)]).collect(),
            _ => candidates.iter().map(|c| one(&c.id)).collect(),
        })
    }
}
