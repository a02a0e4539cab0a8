//! What a run tells while it goes on, and its lease.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use cofferdam_artifact::follow::Live;
use cofferdam_backup::Observer;
use cofferdam_model::{BackupId, Failure, FailureKind, Job, LogLine, Progress};
use tokio::{sync::watch, time};

use super::{LEASE, RETRY};
use crate::{app::App, hub::Change};

/// So long a finished dump waits for a catalog that another program holds.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a run's threads tell, collected for the async side.
pub(super) struct Notes {
    pub(super) id: BackupId,
    pub(super) app: Arc<App>,
    pub(super) job: Job,
    pub(super) progress: Arc<Mutex<Progress>>,
    pub(super) lines: Mutex<Vec<LogLine>>,
    pub(super) live: watch::Sender<Option<Live>>,
    pub(super) runtime: tokio::runtime::Handle,
}

impl Notes {
    pub(super) fn take_lines(&self) -> Vec<LogLine> {
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
pub fn passes(error: &cofferdam_catalog::Error) -> bool {
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

/// Extends the lease and records progress.
pub(super) async fn renew(
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
