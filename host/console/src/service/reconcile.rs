//! Puts records and files back in step: after a crash or a kill at the start,
//! and for jobs whose worker has died.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use cofferdam_artifact::{Entries, Folder};
use cofferdam_catalog::{Adopted, Lease};
use cofferdam_model::{BackupId, BackupStatus, Failure, FailureKind, FileState, Sidecar};

use super::{Actor, audit, databases, files};
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
/// `name` is the one under which it will hold its leases.
pub async fn at_start(app: &Arc<App>, name: String) -> anyhow::Result<Caretaker> {
    let mut report = Report::default();
    let mut dead = app.catalog.leases().await?;
    dead.retain(|lease| lease.worker.starts_with(CONSOLE));
    let behind = match app.folder().await {
        Ok(folder) => {
            let entries = list(&folder).await?;
            let unclaimed = unclaimed(app, &folder, &entries).await?;
            close_all(app, &dead, &name, Some(&unclaimed), &mut report).await?;
            put_in_step(app, &folder, &entries, &unclaimed, &name, &mut report).await?;
            false
        }
        Err(failure) => {
            tracing::error!("{failure}; nothing is deleted, and no backup runs until it is there");
            // Whether a run had published its file cannot be seen now; once
            // the folder is there, what was marked interrupted is adopted.
            close_all(app, &dead, &name, None, &mut report).await?;
            true
        }
    };
    tell(&report);
    Ok(Caretaker { app: app.clone(), name, suspects: Vec::new(), behind })
}

fn tell(report: &Report) {
    if *report != Report::default() {
        tracing::info!(?report, "records and files were put back in step");
    }
}

/// All that follows from what is in the folder. Runs of the console `name`
/// itself, and of other living workers, are left alone.
async fn put_in_step(
    app: &App,
    folder: &Folder,
    entries: &Entries,
    unclaimed: &[Unclaimed],
    name: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    // Read after the files: a run that began since then has none among them.
    // A command line's lease counts as living here, expired or not: a clock
    // that was set makes living ones look expired. The caretaker looks twice.
    let mut living = app.catalog.leases().await?;
    living.retain(|it| it.worker == name || !it.worker.starts_with(CONSOLE));
    let living: HashSet<BackupId> = living.into_iter().map(|it| it.backup_id).collect();
    remove_partials(folder, entries, &living, report)?;
    adopt(app, folder, unclaimed, &living, report).await?;
    remove_lone_sidecars(app, folder, entries, &living, report).await?;
    check_presence(app, entries, report).await
}

/// Looks after jobs whose worker has died, and files that go missing, while
/// the console runs.
pub struct Caretaker {
    app: Arc<App>,
    name: String,
    /// Leases that were expired at the last look. One that is expired and
    /// unrenewed at two looks in a row is a dead worker's, whatever the clock did.
    suspects: Vec<Lease>,
    /// The folder could not be used at the start, and its files wait for a look.
    behind: bool,
}

impl Caretaker {
    /// For a command line, which closes dead workers' jobs so that its own is
    /// not kept waiting by them, and does nothing else to the folder.
    pub fn beside(app: Arc<App>, name: String) -> Self {
        Self { app, name, suspects: Vec::new(), behind: false }
    }

    /// Closes the jobs of dead workers.
    pub async fn jobs(&mut self) -> anyhow::Result<()> {
        let mut expired = self.app.catalog.expired_jobs(self.app.now()).await?;
        expired.retain(|lease| self.app.hub.running(lease.backup_id).is_none());
        let dead: Vec<Lease> =
            expired.iter().filter(|lease| self.suspects.contains(lease)).cloned().collect();
        self.suspects = expired;
        // Without the folder it cannot be told whether a file was published.
        let Ok(folder) = self.app.folder().await else { return Ok(()) };
        if dead.is_empty() && !self.behind {
            return Ok(());
        }
        let entries = list(&folder).await?;
        let unclaimed = unclaimed(&self.app, &folder, &entries).await?;
        if self.behind {
            let mut report = Report::default();
            put_in_step(&self.app, &folder, &entries, &unclaimed, &self.name, &mut report).await?;
            tell(&report);
            self.behind = false;
        }
        let closed =
            close_all(&self.app, &dead, &self.name, Some(&unclaimed), &mut Report::default())
                .await?;
        // Should its worker only have slept, it finds its file gone, as it must.
        for partial in &entries.partials {
            if partial.backup.is_some_and(|id| closed.contains(&id)) {
                folder.remove_partial(partial)?;
            }
        }
        Ok(())
    }

    /// Notes files that are no longer there, or are there again.
    pub async fn files(&self) -> anyhow::Result<()> {
        let Ok(folder) = self.app.folder().await else { return Ok(()) };
        check_presence(&self.app, &list(&folder).await?, &mut Report::default()).await
    }
}

/// A whole file whose record is missing or unfinished.
struct Unclaimed {
    sidecar: Sidecar,
}

async fn list(folder: &Folder) -> anyhow::Result<Entries> {
    let folder = folder.clone();
    Ok(tokio::task::spawn_blocking(move || folder.entries()).await??)
}

