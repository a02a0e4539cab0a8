//! Backups: asking for one, looking at them, cancelling, keeping, deleting.
//! How they are named and filtered is in `backup_find` and `backup_filter`.

use std::result::Result as StdResult;

use cofferdam_artifact::{Folder, FolderError};
use cofferdam_backup::Stop;
use cofferdam_catalog::{BackupFilter, BackupPage, Cancelled, Digest, NewBackup};
use cofferdam_model::{
    Backup, BackupId, BackupOptions, BackupStatus, Database, DestinationId, Label, Progress, UserId,
};

use super::{Actor, Error, FieldError, Result, audit, databases, destinations};
use crate::{
    app::{App, FOLDER_LIMIT},
    dto,
    hub::Change,
};

pub use super::{backup_filter::filter, backup_find::find};

/// How many labels one backup may have.
const LABELS_MAX: usize = 20;

/// Understands a wish. All wrong fields are named at once.
async fn understand(
    app: &App,
    wish: &dto::NewBackup,
) -> Result<(Database, BackupOptions, Option<Vec<DestinationId>>)> {
    let mut wrong = Vec::new();
    let mut refuse =
        |field: &'static str, message: String| wrong.push(FieldError::new(field, message));
    let mut options = BackupOptions::default();
    if let Some(text) = &wish.description {
        match text.parse() {
            Ok(description) => options.description = description,
            Err(error) => refuse("description", error.to_string()),
        }
    }
    if let Some(number) = wish.compression_level {
        match number.try_into() {
            Ok(level) => options.level = level,
            Err(error) => refuse("compression_level", error.to_string()),
        }
    }
    if let Some(text) = wish.format.as_deref().filter(|text| !text.is_empty()) {
        match text.parse() {
            Ok(format) => options.format = format,
            Err(error) => refuse("format", error.to_string()),
        }
    }
    if wish.encrypt == Some(true) {
        refuse("encrypt", "this version cannot encrypt backups".to_owned());
    }
    let mut destinations = wish.destinations.as_ref().map(|_| Vec::new());
    for key in wish.destinations.iter().flatten().filter(|key| !key.is_empty()) {
        match destinations::find(app, key).await {
            Ok(found) if !found.roles.storage => {
                refuse("destinations", format!("{key} does not keep backups"));
            }
            Ok(found) if !found.enabled => refuse("destinations", format!("{key} is switched off")),
            Ok(found) => destinations.get_or_insert_default().push(found.id),
            Err(Error::NotFound(_)) => {
                refuse("destinations", format!("there is no destination {key:?}"));
            }
            Err(other) => return Err(other),
        }
    }
    let database = match databases::find(app, &wish.database).await {
        Ok(database) => Some(database),
        Err(Error::NotFound(_)) => {
            refuse("database", "there is no such database".to_owned());
            None
        }
        Err(other) => return Err(other),
    };
    if let Some(database) = &database
        && let Err(failure) = cofferdam_backup::supports(database.engine, options.format)
    {
        refuse("format", failure.message);
    }
    match database {
        Some(database) if wrong.is_empty() => Ok((database, options, destinations)),
        _ => Err(Error::Invalid(wrong)),
    }
}

/// Records a backup and its job; a worker takes it from there. With a key, the
/// same wish sent again gives the same backup.
pub async fn create(
    app: &App,
    by: &Actor,
    wish: &dto::NewBackup,
    key: Option<(UserId, &str)>,
) -> Result<Backup> {
    if key.is_some_and(|(_, key)| key.is_empty() || key.len() > 255) {
        return Err(Error::BadRequest("an Idempotency-Key has 1 to 255 characters".to_owned()));
    }
    let request =
        Digest::of(serde_json::to_vec(wish).map_err(|error| Error::Internal(error.into()))?);
    let now = app.now();
    // What was answered once is answered again, even if the wish could not be
    // fulfilled any more: its database may be gone.
    let mut begun = None;
    if let Some((user, key)) = key {
        let tx = begun.insert(app.catalog.begin().await?);
        if let Some(earlier) = tx.earlier_request(user, key, request, now).await? {
            return tx
                .backup(earlier)
                .await?
                .ok_or_else(|| Error::conflict("the backup of this Idempotency-Key was deleted"));
        }
    }
    let (database, options, destinations) = understand(app, wish).await?;
    let mut tx = match begun {
        Some(tx) => tx,
        None => app.catalog.begin().await?,
    };
    let new = NewBackup {
        database_id: database.id,
        database: database.slug.clone(),
        engine: database.engine,
        trigger: by.trigger(),
        options,
        created_by: by.name.clone(),
        labels: Vec::new(),
        destinations,
    };
    let backup = tx.insert_backup(&new, now).await?;
    if let Some((user, key)) = key {
        tx.remember_request(user, key, request, backup.id, now).await?;
    }
    audit::record(&mut tx, by, "backup.create", audit::Object::backup(&backup), now).await?;
    tx.commit().await?;
    app.hub.tell(Change::List);
    app.hub.work.notify_one();
    Ok(backup)
}

