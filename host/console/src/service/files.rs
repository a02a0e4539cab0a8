//! The files of backups: whether they are there, and their bytes.

use std::{fmt::Write as _, fs::File, time::Duration};

use cofferdam_artifact::{FolderError, follow::Live};
use cofferdam_model::{
    Backup, BackupId, BackupStatus, Database, Engine, FileState, LogLine, Role, TableFacts,
};
use tokio::sync::watch;

use super::{Actor, Error, Result, audit, backups, connection, fetch};
use crate::{
    app::{App, FOLDER_LIMIT, at_folder},
    hub::{Change, Running},
};

/// The bytes of a backup.
pub enum Source {
    /// It is whole.
    File {
        /// Its record as it is now.
        backup: Box<Backup>,
        /// Open for reading.
        file: File,
        /// Its size now, which is the recorded one.
        size: u64,
    },
    /// It is gone here, and a destination has a copy.
    Remote {
        /// Its record as it is now.
        backup: Box<Backup>,
        /// Where it comes from.
        copies: fetch::Copies,
    },
    /// It is being made by this process; its bytes come as they are written.
    Running(watch::Receiver<Option<Live>>),
}

/// Opens a backup for somebody who downloads it.
pub async fn open(app: &App, by: &Actor, backup: &Backup) -> Result<Source> {
    if by.role < Role::Administrator && is_own_catalog(app, backup).await? {
        // It holds everybody's password hashes.
        audit::denied(app, by, "download of the console's own catalog").await;
        return Err(Error::Forbidden);
    }
    match backup.status {
        BackupStatus::Completed => open_file(app, backup).await,
        BackupStatus::Running => match app.hub.running(backup.id) {
            Some(Running { live, .. }) => Ok(Source::Running(live.subscribe())),
            // It may have ended between the two looks.
            None => match backups::get(app, backup.id).await? {
                ended if ended.status == BackupStatus::Completed => open_file(app, &ended).await,
                _ => Err(Error::Conflict {
                    message: "the backup is being made by another process".to_owned(),
                    hint: Some("download it when it is completed".to_owned()),
                }),
            },
        },
        BackupStatus::Pending => Err(Error::Conflict {
            message: "the backup has not begun yet".to_owned(),
            hint: Some("download it when it runs or is completed".to_owned()),
        }),
        BackupStatus::Failed | BackupStatus::Cancelled => {
            Err(Error::NotFound("file of this backup"))
        }
    }
}

/// Notes in the audit log, before the first byte leaves, who gets a backup.
pub async fn note_download(app: &App, by: &Actor, backup: &Backup) -> Result<()> {
    audit::record_alone(app, by, "backup.download", audit::Object::backup(backup)).await
}

/// The same for one of several parts.
pub async fn note_part(app: &App, by: &Actor, backup: &Backup) -> Result<()> {
    audit::record_part(app, by, "backup.download", audit::Object::backup(backup)).await
}

/// Tables that every catalog has, and hardly another database all of.
const TELLING: [&str; 4] = ["users", "sessions", "audit", "backup_facts"];

/// Whether this is a backup of the console's own catalog, or of a copy of it.
/// What is in the file decides: data folder and settings may have changed
/// since. Of a file that is not there yet, the database's path is known; an
/// SQLite database that was removed might be the catalog, so it counts as it.
async fn is_own_catalog(app: &App, backup: &Backup) -> Result<bool> {
    if backup.engine != Engine::Sqlite {
        return Ok(false);
    }
    let facts = app.catalog.backup_facts(backup.id).await?;
    if facts.is_some_and(|facts| looks_like_catalog(&facts.tables)) {
        return Ok(true);
    }
    let began_as = app.hub.running(backup.id).and_then(|it| it.own_catalog.get().copied());
    if began_as == Some(true) {
        return Ok(true);
    }
    let Some(database) = app.catalog.database(backup.database_id).await? else { return Ok(true) };
    Ok(is_own(app, &database))
}

fn looks_like_catalog(tables: &[TableFacts]) -> bool {
    TELLING.iter().all(|name| tables.iter().any(|table| table.name.trim_matches('"') == *name))
}

/// Whether a database is the console's own catalog.
pub fn is_own(app: &App, database: &Database) -> bool {
    let path = connection::stored_path(database);
    path.is_some_and(|path| connection::same_file(&path, &app.config.catalog))
}

