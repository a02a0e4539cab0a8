//! Removals that a policy has asked for and that did not come to pass at once.
//! What it said then was said of the copies of then: one of those that were to
//! stay may be lost since.

use chrono::TimeDelta;
use cofferdam_model::{Delivery, DeliveryStatus, Purpose, Timestamp};

use super::{is_judge, look};
use crate::{
    app::App,
    service::{Error, Result},
};

/// What a policy has said counts for so long.
const HOLDS: TimeDelta = TimeDelta::hours(1);

/// Until when a removal may be tried for what a policy has said. Nothing where
/// its backup was deleted: then the copy goes in any case.
pub async fn deadline(app: &App, removal: &Delivery) -> Result<Option<Timestamp>> {
    if removal.purpose != Purpose::Remove || app.catalog.backup(removal.backup).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(removal.queued_at + HOLDS))
}

/// Whether what the policy has said of this copy is too old to act on, or comes
/// from a clock that was set since.
pub fn is_outdated(removal: &Delivery, now: Timestamp) -> bool {
    (now - removal.queued_at).abs() > HOLDS
}

/// Refuses to try a removal again that is over, unless the policy would ask for
/// it now too. That of a deleted backup may always be tried.
pub async fn must_still_go(app: &App, removal: &Delivery) -> Result<()> {
    let is_over = matches!(removal.status, DeliveryStatus::Failed | DeliveryStatus::Cancelled);
    let Some(backup) = app.catalog.backup(removal.backup).await?.filter(|_| is_over) else {
        return Ok(());
    };
    let destination = app.catalog.destination(removal.destination).await?;
    // One that is gone or switched off is refused with a reason of its own.
    let Some(destination) = destination.filter(|it| it.enabled) else { return Ok(()) };
    if !is_judge(&destination) {
        return Err(Error::conflict("the copy stays: its destination has no policy any more"));
    }
    let looks = look(app, &destination, &[backup.database_id]).await?;
    let held = looks.iter().find_map(|it| it.held.as_ref());
    if let Some(why) = held {
        return Err(Error::conflict(format!("the copy stays: {why}")));
    }
    if looks.iter().flat_map(|it| &it.goes).any(|(copy, _)| copy.backup == backup.id) {
        return Ok(());
    }
    let mut stays = looks.iter().flat_map(|it| &it.stays);
    let floor = stays.find(|(copy, _)| copy.backup == backup.id).map(|(_, why)| *why);
    let why = floor.unwrap_or("the policy does not name it any more");
    Err(Error::conflict(format!("the copy stays: {why}")))
}