/// One backup.
pub async fn get(app: &App, id: BackupId) -> Result<Backup> {
    app.catalog.backup(id).await?.ok_or(Error::NotFound("backup"))
}

/// A page of the list.
pub async fn list(app: &App, filter: &BackupFilter) -> Result<BackupPage> {
    Ok(app.catalog.backups(filter).await?)
}

/// How far a pending or running backup has come: from this process where it
/// runs here, else as its worker last recorded.
pub async fn progress(app: &App, backup: &Backup) -> Result<Option<Progress>> {
    match backup.status {
        BackupStatus::Pending => Ok(Some(Progress::default())),
        BackupStatus::Running => match app.hub.progress(backup.id) {
            Some(progress) => Ok(Some(progress)),
            None => {
                Ok(app.catalog.progress(backup.id).await?.or_else(|| Some(Progress::default())))
            }
        },
        _ => Ok(None),
    }
}

/// At most `limit` lines of the log after a line.
pub async fn log(app: &App, id: BackupId, after: i64, limit: u32) -> Result<Vec<dto::LogEntry>> {
    let lines = app.catalog.log(id, after, limit).await?;
    Ok(lines.into_iter().map(|it| dto::LogEntry { seq: it.seq, line: it.line }).collect())
}

/// All of the log after a line; 0 is before the first.
pub async fn whole_log(app: &App, id: BackupId, after: i64) -> Result<dto::BackupLog> {
    // More than the catalog ever keeps of one.
    const ALL: u32 = 20_000;
    Ok(dto::BackupLog { lines: log(app, id, after, ALL).await? })
}

/// Stops a backup that waits or runs.
pub async fn cancel(app: &App, by: &Actor, backup: &Backup) -> Result<()> {
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    let done = match tx.request_cancel(backup.id, now).await {
        Err(cofferdam_catalog::Error::Conflict(_)) => {
            return Err(Error::conflict("the backup is over already; there is nothing to cancel"));
        }
        other => other?,
    };
    audit::record(&mut tx, by, "backup.cancel", audit::Object::backup(backup), now).await?;
    tx.commit().await?;
    if done == Cancelled::Requested
        && let Some(running) = app.hub.running(backup.id)
    {
        running.control.cancel(Stop::Cancelled);
    }
    app.hub.tell(Change::Backup(backup.id));
    app.hub.tell(Change::List);
    Ok(())
}

/// Keeps a backup from every deletion, or no longer.
pub async fn set_pinned(app: &App, by: &Actor, backup: &Backup, pinned: bool) -> Result<Backup> {
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    tx.set_pinned(backup.id, pinned).await?;
    let action = if pinned { "backup.pin" } else { "backup.unpin" };
    audit::record(&mut tx, by, action, audit::Object::backup(backup), now).await?;
    tx.commit().await?;
    after_change(app, backup.id).await
}

