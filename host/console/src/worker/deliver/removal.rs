//! Removing a copy at a destination, and only that copy.

use std::collections::HashSet;

use cofferdam_model::{Delivery, Destination};
use cofferdam_runtime::Call;

use super::perform::Trouble;
use crate::{
    app::App,
    service::{self, copies, plugins::Ready, retention},
};

/// Why a policy's removal is not carried out after all.
const OUTDATED: &str = "the policy asked for it more than an hour ago, and other copies may be \
    lost since; it is asked again after the next delivery there, and once a day";

/// Removes the copy that a delivery is about. Anything that may be another file
/// stays: what another copy is as well, and what may be elsewhere because the
/// settings have changed since it was stored.
pub(super) async fn remove(
    app: &App,
    delivery: &Delivery,
    destination: &Destination,
    ready: &Ready,
    call: Call,
) -> Result<(), Trouble> {
    let internal = |error: service::Error| Trouble::Host(error.to_string());
    let Some(location) = delivery.location.clone() else {
        return Err(Trouble::Over("it is not known where the copy is".to_owned()));
    };
    is_where_it_was(app, delivery, ready, &call, &location).await?;
    // Last, since all of that may have taken minutes.
    let backup = app.catalog.backup(delivery.backup).await;
    // Where the record is still there, a policy has asked for it.
    if let Some(backup) = backup.map_err(|error| internal(error.into()))? {
        if retention::is_outdated(delivery, app.now()) {
            return Err(Trouble::Moot(OUTDATED.to_owned()));
        }
        let stays = retention::stays(app, destination, &backup).await;
        if let Some(why) = stays.map_err(internal)? {
            return Err(Trouble::Moot(format!("the copy stays: {why}")));
        }
    }
    let shared = copies::shared(app, destination, delivery.backup, &location).await;
    if let Some(other) = shared.map_err(internal)? {
        return Err(Trouble::Moot(format!("the file stays: it is also a copy that {other} keeps")));
    }
    ready.plugin.remove(call, location).await.result.map_err(Trouble::Call)?;
    Ok(())
}

/// Where the settings name another place than when the copy was stored, it must be
/// found there: nothing is called removed that may still be where it was.
async fn is_where_it_was(
    app: &App,
    delivery: &Delivery,
    ready: &Ready,
    call: &Call,
    location: &str,
) -> Result<(), Trouble> {
    let now = copies::stored_with(ready, &call.settings);
    // Nobody knows it of copies from before it was noted.
    if delivery.stored_with.as_ref().is_none_or(|then| *then == now) {
        return Ok(());
    }
    let wanted = HashSet::from([location]);
    let listed = retention::listing::find(app, ready, &call.settings, &wanted).await;
    let listed = listed
        .map_err(|why| Trouble::Host(format!("what is stored there could not be listed: {why}")))?;
    if listed.sizes.is_empty() {
        return Err(Trouble::Over(
            "the settings have changed since this copy was stored, and with them it is not found; it may still be where it was"
                .to_owned(),
        ));
    }
    Ok(())
}