/// A file with its sidecar is a whole backup, whatever its record says: the
/// artifact gets its name last. What does not fit together is left alone.
async fn unclaimed(
    app: &App,
    folder: &Folder,
    entries: &Entries,
) -> anyhow::Result<Vec<Unclaimed>> {
    let mut found = Vec::new();
    for entry in &entries.artifacts {
        let name = entry.name.as_str();
        let record = app.catalog.backup_by_filename(name).await?;
        if record.is_some_and(|it| it.status == BackupStatus::Completed) {
            continue;
        }
        match folder.read_sidecar(name) {
            Ok(sidecar) if sidecar.size_bytes == entry.size_bytes => {
                found.push(Unclaimed { sidecar });
            }
            Ok(_) => tracing::warn!(
                file = name,
                "a file is left alone: its size is not the one in its sidecar"
            ),
            Err(error) => tracing::warn!(file = name, "a file is left alone: {error}"),
        }
    }
    for entry in &entries.without_sidecar {
        tracing::warn!(file = entry.name.as_str(), "a file without its sidecar is left alone");
    }
    Ok(found)
}

/// Takes dead workers' jobs over and closes them: completed where the file was
/// published, else failed. One that was renewed meanwhile is left to its worker.
/// Gives the backups whose jobs were closed. Without the folder (`None`) it is
/// not known whether a file was published.
async fn close_all(
    app: &Arc<App>,
    dead: &[Lease],
    name: &str,
    unclaimed: Option<&[Unclaimed]>,
    report: &mut Report,
) -> anyhow::Result<Vec<BackupId>> {
    let mut closed = Vec::new();
    for lease in dead {
        let id = lease.backup_id;
        let now = app.now();
        let mut tx = app.catalog.begin().await?;
        let Some(job) = tx.take_over(lease, name, now, worker::LEASE).await? else { continue };
        let published = unclaimed.unwrap_or_default().iter().find(|it| it.sidecar.id == id);
        if let Some(published) = published {
            tx.finish_completed(id, job.fence, &published.sidecar).await?;
            report.adopted += 1;
        } else {
            let kept = match unclaimed {
                Some(_) => "nothing of it was kept",
                None => "whether its file was whole is seen when the backup folder is back",
            };
            let failure = Failure::new(
                FailureKind::Interrupted,
                format!("the console was stopped or killed while the backup ran; {kept}"),
            )
            .hint("start the backup again");
            tx.finish_failed(id, job.fence, &failure, now).await?;
            report.interrupted += 1;
        }
        tx.commit().await?;
        app.hub.tell(Change::Backup(id));
        app.hub.tell(Change::List);
        end_sessions(app.clone(), lease);
        closed.push(id);
    }
    Ok(closed)
}

/// A killed console leaves its dump's session on the server until the server
/// notices; ending it is a courtesy that nothing waits for.
fn end_sessions(app: Arc<App>, lease: &Lease) {
    let (id, database) = (lease.backup_id, lease.database_id);
    tokio::spawn(async move {
        let Ok(Some(database)) = app.catalog.database(database).await else { return };
        let Ok(connection) = databases::open(&app, &database) else { return };
        let ended = tokio::task::spawn_blocking(move || {
            cofferdam_backup::end_backends(&connection, &app.clients(), id)
        });
        if let Ok(Err(failure)) = ended.await {
            tracing::info!(backup = %id, "a session that may be left on the server could not be ended: {failure}");
        }
    });
}

/// Partial files of runs that no living worker holds.
fn remove_partials(
    folder: &Folder,
    entries: &Entries,
    living: &HashSet<BackupId>,
    report: &mut Report,
) -> anyhow::Result<()> {
    for partial in &entries.partials {
        if !partial.backup.is_some_and(|id| living.contains(&id)) {
            folder.remove_partial(partial)?;
            report.partials += 1;
        }
    }
    Ok(())
}

/// Takes orphans into the catalog, and finishes deletions that were cut off
/// after their tombstone.
async fn adopt(
    app: &App,
    folder: &Folder,
    unclaimed: &[Unclaimed],
    living: &HashSet<BackupId>,
    report: &mut Report,
) -> anyhow::Result<()> {
    for Unclaimed { sidecar } in unclaimed.iter().filter(|it| !living.contains(&it.sidecar.id)) {
        let name = &sidecar.filename;
        let now = app.now();
        let mut tx = app.catalog.begin().await?;
        match tx.adopt(sidecar, now).await {
            Ok(Adopted::Known) => tx.commit().await?,
            Ok(Adopted::Inserted | Adopted::Completed) => {
                if let Some(backup) = tx.backup(sidecar.id).await? {
                    audit::record(
                        &mut tx,
                        &Actor::system(),
                        "backup.adopt",
                        audit::Object::backup(&backup),
                        now,
                    )
                    .await
                    .map_err(anyhow::Error::new)?;
                }
                tx.commit().await?;
                report.adopted += 1;
            }
            Err(cofferdam_catalog::Error::Tombstoned(_)) => {
                folder.remove(name)?;
                report.deleted += 1;
            }
            Err(error @ cofferdam_catalog::Error::Conflict(_)) => {
                tracing::warn!(file = name, "a file is left alone: {error}");
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

/// A sidecar alone is what a crash between the two renames leaves, or a
/// deletion that was cut off. Beside a completed record it stays: the file may
/// have been moved away and come back. One that the catalog has never heard of
/// stays too: somebody may just be copying backups into the folder.
async fn remove_lone_sidecars(
    app: &App,
    folder: &Folder,
    entries: &Entries,
    living: &HashSet<BackupId>,
    report: &mut Report,
) -> anyhow::Result<()> {
    for entry in &entries.lone_sidecars {
        let name = entry.name.as_str();
        let Ok(sidecar) = folder.read_sidecar(name) else { continue };
        let left_over = match app.catalog.backup(sidecar.id).await? {
            Some(record) => record.status != BackupStatus::Completed,
            None => app.catalog.tombstone(sidecar.id).await?.is_some(),
        };
        if left_over && !living.contains(&sidecar.id) {
            folder.remove_lone_sidecar(name)?;
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
