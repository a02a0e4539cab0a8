//! Puts records and files back in step: after a crash or a kill at the start,
//! and for jobs whose worker has died.

use std::{collections::HashMap, sync::Arc};

use cofferdam_artifact::{Entries, Folder};
use cofferdam_catalog::{Adopted, Lease};
use cofferdam_model::{BackupId, BackupStatus, Failure, FailureKind, FileState};

use super::{Actor, Error, Result, audit, databases, files};
use crate::{app::App, hub::Change, worker};

/// Prefix of the names under which consoles hold leases. Only one console
/// serves a data folder, so at its start every such lease is a dead one's.
pub const CONSOLE: &str = "console-";

/// What was found and done, for the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Runs that had been cut off.
    pub interrupted: u32,
    /// Partial files removed.
    pub partials: u32,
    /// Files that had no finished record and now have one.
    pub adopted: u32,
    /// Deletions that had been cut off and are done now.
    pub deleted: u32,
    /// Records whose file is missing or has another size.
    pub damaged: u32,
}

/// The start of a console: holds the data folder's lock, before any job runs.
pub async fn at_start(app: &Arc<App>) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let dead: Vec<Lease> =
        app.catalog.leases().await?.into_iter().filter(|lease| lease.worker.starts_with(CONSOLE)).collect();
    match app.folder().await {
        Ok(folder) => reconcile_files(app, &folder, &mut report).await?,
        Err(failure) => {
            tracing::error!("{failure}; nothing is deleted, and no backup runs until it is there");
        }
    }
    for lease in dead {
        if take(app, &lease, "reconciliation").await? {
            report.interrupted += 1;
        }
    }
    if report != Report::default() {
        tracing::info!(?report, "records and files were put back in step");
    }
    Ok(report)
}

/// Jobs whose lease has expired. One that is still expired, unrenewed, after
/// the time of several renewals is taken over and closed.
pub async fn take_dead_jobs(app: &Arc<App>, name: &str) -> Result<()> {
    for lease in app.catalog.expired_jobs(app.now()).await? {
        if app.hub.running(lease.backup_id).is_some() {
            continue;
        }
        // `take_over` refuses when the holder has renewed since this look.
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        take(app, &lease, name).await?;
    }
    Ok(())
}

/// Takes a dead worker's job over and closes it: completed if its file was
/// published, else failed. False when it is no longer there or was renewed.
async fn take(app: &Arc<App>, lease: &Lease, name: &str) -> Result<bool> {
    let id = lease.backup_id;
    if adopt_published(app, id).await? {
        return Ok(false);
    }
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    let Some(job) = tx.take_over(lease, name, now, worker::LEASE).await? else { return Ok(false) };
    let failure = Failure::new(FailureKind::Interrupted, "the console was stopped or killed while the backup ran; nothing of it was kept")
        .hint("start the backup again");
    tx.finish_failed(id, job.fence, &failure, now).await?;
    tx.commit().await?;
    app.hub.tell(Change::Backup(id));
    app.hub.tell(Change::List);
    end_sessions(app.clone(), lease).await;
    Ok(true)
}