/// Labels as typed, separated by commas: no label has one in it.
pub fn split_labels(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Gives a backup these labels in place of those it had.
pub async fn set_labels(
    app: &App,
    by: &Actor,
    backup: &Backup,
    labels: &[String],
) -> Result<Backup> {
    let labels: Vec<Label> = labels
        .iter()
        .map(|word| {
            if word.contains(',') {
                return Err(Error::field("labels", "a comma stands between labels, not in one"));
            }
            word.parse().map_err(|error| Error::field("labels", format!("{word}: {error}")))
        })
        .collect::<Result<_>>()?;
    if labels.len() > LABELS_MAX {
        return Err(Error::field("labels", format!("a backup has at most {LABELS_MAX} labels")));
    }
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    tx.set_labels(backup.id, &labels).await?;
    audit::record(&mut tx, by, "backup.label", audit::Object::backup(backup), now).await?;
    tx.commit().await?;
    after_change(app, backup.id).await
}

/// The sidecar repeats pin and labels, so that they survive the catalog.
pub async fn after_change(app: &App, id: BackupId) -> Result<Backup> {
    app.hub.tell(Change::Backup(id));
    // Of two changes at once, whoever writes last must have read last.
    let turn = app.sidecars.clone().lock_owned();
    let Ok(turn) = tokio::time::timeout(FOLDER_LIMIT, turn).await else {
        tracing::warn!(backup = %id, "the sidecar was not brought up to date: the folder does not answer");
        return get(app, id).await;
    };
    let backup = get(app, id).await?;
    let (Some(filename), BackupStatus::Completed) = (backup.filename.clone(), backup.status) else {
        return Ok(backup);
    };
    let (pinned, labels) = (backup.pinned, backup.labels.clone());
    let written = match app.folder().await {
        Ok(folder) => {
            let rewrite = move || {
                // Until it is written, even if whoever asked has gone away.
                let _turn = turn;
                let mut sidecar = folder.read_sidecar(&filename)?;
                if sidecar.pinned == pinned && sidecar.labels == labels {
                    return Ok(());
                }
                sidecar.pinned = pinned;
                sidecar.labels = labels;
                folder.update_sidecar(&filename, &sidecar)?;
                anyhow::Ok(())
            };
            tokio::task::spawn_blocking(rewrite)
                .await
                .map_err(|error| Error::Internal(error.into()))?
        }
        Err(failure) => Err(anyhow::Error::new(failure)),
    };
    if let Err(error) = written {
        // The catalog is what counts; the sidecar follows at the next change.
        tracing::warn!(backup = %id, "the sidecar could not be brought up to date: {error:#}");
    }
    Ok(backup)
}

/// Removes a backup's file, unless another backup has the name by now: then
/// the file is that one's.
pub fn remove_file(folder: &Folder, id: BackupId, filename: &str) -> StdResult<(), FolderError> {
    match folder.read_sidecar(filename) {
        Ok(sidecar) if sidecar.id != id => {
            tracing::warn!(file = filename, backup = %id, "the file is left: it is another backup's");
            Ok(())
        }
        _ => folder.remove(filename),
    }
}

/// Whether this is the only good backup of its database: without it there is
/// nothing to restore from.
pub async fn is_only_good(app: &App, backup: &Backup) -> Result<bool> {
    const PAGE: u32 = 100;
    let good = |it: &Backup| it.file_state == Some(cofferdam_model::FileState::Present);
    let mut filter = BackupFilter {
        status: vec![BackupStatus::Completed],
        database_id: Some(backup.database_id),
        limit: PAGE,
        ..BackupFilter::default()
    };
    while good(backup) {
        let page = list(app, &filter).await?.backups;
        if page.iter().any(|it| it.id != backup.id && good(it)) {
            return Ok(false);
        }
        if page.len() < PAGE as usize {
            return Ok(true);
        }
        filter.offset += u64::from(PAGE);
    }
    Ok(false)
}

/// Deletes a backup's record and file, and unless `keep_remote` its copies at
/// destinations, which a worker does from the queue. The tombstone comes first: if the
/// process dies in between, the next start finishes the deletion instead of
/// bringing the backup back.
pub async fn delete(app: &App, by: &Actor, backup: &Backup, keep_remote: bool) -> Result<()> {
    if matches!(backup.status, BackupStatus::Pending | BackupStatus::Running) {
        return Err(Error::Conflict {
            message: "the backup is still being made".to_owned(),
            hint: Some("cancel it first".to_owned()),
        });
    }
    let folder = match &backup.filename {
        Some(_) => Some(app.folder().await?),
        None => None,
    };
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    let deleted = tx.delete_backup(backup.id, keep_remote, &by.name, now).await?;
    let details = serde_json::json!({ "keep_remote": keep_remote });
    let object = audit::Object::backup(&deleted);
    audit::record_with(&mut tx, by, "backup.delete", object, details, now).await?;
    // A task of its own: once the record is gone, the file goes too, even if
    // whoever asked has gone away.
    let work = tokio::spawn(async move {
        tx.commit().await?;
        let Some((folder, filename)) = folder.zip(deleted.filename) else { return Ok(()) };
        let id = deleted.id;
        let remove = move || remove_file(&folder, id, &filename);
        let removed = tokio::task::spawn_blocking(remove).await;
        removed.map_err(|error| Error::Internal(error.into()))?.map_err(|error| Error::Conflict {
            message: format!(
                "the record is deleted, but its file could not be removed yet: {error}"
            ),
            hint: Some("it is removed at the next start".to_owned()),
        })
    });
    let done = work.await.map_err(|error| Error::Internal(error.into()))?;
    app.hub.tell(Change::List);
    app.hub.work.notify_one();
    done
}
