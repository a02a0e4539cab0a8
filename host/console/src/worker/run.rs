//! One run, from its lease to its record.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use cofferdam_backup::{Limits, Run, Stop};
use cofferdam_model::{Backup, BackupId, Failure, FailureKind, Job, Sidecar};
use tokio::time;

use super::{
    RENEW,
    notes::{Notes, renew},
    record::{record, write_lines},
};
use crate::{
    app::App,
    hub::{Change, Running},
    service::{backups, connection, databases},
};

/// Runs the leased job of a backup to its end and records the outcome.
/// It has its place in the hub from this call on, before it is first polled.
pub fn run_job(app: Arc<App>, id: BackupId, job: Job) -> impl Future<Output = ()> + Send {
    let place = Place::take(&app, id);
    app.hub.tell(Change::Backup(id));
    async move {
        let _place = place;
        let outcome = match prepare(&app, id).await {
            Ok(prepared) => drive(&app, &job, id, prepared).await,
            Err(error) => {
                let failure = Failure::new(FailureKind::Internal, "the run could not be prepared")
                    .detail(format!("{error:#}"));
                Some(Err(failure))
            }
        };
        if let Some(outcome) = outcome {
            record(&app, &job, id, outcome).await;
        }
    }
}

/// A run's place in the hub, from its lease to its record: whoever stops the
/// console or cancels the run finds it there, and it is given up however the
/// run ends.
struct Place {
    app: Arc<App>,
    id: BackupId,
}

impl Place {
    fn take(app: &Arc<App>, id: BackupId) -> Self {
        app.hub.insert(id, Running::default());
        Self { app: app.clone(), id }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.hub.remove(self.id);
        self.app.hub.tell(Change::Backup(self.id));
        self.app.hub.tell(Change::List);
        self.app.hub.work.notify_one();
    }
}

struct Prepared {
    backup: Backup,
    connection: cofferdam_model::Connection,
}

async fn prepare(app: &App, id: BackupId) -> anyhow::Result<Prepared> {
    let backup = backups::get(app, id).await?;
    let database =
        app.catalog.database(backup.database_id).await?.context("the database was removed")?;
    let connection = databases::open(app, &database)?;
    Ok(Prepared { backup, connection })
}

/// Runs the backup on a thread of its own while this task keeps the lease,
/// writes the log and passes a wish to cancel on. `None` when the lease was
/// lost: then the outcome is not ours to record.
async fn drive(
    app: &Arc<App>,
    job: &Job,
    id: BackupId,
    prepared: Prepared,
) -> Option<Result<Sidecar, Failure>> {
    let Running { control, live, progress, own_catalog } = app.hub.running(id).unwrap_or_default();
    let _ = own_catalog.set(connection::leads_to(&prepared.connection, &app.config.catalog));
    let notes = Arc::new(Notes {
        id,
        app: app.clone(),
        job: job.clone(),
        progress: progress.clone(),
        lines: Mutex::default(),
        live,
        runtime: tokio::runtime::Handle::current(),
    });

    let folder = match app.folder().await {
        Ok(folder) => folder,
        Err(failure) => return Some(Err(failure)),
    };
    let thread = {
        let (app, notes, control) = (app.clone(), notes.clone(), control.clone());
        tokio::task::spawn_blocking(move || {
            let Prepared { backup, connection } = prepared;
            let limits = &app.config.limits;
            let run = Run {
                id,
                database_id: backup.database_id,
                database: backup.database,
                connection: &connection,
                options: cofferdam_model::BackupOptions {
                    description: backup.description.parse().unwrap_or_default(),
                    level: backup.level,
                    format: backup.format,
                },
                trigger: backup.trigger,
                created_by: backup.created_by,
                created_at: backup.created_at,
                pinned: backup.pinned,
                labels: backup.labels,
                limits: Limits {
                    whole: limits.whole,
                    stall: limits.stall,
                    keep_free_bytes: limits.keep_free_bytes,
                },
            };
            cofferdam_backup::run(&run, &folder, &app.clients(), &control, &*notes)
        })
    };
    tokio::pin!(thread);
    let mut lost = false;
    let outcome = loop {
        tokio::select! {
            done = &mut thread => break done,
            () = time::sleep(RENEW) => {
                write_lines(app, id, &notes).await;
                let now = progress.lock().unwrap_or_else(PoisonError::into_inner).clone();
                match renew(app, job, Some(&now), RENEW).await {
                    Ok(renewed) if renewed.cancel_requested => control.cancel(Stop::Cancelled),
                    Ok(_) => {}
                    Err(cofferdam_catalog::Error::LeaseLost) => {
                        lost = true;
                        control.cancel(Stop::LeaseLost);
                    }
                    Err(error) => tracing::warn!(backup = %id, "the lease could not be renewed yet: {error}"),
                }
            }
        }
    };
    write_lines(app, id, &notes).await;
    if lost {
        tracing::warn!(backup = %id, "the lease was lost; the outcome is recorded by whoever took over");
        return None;
    }
    Some(outcome.unwrap_or_else(|panic| {
        tracing::error!(backup = %id, "a run panicked: {panic}");
        Err(Failure::new(
            FailureKind::Internal,
            "the run ended by a fault of Cofferdam; nothing of it was kept",
        ))
    }))
}