async fn open_file(app: &App, backup: &Backup) -> Result<Source> {
    let seen = look(app, backup.clone()).await?;
    if seen.file_state != Some(FileState::Present)
        && let Some(copies) = fetch::copies(app, &seen).await?
    {
        return Ok(Source::Remote { backup: Box::new(seen), copies });
    }
    match (seen.file_state, seen.filename.clone()) {
        (Some(FileState::Present), Some(name)) => {
            let folder = app.folder().await?;
            let opened = tokio::task::spawn_blocking(move || folder.open_artifact(&name)).await;
            let file = opened
                .map_err(|error| Error::Internal(error.into()))?
                .map_err(|error| Error::Internal(error.into()))?;
            let size = file.metadata()?.len();
            Ok(Source::File { backup: Box::new(seen), file, size })
        }
        (Some(FileState::Corrupt), _) => Err(Error::Conflict {
            message: "the file is not the one that was recorded: its size has changed".to_owned(),
            hint: Some("restore another backup; this one cannot be trusted".to_owned()),
        }),
        _ => Err(Error::Conflict {
            message: "the file is missing from the backup folder".to_owned(),
            hint: Some("put it back under its name, and it is found again".to_owned()),
        }),
    }
}

/// Looks whether a completed backup's file is there with its recorded size,
/// and notes what has changed. A folder that cannot be looked at says nothing.
pub async fn look(app: &App, mut backup: Backup) -> Result<Backup> {
    if let Some(found) = changed(app, &backup).await? {
        note(app, &[(backup.id, found)]).await;
        backup.file_state = Some(found);
    }
    Ok(backup)
}

/// The state of a completed backup's file, where it is another than recorded.
pub async fn changed(app: &App, backup: &Backup) -> Result<Option<FileState>> {
    let (BackupStatus::Completed, Some(name)) = (backup.status, backup.filename.clone()) else {
        return Ok(None);
    };
    let Ok(folder) = app.folder().await else { return Ok(None) };
    let size = at_folder(FOLDER_LIMIT, move || {
        Ok(folder.open_artifact(&name).map(|file| file.metadata().ok().map(|it| it.len())))
    });
    let found = match size.await.map_err(Error::Internal)? {
        Ok(None) => return Ok(None),
        Ok(size) if size == backup.size_bytes => FileState::Present,
        Ok(_) => FileState::Corrupt,
        Err(error) if is_missing(&error) => FileState::Missing,
        Err(error) => {
            tracing::warn!(backup = %backup.id, "the file cannot be looked at: {error}");
            return Ok(None);
        }
    };
    Ok((backup.file_state != Some(found)).then_some(found))
}

/// Notes the states of files, all in one transaction.
pub async fn note(app: &App, states: &[(BackupId, FileState)]) {
    if states.is_empty() {
        return;
    }
    let noted = async {
        let mut tx = app.catalog.begin_within(Duration::ZERO).await?;
        for (id, found) in states {
            match tx.set_file_state(*id, *found).await {
                // It was deleted meanwhile.
                Err(cofferdam_catalog::Error::Conflict(_)) => {}
                other => other?,
            }
        }
        tx.commit().await
    };
    // What was seen counts, also while the catalog cannot be written; the
    // next look notes it.
    if let Err(error) = noted.await {
        tracing::warn!(count = states.len(), "the states of files were not noted: {error}");
    }
    for (id, _) in states {
        app.hub.tell(Change::Backup(*id));
    }
    app.hub.tell(Change::List);
}

fn is_missing(error: &FolderError) -> bool {
    // A link or a folder under the name is not the file.
    matches!(error, FolderError::NotFound(_) | FolderError::NotAFile(_))
}

/// Free bytes where the backups are kept, if they can be told.
pub async fn free_bytes(app: &App) -> Option<u64> {
    app.folder().await.ok()?.free_bytes().ok()
}

/// A log as text, one line each.
pub fn log_text(lines: &[LogLine]) -> String {
    let mut text = String::new();
    for line in lines {
        let at = line.at.format("%Y-%m-%dT%H:%M:%S%.3fZ");
        let _ = writeln!(text, "{at} {:7} {}", line.level.as_str(), line.text);
    }
    text
}