/// A file with its sidecar is a whole backup, whatever its record says.
async fn adopt_published(app: &Arc<App>, id: BackupId) -> Result<bool> {
    let Ok(folder) = app.folder().await else { return Ok(false) };
    let entries = folder.entries().map_err(|error| Error::Internal(error.into()))?;
    for entry in entries.artifacts {
        if let Ok(sidecar) = folder.read_sidecar(entry.name.as_str())
            && sidecar.id == id
            && sidecar.size_bytes == entry.size_bytes
        {
            let mut tx = app.catalog.begin().await?;
            // Our claim is that the worker is dead; its lease may not have expired yet.
            let lease = app.catalog.leases().await?.into_iter().find(|lease| lease.backup_id == id);
            if let Some(lease) = lease
                && let Some(job) = tx.take_over(&lease, "reconciliation", app.now(), worker::LEASE).await?
            {
                tx.finish_completed(id, job.fence, &sidecar).await?;
            }
            tx.commit().await?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// A killed console leaves its dump's session on the server until the server
/// notices; ending it is a courtesy that nothing waits for.
async fn end_sessions(app: Arc<App>, lease: &Lease) {
    let (id, database) = (lease.backup_id, lease.database_id);
    tokio::spawn(async move {
        let Ok(Some(database)) = app.catalog.database(database).await else { return };
        let Ok(connection) = databases::open(&app, &database) else { return };
        let ended = tokio::task::spawn_blocking(move || cofferdam_backup::end_backends(&connection, &app.clients, id));
        if let Ok(Err(failure)) = ended.await {
            tracing::info!(backup = %id, "a session that may be left on the server could not be ended: {failure}");
        }
    });
}

async fn reconcile_files(app: &Arc<App>, folder: &Folder, report: &mut Report) -> anyhow::Result<()> {
    let entries = {
        let folder = folder.clone();
        tokio::task::spawn_blocking(move || folder.entries()).await??
    };
    remove_partials(app, folder, &entries, report).await?;
    adopt_orphans(app, folder, &entries, report).await?;
    remove_lone_sidecars(app, folder, &entries, report).await?;
    for entry in &entries.without_sidecar {
        tracing::warn!(file = entry.name.as_str(), "a file without its sidecar is left alone");
    }
    check_presence(app, &entries, report).await
}

/// Partial files of runs that no living worker holds.
async fn remove_partials(app: &App, folder: &Folder, entries: &Entries, report: &mut Report) -> anyhow::Result<()> {
    let now = app.now();
    let leases = app.catalog.leases().await?;
    let living = |id: BackupId| {
        leases.iter().any(|it| it.backup_id == id && !it.worker.starts_with(CONSOLE) && !it.is_expired(now))
    };
    for partial in &entries.partials {
        if partial.backup.is_some_and(living) {
            continue;
        }
        folder.remove_partial(partial)?;
        report.partials += 1;
    }
    Ok(())
}

/// Whole files whose record is missing or unfinished; and files whose deletion
/// was cut off after its tombstone.
async fn adopt_orphans(app: &Arc<App>, folder: &Folder, entries: &Entries, report: &mut Report) -> anyhow::Result<()> {
    for entry in &entries.artifacts {
        let name = entry.name.as_str();
        let record = app.catalog.backup_by_filename(name).await?;
        if record.is_some_and(|it| it.status == BackupStatus::Completed) {
            continue;
        }
        let sidecar = match folder.read_sidecar(name) {
            Ok(sidecar) => sidecar,
            Err(error) => {
                tracing::warn!(file = name, "a file is left alone: {error}");
                continue;
            }
        };
        if app.catalog.tombstone(sidecar.id).await?.is_some() {
            folder.remove(name)?;
            report.deleted += 1;
            continue;
        }
        if sidecar.size_bytes != entry.size_bytes {
            tracing::warn!(file = name, "a file is left alone: its size is not the one in its sidecar");
            continue;
        }
        if adopt_published(app, sidecar.id).await? && app.catalog.backup_by_filename(name).await?.is_some() {
            report.adopted += 1;
            continue;
        }
        let now = app.now();
        let mut tx = app.catalog.begin().await?;
        match tx.adopt(&sidecar, now).await {
            Ok(Adopted::Known) => {}
            Ok(Adopted::Inserted | Adopted::Completed) => {
                if let Some(backup) = tx.backup(sidecar.id).await? {
                    audit::record(&mut tx, &Actor::system(), "backup.adopt", audit::Object::backup(&backup), now).await?;
                }
                tx.commit().await?;
                report.adopted += 1;
            }
            Err(error @ (cofferdam_catalog::Error::Conflict(_) | cofferdam_catalog::Error::Tombstoned(_))) => {
                tracing::warn!(file = name, "a file is left alone: {error}");
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

/// A sidecar alone is what a crash between the two renames leaves, or a
/// deletion that was cut off. Beside a completed record it stays: the file may
/// have been moved away and come back.
async fn remove_lone_sidecars(app: &App, folder: &Folder, entries: &Entries, report: &mut Report) -> anyhow::Result<()> {
    let now = app.now();
    let leases: HashMap<_, _> = app.catalog.leases().await?.into_iter().map(|it| (it.backup_id, it)).collect();
    for entry in &entries.lone_sidecars {
        let name = entry.name.as_str();
        let Ok(sidecar) = folder.read_sidecar(name) else { continue };
        let record = app.catalog.backup(sidecar.id).await?;
        let completed = record.is_some_and(|it| it.status == BackupStatus::Completed);
        let living = leases.get(&sidecar.id).is_some_and(|it| !it.worker.starts_with(CONSOLE) && !it.is_expired(now));
        if !completed && !living {
            folder.remove(name)?;
            report.deleted += 1;
        }
    }
    Ok(())
}

/// Every completed record against what the folder holds.
async fn check_presence(app: &App, entries: &Entries, report: &mut Report) -> anyhow::Result<()> {
    let sizes: HashMap<&str, u64> = entries
        .artifacts
        .iter()
        .chain(&entries.without_sidecar)
        .map(|entry| (entry.name.as_str(), entry.size_bytes))
        .collect();
    let mut after = None;
    loop {
        let page = app.catalog.completed_after(after, 500).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for backup in page {
            let size = backup.filename.as_deref().and_then(|name| sizes.get(name).copied());
            let fits = size.is_some() && size == backup.size_bytes;
            if fits != (backup.file_state == Some(FileState::Present)) {
                let seen = files::look(app, backup).await.map_err(anyhow::Error::new)?;
                if seen.file_state != Some(FileState::Present) {
                    report.damaged += 1;
                }
            }
        }
    }
}
