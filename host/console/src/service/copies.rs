//! Where a copy at a destination really is: locations are the plugin's words,
//! and mean something only together with the settings that they were made with.

use cofferdam_model::{BackupId, Destination, Slug};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    Result, destinations,
    plugins::{Ready, Usable},
};
use crate::app::App;

/// A mark of the place that a copy is stored at, as far as the settings and the
/// granted folder say it.
pub fn stored_with(ready: &Ready, settings: &Value) -> String {
    let mut hash = Sha256::new();
    for value in place(ready, settings) {
        hash.update(value.map(Value::to_string).unwrap_or_default());
        hash.update([0]);
    }
    if let Some(folder) = &ready.grants.folder {
        hash.update(folder.as_os_str().as_encoded_bytes());
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
    for other in app.catalog.copies_at(location).await? {
        if !other.is_copy() || (other.destination, other.backup) == (destination.id, backup) {
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

/// What of the settings says where copies are, as the schema marks it.
fn place<'s>(ready: &Ready, settings: &'s Value) -> Vec<Option<&'s Value>> {
    let schema = &ready.plugin.description().settings_schema;
    let marks = ["host", "folder", "place"].into_iter();
    let marked = marks.flat_map(|mark| cofferdam_runtime::marked(schema, mark));
    marked.map(|place| cofferdam_runtime::at_place(settings, &place)).collect()
}
