//! Files and records that do not agree.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use cofferdam_artifact::{Entries, Folder, SidecarError};
use cofferdam_catalog::Adopted;
use cofferdam_model::{BackupId, BackupStatus, FileState, Sidecar};

use super::{CONSOLE, Report};
use crate::{
    app::{App, FOLDER_LIMIT, at_folder},
    service::{Actor, audit, backups, files},
};

/// A whole file whose record is missing or unfinished.
pub(super) struct Unclaimed {
    pub(super) sidecar: Sidecar,
}

/// Many thousands of files on a slow disk take their time.
const LISTING_LIMIT: Duration = Duration::from_mins(2);

pub(super) async fn list(folder: &Folder) -> anyhow::Result<Entries> {
    let folder = folder.clone();
    at_folder(LISTING_LIMIT, move || Ok(folder.entries()?)).await
}

/// A file with its sidecar is a whole backup, whatever its record says: the
/// artifact gets its name last. What does not fit together is left alone.
pub(super) async fn unclaimed(
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
        match read_sidecar(folder, name).await? {
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

async fn read_sidecar(
    folder: &Folder,
    name: &str,
) -> anyhow::Result<Result<Sidecar, SidecarError>> {
    let (folder, name) = (folder.clone(), name.to_owned());
    at_folder(FOLDER_LIMIT, move || Ok(folder.read_sidecar(&name))).await
}

/// All that follows from what is in the folder. Runs of the console `name`
/// itself, and of other living workers, are left alone.
pub(super) async fn put_in_step(
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
    remove_partials(folder, entries, &living, report).await?;
    adopt(app, folder, unclaimed, &living, report).await?;
    remove_lone_sidecars(app, folder, entries, &living, report).await?;
    check_presence(app, entries, report).await
}

/// Partial files of runs that no living worker holds.
pub(super) async fn remove_partials(
    folder: &Folder,
    entries: &Entries,
    living: &HashSet<BackupId>,
    report: &mut Report,
) -> anyhow::Result<()> {
    for partial in &entries.partials {
        if !partial.backup.is_some_and(|id| living.contains(&id)) {
            let (folder, partial) = (folder.clone(), partial.clone());
            at_folder(FOLDER_LIMIT, move || Ok(folder.remove_partial(&partial)?)).await?;
            report.partials += 1;
        }
    }
    Ok(())
}

/// Takes orphans into the catalog, and finishes deletions that were cut off
/// after their tombstone.
pub(super) async fn adopt(
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
                let (folder, id, name) = (folder.clone(), sidecar.id, name.clone());
                let remove = move || Ok(backups::remove_file(&folder, id, &name)?);
                at_folder(FOLDER_LIMIT, remove).await?;
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
pub(super) async fn remove_lone_sidecars(
    app: &App,
    folder: &Folder,
    entries: &Entries,
    living: &HashSet<BackupId>,
    report: &mut Report,
) -> anyhow::Result<()> {
    for entry in &entries.lone_sidecars {
        let name = entry.name.as_str();
        let Ok(sidecar) = read_sidecar(folder, name).await? else { continue };
        let left_over = match app.catalog.backup(sidecar.id).await? {
            Some(record) => record.status != BackupStatus::Completed,
            None => app.catalog.tombstone(sidecar.id).await?.is_some(),
        };
        if left_over && !living.contains(&sidecar.id) {
            let (folder, name) = (folder.clone(), name.to_owned());
            at_folder(FOLDER_LIMIT, move || Ok(folder.remove_lone_sidecar(&name)?)).await?;
            report.deleted += 1;
        }
    }
    Ok(())
}

/// Every completed record against what the folder holds.
pub(super) async fn check_presence(
    app: &App,
    entries: &Entries,
    report: &mut Report,
) -> anyhow::Result<()> {
    let sizes: HashMap<&str, u64> = entries
        .artifacts
        .iter()
        .chain(&entries.without_sidecar)
        .map(|entry| (entry.name.as_str(), entry.size_bytes))
        .collect();
    let mut after = None;
    loop {
        let page = app.catalog.files_after(after, 500).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        let mut states = Vec::new();
        for file in page {
            let fits = sizes.get(file.filename.as_str()) == Some(&file.size_bytes);
            if fits != (file.state == FileState::Present) {
                // It may have been deleted since.
                let Some(backup) = app.catalog.backup(file.id).await? else { continue };
                let found = files::changed(app, &backup).await.map_err(anyhow::Error::new)?;
                if found.or(backup.file_state) != Some(FileState::Present) {
                    report.damaged += 1;
                }
                states.extend(found.map(|found| (file.id, found)));
            }
        }
        // One flush of the disk for a page, not for each file.
        files::note(app, &states).await;
    }
}
