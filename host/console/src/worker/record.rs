//! What is written of a run: its log and its outcome.

use std::sync::PoisonError;

use cofferdam_model::{BackupId, Failure, FailureKind, Job, Sidecar};
use tokio::time;

use super::{
    RETRY,
    notes::{Notes, passes, renew},
};
use crate::{app::App, service::backups};

/// The log may lag behind, but a run never fails for it.
pub(super) async fn write_lines(app: &App, id: BackupId, notes: &Notes) {
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
pub(super) async fn record(app: &App, job: &Job, id: BackupId, outcome: Result<Sidecar, Failure>) {
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
        Err(failure) if failure.kind == FailureKind::Cancelled => {
            tracing::info!(backup = %id, "backup ended: {failure}");
        }
        Err(failure) => {
            tracing::warn!(backup = %id, kind = failure.kind.as_str(), "backup ended: {failure}");
        }
    }
}
