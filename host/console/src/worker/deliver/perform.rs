//! The call that a delivery is: what it takes, and what came of it.

use std::sync::Arc;

use cofferdam_model::{BackupStatus, Delivery, Purpose};
use cofferdam_runtime::CallError;

use super::{Prepared, event, facts, removal};
use crate::{
    app::App,
    service::{copies, deliveries, destinations},
};

/// What a call gave, whatever the purpose.
#[derive(Default)]
pub(super) struct Done {
    pub(super) location: Option<String>,
    pub(super) bytes: Option<u64>,
    pub(super) note: Option<String>,
    pub(super) stored_with: Option<String>,
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
            let stored_with = Some(copies::stored_with(&ready, &call.settings));
            let receipt =
                ready.plugin.store(call, facts, file).await.result.map_err(Trouble::Call)?;
            let location = Some(receipt.location);
            Ok(Done { location, bytes: Some(size), note: receipt.note, stored_with })
        }
        Purpose::Remove => {
            removal::remove(app, delivery, &destination, &ready, call).await?;
            Ok(Done::default())
        }
        Purpose::Notify => {
            let event = event::of(app, delivery).await.map_err(internal)?;
            let event = event.map_err(|why| Trouble::Moot(why.to_owned()))?;
            let note = ready.plugin.notify(call, event).await.result.map_err(Trouble::Call)?;
            Ok(Done { note: Some(note), ..Done::default() })
        }
    }
}
