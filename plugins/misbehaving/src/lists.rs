//! Lists of what is stored that are none.

use cofferdam_plugin::{
    Result,
    bindings::storage::exports::cofferdam::plugin::storage::{Entry, Page},
    folder::Folder,
};

use crate::{Settings, act};

pub(crate) fn list(settings: &Settings, cursor: Option<&str>) -> Result<Page> {
    match settings.mode.as_str() {
        // Every page leads to itself.
        "list-endless" => {
            Ok(Page { entries: vec![odd(1)], next: Some(cursor.unwrap_or("again").to_owned()) })
        }
        "list-long" => Ok(Page { entries: (0..100_000).map(odd).collect(), next: None }),
        "list-odd" => Ok(Page { entries: vec![odd(1)], next: Some("x".repeat(1 << 20)) }),
        // A cursor that nobody wants to keep.
        "list-cursor" => Ok(Page { entries: Vec::new(), next: Some("x".repeat(1 << 20)) }),
        "list-huge" => Ok(Page { entries: Vec::new(), next: Some("x".repeat(20_000_000)) }),
        // Nothing is wrong with its pages, but that they come again and again,
        "list-again" => Ok(Page { entries: there()?, next: Some("again".to_owned()) }),
        // or that there is always another one.
        "list-onward" => {
            let next = cursor.and_then(|it| it.parse().ok()).unwrap_or(0_u64) + 1;
            Ok(Page { entries: there()?, next: Some(next.to_string()) })
        }
        mode if mode.starts_with("select-") => Ok(Page { entries: there()?, next: None }),
        _ => act(settings).map(|_| Page { entries: Vec::new(), next: None }),
    }
}

/// What no list may have.
fn odd(number: usize) -> Entry {
    Entry {
        location: format!("entry-{number}\r\n<b>"),
        filename: "../../etc/passwd".to_owned(),
        size: u64::MAX,
        stored_at: Some("never".to_owned()),
        sidecar: None,
    }
}

/// What lies in the granted folder, as it is; without a folder, nothing.
fn there() -> Result<Vec<Entry>> {
    let Ok(folder) = Folder::granted() else { return Ok(Vec::new()) };
    let mut entries = Vec::new();
    for file in folder.names(".")?.into_iter().filter(|it| !it.is_folder) {
        let size = folder.look(&file.name)?.map_or(0, |facts| facts.size);
        let (location, filename) = (file.name.clone(), file.name);
        entries.push(Entry { location, filename, size, stored_at: None, sidecar: None });
    }
    Ok(entries)
}
