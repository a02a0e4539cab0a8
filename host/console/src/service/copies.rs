//! Where a copy at a destination really is: locations are the plugin's words,
//! and mean something only together with the settings that they were made with.

use std::path::{Path, PathBuf};

use cofferdam_model::{BackupId, Delivery, DeliveryStatus, Destination, Purpose, Slug};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    Result, deliveries, destinations,
    plugins::{Ready, Usable},
};
use crate::app::App;

/// A mark of the place that a copy is stored at, as far as the settings and the
/// granted folder say it.
pub fn stored_with(ready: &Ready, settings: &Value) -> String {
    let mut hash = Sha256::new();
    for value in place(ready, settings) {
        hash.update(value);
        hash.update([0]);
    }
    if let Some(folder) = &ready.grants.folder {
        hash.update(plain_folder(folder).as_os_str().as_encoded_bytes());
    }
    hex::encode(&hash.finalize()[..8])
}

/// Another copy that is the same file: of another backup here, or one that
/// another destination of the same plugin keeps at the same place. Its
/// destination's short name.
pub async fn shared(
    app: &App,
    destination: &Destination,
    backup: BackupId,
    location: &str,
) -> Result<Option<Slug>> {
    let mut usable = None;
    // One that is being stored may be found there, and compared, at this moment.
    let stored = deliveries::of(app, backup)
        .await?
        .into_iter()
        .filter(|it| it.purpose == Purpose::Store && it.status == DeliveryStatus::Running);
    let copies = app.catalog.copies_at(location).await?.into_iter().filter(Delivery::is_copy);
    for other in copies.chain(stored) {
        if (other.destination, other.backup) == (destination.id, backup) {
            continue;
        }
        if other.destination == destination.id {
            return Ok(Some(other.destination_name));
        }
        let Some(of) = app.catalog.destination(other.destination).await? else { continue };
        if of.plugin != destination.plugin {
            continue;
        }
        if usable.is_none() {
            usable = Some(Usable::now(app).await?);
        }
        let ready = usable.as_ref().and_then(|it: &Usable| it.of(&of.plugin).ok());
        let Some(ready) = ready else { continue };
        let (Ok(one), Ok(two)) =
            (destinations::open(app, destination), destinations::open(app, &of))
        else {
            return Ok(Some(other.destination_name));
        };
        if place(&ready, &one) == place(&ready, &two) {
            return Ok(Some(other.destination_name));
        }
    }
    Ok(None)
}

/// What of the settings says where copies are, as the schema marks it; the same
/// for the same place, in whichever way it is written.
fn place(ready: &Ready, settings: &Value) -> Vec<String> {
    let schema = &ready.plugin.description().settings_schema;
    let marked = ["host", "folder", "place"].into_iter().flat_map(|mark| {
        cofferdam_runtime::marked(schema, mark).into_iter().map(move |place| (mark, place))
    });
    let written =
        marked.map(|(mark, place)| match (mark, cofferdam_runtime::at_place(settings, &place)) {
            ("host", Some(Value::String(text))) => plain_host(text),
            ("folder", Some(Value::String(text))) => {
                plain_folder(Path::new(text)).display().to_string()
            }
            (_, Some(other)) => other.to_string(),
            (_, None) => String::new(),
        });
    written.collect()
}

/// Without `.`, double slashes, and one at the end.
fn plain_folder(folder: &Path) -> PathBuf {
    folder.components().collect()
}

/// An address with its port, whether it is written or not, in small letters, and
/// without a slash at its end.
fn plain_host(text: &str) -> String {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| rest[at..].trim_end_matches('/'));
    match destinations::places::place_of(text) {
        Some((host, port)) => format!("{}:{port}{path}", host.to_ascii_lowercase()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_is_written_in_several_ways() {
        for same in ["https://s3.example.org", "https://S3.Example.org:443/", "s3.example.org"] {
            assert_eq!(plain_host(same), "s3.example.org:443", "{same}");
        }
        assert_eq!(plain_host("http://nas:9000/a/"), plain_host("http://NAS:9000/a"));
        for other in ["http://nas:9000/A", "http://nas:9001/a", "https://nas:9000"] {
            assert_ne!(plain_host(other), plain_host("http://nas:9000/a"), "{other}");
        }
        for same in ["/srv/copies/", "/srv//copies", "/srv/./copies"] {
            assert_eq!(plain_folder(Path::new(same)), PathBuf::from("/srv/copies"));
        }
    }
}
