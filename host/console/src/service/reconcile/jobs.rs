//! Jobs whose worker has died.

use std::sync::Arc;

use cofferdam_catalog::{DeliveryLease, Lease};
use cofferdam_model::{BackupId, Failure, FailureKind};

use super::{Report, files::Unclaimed};
use crate::{
    app::App,
    hub::Change,
    service::{databases, deliveries},
    worker,
};

/// Takes dead workers' jobs over and closes them: completed where the file was
/// published, else failed. One that was renewed meanwhile is left to its worker.
/// Gives the backups whose jobs were closed. Without the folder (`None`) it is
/// not known whether a file was published.
pub(super) async fn close_all(
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

/// Puts dead workers' deliveries back into the queue, for as long as after any
/// other try that failed: one that kills the console would else do so again at
/// once, and for ever. One that was renewed meanwhile is left to its worker.
pub(super) async fn requeue(app: &App, dead: &[DeliveryLease], by: &str) -> anyhow::Result<()> {
    for lease in dead {
        let Some(delivery) = app.catalog.delivery(lease.delivery).await? else { continue };
        let destination = app.catalog.destination(delivery.destination).await?;
        let keep_going = destination.is_some_and(|it| it.keep_going);
        let now = app.now();
        let again = deliveries::next_try(delivery.tries, None, keep_going, now);
        let mut tx = app.catalog.begin().await?;
        if tx.requeue_delivery(lease, again, by, now).await? {
            tx.commit().await?;
            tracing::info!(delivery = %lease.delivery, "a delivery was cut off");
            deliveries::told(app, &delivery);
            app.hub.work.notify_one();
        }
    }
    Ok(())
}

/// A killed console leaves its dump's session on the server until the server
/// notices; ending it is a courtesy that nothing waits for.
pub(super) fn end_sessions(app: Arc<App>, lease: &Lease) {
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
