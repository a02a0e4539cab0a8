//! Which backup somebody means.

use cofferdam_model::Backup;

use super::{Error, Result, backups};
use crate::app::App;

/// Shorter parts of identifiers fit by chance.
const PART_MIN: usize = 6;
/// The longest name that a file can have.
const NAME_MAX: usize = 255;
/// So many backups are named when several fit.
const FITTING_MAX: u32 = 10;

/// A backup by what people have at hand: its identifier, at least six
/// characters of that identifier's end (or beginning), or its file's name. A
/// part that fits several is a conflict that names them.
pub async fn find(app: &App, key: &str) -> Result<Backup> {
    if let Ok(id) = key.parse() {
        return backups::get(app, id).await;
    }
    let unknown = || Error::NotFound("backup");
    if key.len() > NAME_MAX {
        return Err(unknown());
    }
    if key.len() < PART_MIN || !key.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-') {
        return app.catalog.backup_by_filename(key).await?.ok_or_else(unknown);
    }
    let mut fitting = app.catalog.backups_by_part(&key.to_lowercase(), FITTING_MAX + 1).await?;
    match fitting.len() {
        0 => Err(unknown()),
        1 => Ok(fitting.remove(0)),
        _ => Err(several(key, &fitting)),
    }
}

fn several(key: &str, fitting: &[Backup]) -> Error {
    let shown = fitting.iter().take(FITTING_MAX as usize);
    let mut each: Vec<_> = shown.map(|it| format!("{} of {}", it.id, it.database)).collect();
    if fitting.len() > each.len() {
        each.push("and more".to_owned());
    }
    Error::Conflict {
        message: format!("{key} fits several backups: {}", each.join(", ")),
        hint: Some(
            "the end of an identifier differs most; give more of it, or all of it".to_owned(),
        ),
    }
}
