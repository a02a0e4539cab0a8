//! Takes jobs from the queue and runs them. The only part that makes backups.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use chrono::TimeDelta;
use cofferdam_artifact::follow::Live;
use cofferdam_backup::{Limits, Observer, Run, Stop};
use cofferdam_model::{
    Backup, BackupId, Failure, FailureKind, Job, JobKind, LogLine, Progress, Sidecar,
};
use tokio::{sync::watch, task::JoinSet, time};

use crate::{
    app::App,
    hub::{Change, Running},
    service::{backups, databases},
};

/// Without renewal a lease ends after this time.
pub const LEASE: TimeDelta = TimeDelta::seconds(30);
/// A lease is renewed, and progress recorded, so often.
const RENEW: Duration = Duration::from_secs(2);
/// The queue is looked at so often even if nobody calls: a command line may have put a job there.
const LOOK: Duration = Duration::from_secs(1);
/// So long a finished dump waits for a catalog that another program holds.
const PATIENCE: Duration = Duration::from_secs(90);
/// A record that cannot be written is tried again so often.
const RETRY: Duration = Duration::from_secs(2);

/// Runs jobs until told to stop, then interrupts what runs and waits for it.
pub async fn work(app: Arc<App>, name: String, mut stop: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        match lease_next(&app, &name).await {
            Ok(Some(job)) => {
                running.spawn(run_job(app.clone(), job));
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!("the queue cannot be read: {error:#}"),
        }
        tokio::select! {
            () = app.hub.work.notified() => {}
            () = time::sleep(LOOK) => {}
            Some(_) = running.join_next() => {}
            _ = stop.changed() => {}
        }
    }
    for run in app.hub.all() {
        run.control.cancel(Stop::Interrupted);
    }
    while running.join_next().await.is_some() {}
}

async fn lease_next(app: &App, name: &str) -> anyhow::Result<Option<Job>> {
    let (waiting, _) = app.catalog.queue_length().await?;
    if waiting == 0 {
        return Ok(None);
    }
    let mut tx = app.catalog.begin().await?;
    let job = tx.lease_next(name, app.now(), LEASE, app.config.limits.concurrent).await?;
    tx.commit().await?;
    Ok(job)
}

/// Runs one leased job to its end and records the outcome.
pub async fn run_job(app: Arc<App>, job: Job) {
    let JobKind::Backup(id) = job.kind;
    let _place = Place::take(&app, id);
    app.hub.tell(Change::Backup(id));
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

/// What a run's threads tell, collected for the async side.
struct Notes {
    id: BackupId,
    app: Arc<App>,
    job: Job,
    progress: Arc<Mutex<Progress>>,
    lines: Mutex<Vec<LogLine>>,
    live: watch::Sender<Option<Live>>,
    runtime: tokio::runtime::Handle,
}

impl Notes {
    fn take_lines(&self) -> Vec<LogLine> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Notes {
    /// Renews the lease, whatever passing trouble the catalog has: the dump is
    /// done, and only the lease is in question.
    async fn renew_patiently(&self) -> cofferdam_catalog::Result<cofferdam_catalog::Renewed> {
        let until = time::Instant::now() + PATIENCE;
        loop {
            match renew(&self.app, &self.job, None, PATIENCE).await {
                Err(error) if passes(&error) && time::Instant::now() < until => {
                    time::sleep(RETRY).await;
                }
                other => return other,
            }
        }
    }
}

/// Whether waiting may help: another program holds the catalog, or its disk
/// is full or fails.
fn passes(error: &cofferdam_catalog::Error) -> bool {
    use cofferdam_catalog::Error;
    matches!(error, Error::Busy | Error::Storage(_))
}

impl Observer for Notes {
    fn progress(&self, progress: &Progress) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone_from(progress);
        self.app.hub.tell(Change::Backup(self.id));
    }

    fn log(&self, line: LogLine) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn followable(&self, live: Live) {
        self.live.send_replace(Some(live));
        self.app.hub.tell(Change::Backup(self.id));
    }

    /// A renewal that succeeds right now proves that the lease is ours.
    fn before_publish(&self) -> Result<(), Failure> {
        match self.runtime.block_on(self.renew_patiently()) {
            Ok(renewed) if renewed.cancel_requested => Err(Failure::new(
                FailureKind::Cancelled,
                "the backup was cancelled; nothing of it was kept",
            )),
            Ok(_) => Ok(()),
            Err(cofferdam_catalog::Error::LeaseLost) => Err(Failure::new(
                FailureKind::Interrupted,
                "another worker took this run over; nothing of it was kept",
            )),
            Err(error) => Err(Failure::new(
                FailureKind::Storage,
                "the catalog cannot be written, so the file was not kept",
            )
            .detail(error.to_string())),
        }
    }
}

async fn renew(
    app: &App,
    job: &Job,
    progress: Option<&Progress>,
    patience: Duration,
) -> cofferdam_catalog::Result<cofferdam_catalog::Renewed> {
    let mut tx = app.catalog.begin_within(patience).await?;
    let renewed = tx.renew(job.id, job.fence, app.now(), LEASE, progress).await?;
    tx.commit().await?;
    Ok(renewed)
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
    let Running { control, live, progress } = app.hub.running(id).unwrap_or_default();
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

/// The log may lag behind, but a run never fails for it.
async fn write_lines(app: &App, id: BackupId, notes: &Notes) {
    let lines = notes.take_lines();
    if lines.is_empty() {
        return;
    }
    let written = async {
        let mut tx = app.catalog.begin().await?;
        tx.append_log(id, &lines).await?;
        tx.commit().await
    };
    if let Err(error) = written.await {
        tracing::warn!(backup = %id, "log lines could not be written: {error}");
        let mut waiting = notes.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = std::mem::replace(&mut *waiting, lines);
        waiting.extend(newer);
    }
}

/// Records how the run ended. A catalog that is locked or full is tried again
/// for as long as the process lives; after a crash the next start finds the
/// published file and its sidecar, and records the same.
async fn record(app: &App, job: &Job, id: BackupId, outcome: Result<Sidecar, Failure>) {
    loop {
        let written = async {
            let mut tx = app.catalog.begin().await?;
            match &outcome {
                Ok(sidecar) => tx.finish_completed(id, job.fence, sidecar).await?,
                Err(failure) if failure.kind == FailureKind::Cancelled => {
                    tx.finish_cancelled(id, job.fence, app.now()).await?;
                }
                Err(failure) => tx.finish_failed(id, job.fence, failure, app.now()).await?,
            }
            tx.commit().await
        };
        match written.await {
            Ok(()) => break,
            Err(error) if passes(&error) => {
                tracing::warn!(backup = %id, "the outcome could not be recorded yet: {error}");
                time::sleep(RETRY).await;
                // The job must not look abandoned while the catalog is short of something.
                if let Err(error) = renew(app, job, None, RETRY).await {
                    tracing::debug!(backup = %id, "nor the lease renewed: {error}");
                }
            }
            Err(error) => {
                tracing::error!(backup = %id, "the outcome was not recorded: {error}");
                return;
            }
        }
    }
    match &outcome {
        Ok(sidecar) => {
            tracing::info!(backup = %id, file = sidecar.filename, bytes = sidecar.size_bytes, "backup completed");
            // A pin or a label may have been set while the sidecar was written.
            if let Err(error) = backups::after_change(app, id).await {
                tracing::warn!(backup = %id, "the sidecar could not be compared: {error}");
            }
        }
        Err(failure) => {
            tracing::warn!(backup = %id, kind = failure.kind.as_str(), "backup ended: {failure}");
        }
    }
}
