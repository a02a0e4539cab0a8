//! The deliveries of a backup that a command line has made.

use cofferdam_model::{BackupId, DeliveryStatus};

use super::{
    backup::{CARE_EVERY, TURN},
    client::Client,
    output::exact,
    problem::Problem,
};
use crate::{dto, service::reconcile::Caretaker, worker};

/// Waits until every delivery of a completed backup is over, or waits for
/// another try or for somebody. Here they are also made here, and so is the
/// removal of copies whose time is over by that.
pub(super) async fn deliver(
    client: &Client,
    backup: dto::Backup,
    worker: &str,
) -> anyhow::Result<dto::Backup> {
    let id: BackupId = backup.id.parse()?;
    let mut caretaker = match client {
        Client::Local(app) => Some(Caretaker::beside(app.clone(), worker.to_owned())),
        Client::Remote(_) => None,
    };
    let mut backup = client.backup(&backup.id).await?;
    for round in 0_u32.. {
        let leased = match client {
            Client::Local(app) => worker::lease_delivery(app, worker, Some(id)).await?,
            Client::Remote(_) => None,
        };
        let moves = |it: &dto::Delivery| {
            matches!(it.status, DeliveryStatus::Pending | DeliveryStatus::Running)
        };
        if let (Client::Local(app), Some((job, delivery))) = (client, leased) {
            worker::run_delivery(app.clone(), job, delivery).await;
        } else if !backup.deliveries.iter().any(moves) {
            break;
        } else {
            // A console that was killed holds its deliveries until somebody lets them go.
            if let Some(caretaker) = caretaker.as_mut().filter(|_| round.is_multiple_of(CARE_EVERY))
                && let Err(error) = caretaker.jobs().await
            {
                tracing::warn!("expired jobs cannot be looked at: {error:#}");
            }
            tokio::time::sleep(TURN).await;
        }
        backup = client.backup(&backup.id).await?;
    }
    Ok(backup)
}

/// Done, but a copy or word of it is not where it should be.
pub(super) fn undelivered(backup: &dto::Backup) -> anyhow::Result<()> {
    let bad = |it: &&dto::Delivery| it.status != DeliveryStatus::Completed;
    let each: Vec<String> = backup
        .deliveries
        .iter()
        .filter(bad)
        .map(|it| {
            let why = it.error.as_deref().unwrap_or("no reason was given");
            let next = match (it.status, it.next_attempt_at) {
                (DeliveryStatus::Retrying, Some(at)) => {
                    format!(" (a console tries again at {})", exact(at))
                }
                _ => String::new(),
            };
            format!("{}: {why}{next}", it.destination)
        })
        .collect();
    if each.is_empty() {
        return Ok(());
    }
    let text = format!("the backup is done, but not delivered to {}", each.join("; "));
    Err(Problem::undelivered(&text).into())
}
