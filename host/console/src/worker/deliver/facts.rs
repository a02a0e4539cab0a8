//! What a plugin gets to know of a backup, and its file.

use std::{fs::File, io, os::unix::fs::FileExt as _, sync::Arc};

use cofferdam_model::{Backup, Destination};
use cofferdam_runtime::{Artifact, BackupFacts};
use serde_json::json;

use crate::{
    app::App,
    service::{Result, deliveries},
};

/// A backup's file, open for reading.
struct Open {
    file: File,
    size: u64,
    sha256: Option<[u8; 32]>,
}

impl Artifact for Open {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn sha256(&self) -> Option<[u8; 32]> {
        self.sha256
    }
}

/// The bytes of 64 hexadecimal digits.
fn digest(digits: &str) -> Option<[u8; 32]> {
    let bytes = hex::decode(digits).ok()?;
    bytes.try_into().ok()
}

/// The facts of a completed backup, without its file.
pub(super) async fn of(app: &App, backup: &Backup, sidecar: String) -> Result<BackupFacts> {
    let shown = deliveries::with_backup(app, backup).await?;
    Ok(BackupFacts {
        id: backup.id.to_string(),
        database: backup.database.to_string(),
        engine: backup.engine.as_str().to_owned(),
        filename: backup.filename.clone().unwrap_or_default(),
        size: backup.size_bytes.unwrap_or_default(),
        sha256: backup.sha256.clone().unwrap_or_default(),
        created_at: backup.created_at,
        completed_at: backup.completed_at.unwrap_or(backup.created_at),
        document: serde_json::to_value(shown)
            .map_err(|error| crate::service::Error::Internal(error.into()))?,
        sidecar,
    })
}

/// The sidecar's text; empty where it cannot be read.
pub(super) async fn sidecar(app: &App, backup: &Backup) -> String {
    let Some(name) = backup.filename.clone() else { return String::new() };
    let Ok(folder) = app.folder().await else { return String::new() };
    let read = tokio::task::spawn_blocking(move || folder.read_sidecar(&name));
    match read.await {
        Ok(Ok(sidecar)) => serde_json::to_string_pretty(&sidecar).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The facts of a completed backup and its file, for a destination that is to keep
/// it: the document says whether that should have copies already. The error is for
/// people.
pub(super) async fn with_file(
    app: &App,
    backup: &Backup,
    destination: &Destination,
) -> Result<(BackupFacts, Arc<dyn Artifact>), String> {
    let name = backup.filename.clone().ok_or("the backup has no file")?;
    let folder = app.folder().await.map_err(|failure| failure.to_string())?;
    let opened = tokio::task::spawn_blocking(move || {
        let file = folder.open_artifact(&name).map_err(|error| error.to_string())?;
        let size = file.metadata().map_err(|error| error.to_string())?.len();
        let sidecar = folder.read_sidecar(&name).map_err(|error| error.to_string())?;
        Ok::<_, String>((file, size, sidecar))
    });
    let (file, size, sidecar) = opened.await.map_err(|error| error.to_string())??;
    if Some(size) != backup.size_bytes {
        return Err("the file is not the one that was recorded: its size has changed".to_owned());
    }
    let sidecar = serde_json::to_string_pretty(&sidecar).map_err(|error| error.to_string())?;
    let mut facts = of(app, backup, sidecar).await.map_err(|error| error.to_string())?;
    let has_copies = app.catalog.has_copies(destination.id).await;
    let has_copies = has_copies.map_err(|error| error.to_string())?;
    facts.document["destination"] = json!({ "name": destination.name, "has_copies": has_copies });
    let sha256 = digest(&facts.sha256);
    Ok((facts, Arc::new(Open { file, size, sha256 })))
}
