//! The call that a delivery is: what it takes, and what came of it.

use std::sync::Arc;

use cofferdam_model::{BackupStatus, Delivery, Purpose};
use cofferdam_runtime::CallError;

use super::{Prepared, event, facts};
use crate::{
    app::App,
    service::{deliveries, destinations, retention},
};

/// Why a policy's removal is not carried out after all.
const OUTDATED: &str = "the policy asked for it more than an hour ago, and other copies may be \
    lost since; it is asked again after the next delivery there, and once a day";

/// What a call gave, whatever the purpose.
pub(super) struct Done {
    pub(super) location: Option<String>,
    pub(super) bytes: Option<u64>,
    pub(super) note: Option<String>,
}

/// Why there is no result.
pub(super) enum Trouble {
    Call(CallError),
    /// The console's own part failed; worth another try.
    Host(String),
    /// It cannot be done, and trying again does not change that.
    Over(String),
    /// It is not to be done any more.
    Moot(String),
}

/// Makes the call.
pub(super) async fn perform(
    app: &Arc<App>,
    delivery: &Delivery,
    prepared: Prepared,
    hearing: Arc<deliveries::Hearing>,
) -> Result<Done, Trouble> {
    let Prepared { destination, ready, settings } = prepared;
    let call = match delivery.purpose {
        // A word is small, and many may wait for a server that says nothing.
        Purpose::Notify => destinations::word_call(app, &ready, settings, hearing),
        Purpose::Store | Purpose::Remove => destinations::call(app, &ready, settings, hearing),
    };
    let internal = |error: crate::service::Error| Trouble::Host(error.to_string());
    match delivery.purpose {
        Purpose::Store => {
            let found = app.catalog.backup(delivery.backup).await;
            let backup = found.map_err(|error| internal(error.into()))?;
            let Some(backup) = backup.filter(|it| it.status == BackupStatus::Completed) else {
                return Err(Trouble::Moot("the backup was deleted".to_owned()));
            };
            let with_file = facts::with_file(app, &backup, &destination);
            let (facts, file) = with_file.await.map_err(Trouble::Host)?;
            let size = facts.size;
            let receipt =
                ready.plugin.store(call, facts, file).await.result.map_err(Trouble::Call)?;
            Ok(Done { location: Some(receipt.location), bytes: Some(size), note: receipt.note })
        }
        Purpose::Remove => {
            let Some(location) = delivery.location.clone() else {
                return Err(Trouble::Over("it is not known where the copy is".to_owned()));
            };
            let backup = app.catalog.backup(delivery.backup).await;
            if let Some(backup) = backup.map_err(|error| internal(error.into()))? {
                if retention::is_outdated(delivery, app.now()) {
                    return Err(Trouble::Moot(OUTDATED.to_owned()));
                }
                let stays = retention::stays(app, &destination, &backup).await;
                if let Some(why) = stays.map_err(internal)? {
                    return Err(Trouble::Moot(format!("the copy stays: {why}")));
                }
            }
            ready.plugin.remove(call, location).await.result.map_err(Trouble::Call)?;
            Ok(Done { location: None, bytes: None, note: None })
        }
        Purpose::Notify => {
            let event = event::of(app, delivery).await.map_err(internal)?;
            let event = event.map_err(|why| Trouble::Moot(why.to_owned()))?;
            let note = ready.plugin.notify(call, event).await.result.map_err(Trouble::Call)?;
            Ok(Done { location: None, bytes: None, note: Some(note) })
        }
    }
}
