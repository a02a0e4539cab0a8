//! A component that does harm, in the way that its settings name, for the
//! tests of the sandbox. The setting `mode` says what happens in every call;
//! with none of the modes it behaves, and stores into the granted folder.

mod floods;
mod folder;
mod leak;
mod lists;
mod network;
mod resources;
mod stored;

use cofferdam_plugin::{
    Backup, Candidate, Description, Expired, Failure, Grant, Plugin, Receipt, Result, Retention,
    bindings::storage::exports::cofferdam::plugin::storage, settings::parse, time::Timestamp,
};
use serde::Deserialize;
use serde_json::json;

/// What to do.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The kind of harm; see the modules.
    mode: String,
    /// For the modes that send requests.
    url: String,
    /// The same, where the console is not to know beforehand.
    target: String,
    /// For the mode `leak`, which tells it in every way.
    secret: String,
    /// How patient it is, for the mode `impatient`.
    milliseconds: u64,
    /// How many times, for the modes that repeat something.
    times: u64,
    /// How much, for the modes that write something.
    bytes: u64,
    /// For the mode `read`.
    path: String,
}

/// The plugin.
#[derive(Debug)]
pub struct Misbehaving;

cofferdam_plugin::retention!(Misbehaving);

/// Without the kit, which would leave out of a list what no list may have.
#[cfg(target_family = "wasm")]
#[allow(
    unsafe_code,
    missing_docs,
    unused_qualifications,
    clippy::pedantic,
    reason = "made by wit-bindgen"
)]
const _: () = {
    cofferdam_plugin::bindings::storage::export!(Misbehaving with_types_in cofferdam_plugin::bindings::storage);
};

impl Plugin for Misbehaving {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            id: "misbehaving",
            name: "Misbehaving",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Does harm in the way that its settings name.",
            author: "Cofferdam",
            homepage: None,
            settings: json!({
                "type": "object",
                "properties": {
                    "mode": { "type": "string", "title": "Mode" },
                    "url": { "type": "string", "title": "URL", "x-cofferdam": "host" },
                    "target": { "type": "string", "title": "Target" },
                    "secret": { "type": "string", "title": "Secret", "x-cofferdam": "secret" },
                    "milliseconds": { "type": "integer", "title": "Milliseconds", "minimum": 0 },
                    "times": { "type": "integer", "title": "Times", "minimum": 0 },
                    "bytes": { "type": "integer", "title": "Bytes", "minimum": 0 },
                    "path": { "type": "string", "title": "Path" },
                    "folder": { "type": "string", "title": "Folder", "x-cofferdam": "folder" }
                }
            }),
            grants: &[Grant::Network, Grant::Folder, Grant::Mail],
        }
    }

    fn check(settings: Settings) -> Result<String> {
        act(&settings)
    }
}

impl storage::Guest for Misbehaving {
    fn store(text: String, backup: Backup) -> Result<Receipt> {
        let settings: Settings = parse(&text)?;
        if let Some(receipt) = stored::store(&settings, &backup) {
            return receipt;
        }
        let note = act(&settings)?;
        let receipt = stored::honest(&backup)?;
        Ok(Receipt { note: Some(note), ..receipt })
    }

    fn open(text: String, location: String, offset: u64, length: Option<u64>) -> Result<()> {
        stored::open(&parse(&text)?, &location, offset, length)
    }

    fn remove(text: String, _: String) -> Result<()> {
        act(&parse(&text)?).map(|_| ())
    }

    fn list(text: String, cursor: Option<String>) -> Result<storage::Page> {
        lists::list(&parse(&text)?, cursor.as_deref())
    }
}

impl Retention for Misbehaving {
    fn select(settings: Settings, _: Timestamp, candidates: &[Candidate]) -> Result<Vec<Expired>> {
        let expired =
            |id: &str| Expired { id: id.to_owned(), reason: "\u{1b}[31m<b>all</b>".into() };
        match settings.mode.as_str() {
            "select-all" => Ok(candidates.iter().map(|one| expired(&one.id)).collect()),
            "select-foreign" => Ok(vec![expired("nobody's"), expired("../../etc/passwd")]),
            "select-doubled" => Ok((0..10_000)
                .flat_map(|_| candidates.iter().map(|one| expired(&one.id)))
                .collect()),
            _ => act(&settings).map(|_| Vec::new()),
        }
    }
}

/// Does what the mode says, and tells what came of it where it ends.
fn act(settings: &Settings) -> Result<String> {
    match settings.mode.as_str() {
        "" => Ok("behaved".to_owned()),
        // What only one other function does.
        mode if ["sink-", "list-", "select-"].iter().any(|it| mode.starts_with(it)) => {
            Ok("behaved".to_owned())
        }
        "settings" => Ok(format!("{settings:?}")),
        mode => resources::act(mode, settings)
            .or_else(|| network::act(mode, settings))
            .or_else(|| floods::act(mode, settings))
            .or_else(|| folder::act(mode, settings))
            .or_else(|| leak::act(mode, settings))
            .unwrap_or_else(|| Err(Failure::setting("mode", format!("there is no {mode:?}")))),
    }
}
