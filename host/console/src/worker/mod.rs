//! Takes jobs from the queue and runs them. The only part that makes backups
//! and delivers them.

mod deliver;
mod notes;
mod record;
mod run;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use cofferdam_backup::Stop;
use cofferdam_model::{BackupId, Job, JobKind};
use tokio::{sync::watch, task::JoinSet, time};

use crate::{app::App, dto};

pub use deliver::{lease as lease_delivery, run_delivery};
pub use notes::passes;
pub use run::run_job;

/// Without renewal a lease ends after this time.
pub const LEASE: TimeDelta = TimeDelta::seconds(30);
/// A lease is renewed, and progress recorded, so often.
const RENEW: Duration = Duration::from_secs(2);
/// The queue is looked at so often even if nobody calls: a command line may have put a job there.
const LOOK: Duration = Duration::from_secs(1);
/// A record that cannot be written is tried again so often.
const RETRY: Duration = Duration::from_secs(2);

/// Runs jobs until told to stop, then interrupts what runs and waits for it.
pub async fn work(app: Arc<App>, name: String, mut stop: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        match lease_next(&app, &name).await {
            Ok(Some((id, job))) => {
                running.spawn(run_job(app.clone(), id, job));
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!("the queue cannot be read: {error:#}"),
        }
        match lease_delivery(&app, &name, None).await {
            Ok(Some((job, delivery))) => {
                running.spawn(run_delivery(app.clone(), job, delivery));
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
    app.hub.interrupt_deliveries();
    for run in app.hub.all() {
        run.control.cancel(Stop::Interrupted);
    }
    while running.join_next().await.is_some() {}
}

/// For a command line: carries out the removals that a policy has asked for,
/// as far as nobody else does.
pub async fn remove_expired(app: &Arc<App>, going: &dto::Retention) -> anyhow::Result<()> {
    let name = format!("cli-{}", std::process::id());
    for copy in going.databases.iter().flat_map(|it| &it.goes) {
        let backup: BackupId = copy.backup.parse()?;
        while let Some((job, delivery)) = lease_delivery(app, &name, Some(backup)).await? {
            run_delivery(app.clone(), job, delivery).await;
        }
    }
    Ok(())
}

async fn lease_next(app: &App, name: &str) -> anyhow::Result<Option<(BackupId, Job)>> {
    let (waiting, _) = app.catalog.queue_length().await?;
    if waiting == 0 {
        return Ok(None);
    }
    let mut tx = app.catalog.begin().await?;
    let job = tx.lease_next(name, app.now(), LEASE, app.config.limits.concurrent).await?;
    tx.commit().await?;
    Ok(job.and_then(|job| match job.kind {
        JobKind::Backup(id) => Some((id, job)),
        JobKind::Delivery(_) => None,
    }))
}
