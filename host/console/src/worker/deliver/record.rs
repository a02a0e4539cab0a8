//! What the catalog is told of a delivery that is held here. It may be locked
//! by another program or its disk may be full for a while: then the worker
//! waits, as nothing else would say truthfully what happened.

use std::time::Duration;

use cofferdam_catalog::{AttemptEnd, Places, Result};
use cofferdam_model::{BackupId, Delivery, Job};
use tokio::{sync::watch, time};

use super::{
    super::{
        LEASE, RETRY,
        notes::{passes, renew},
    },
    BLOCKED,
};
use crate::{app::App, hub::Halt, one_line::OneLine};

/// So long it waits before it says so, looks whether the console stops, and
/// waits on.
const PATIENCE: Duration = Duration::from_secs(10);
/// In all; each destination has a limit of its own.
const AT_ONCE: Places = Places { copies: 8, words: 4 };

/// Leases the next delivery that is due, if there is room.
pub async fn lease(
    app: &App,
    name: &str,
    of: Option<BackupId>,
) -> anyhow::Result<Option<(Job, Delivery)>> {
    if app.catalog.deliveries_due(app.now()).await? == 0 {
        return Ok(None);
    }
    let mut tx = app.catalog.begin().await?;
    let leased = tx.lease_delivery(name, of, app.now(), LEASE, AT_ONCE).await?;
    tx.commit().await?;
    Ok(leased)
}

/// What there is to tell.
#[derive(Clone, Copy)]
enum Word<'a> {
    Begin,
    Block(&'a str),
    End(&'a AttemptEnd),
}

/// Begins an attempt. Where that is `false` there is none: the lease was lost,
/// or the console stops before the catalog can be written.
pub(super) async fn begin(
    app: &App,
    job: &Job,
    delivery: &Delivery,
    halted: &watch::Receiver<Option<Halt>>,
) -> bool {
    patiently(app, job, delivery, Word::Begin, Some(halted)).await
}

/// Puts a delivery back that has nothing to try now.
pub(super) async fn block(app: &App, job: &Job, delivery: &Delivery, why: &str) {
    patiently(app, job, delivery, Word::Block(why), None).await;
}

/// Records how an attempt ended.
pub(super) async fn record(app: &App, job: &Job, delivery: &Delivery, end: &AttemptEnd) {
    if !patiently(app, job, delivery, Word::End(end), None).await {
        return;
    }
    let (id, to, purpose) = (delivery.id, &delivery.destination_name, delivery.purpose.as_str());
    match &end.error {
        None => tracing::info!(delivery = %id, %to, purpose, bytes = end.bytes, "delivered"),
        Some(error) => {
            tracing::warn!(delivery = %id, %to, purpose, outcome = end.outcome.as_str(), "not delivered: {}", OneLine(error));
        }
    }
}

/// Tells until it is written, or cannot be for good, or the console stops; and
/// keeps the lease meanwhile. Says whether it was written.
async fn patiently(
    app: &App,
    job: &Job,
    delivery: &Delivery,
    word: Word<'_>,
    halted: Option<&watch::Receiver<Option<Halt>>>,
) -> bool {
    let id = delivery.id;
    let trouble = match word {
        Word::Begin => "an attempt could not be begun",
        Word::Block(_) => "a delivery was not put back",
        Word::End(_) => "the outcome was not recorded",
    };
    loop {
        match write(app, job, delivery, word).await {
            Ok(()) => return true,
            Err(error) if passes(&error) => {
                tracing::warn!(delivery = %id, "{trouble} yet: {error}");
                if halted.is_some_and(|it| *it.borrow() == Some(Halt::Interrupted)) {
                    return false;
                }
                time::sleep(RETRY).await;
                if let Err(error) = renew(app, job, None, RETRY).await {
                    tracing::debug!(delivery = %id, "nor the lease renewed: {error}");
                }
            }
            Err(error) => {
                tracing::error!(delivery = %id, "{trouble}: {error}");
                return false;
            }
        }
    }
}

async fn write(app: &App, job: &Job, delivery: &Delivery, word: Word<'_>) -> Result<()> {
    let (id, now) = (delivery.id, app.now());
    let mut tx = app.catalog.begin_within(PATIENCE).await?;
    match word {
        Word::Begin => {
            tx.begin_attempt(id, job.fence, now).await?;
        }
        Word::Block(why) => tx.block_delivery(id, job.fence, why, now + BLOCKED, now).await?,
        Word::End(end) => tx.end_attempt(id, job.fence, end, now).await?,
    }
    tx.commit().await
}
