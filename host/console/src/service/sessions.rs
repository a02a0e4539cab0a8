//! Sessions of a person.

use cofferdam_catalog::Digest;

use super::{Actor, Error, Result, audit};
use crate::app::App;

/// Ends all sessions of the caller but the one to keep.
pub async fn end_others(app: &App, by: &Actor, keep: Option<Digest>) -> Result<()> {
    let id = by.user.ok_or(Error::SignedOut)?;
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    tx.delete_sessions_of(id, keep).await?;
    audit::record(&mut tx, by, "session.end_others", audit::Object::user(id, &by.name), now)
        .await?;
    tx.commit().await?;
    Ok(())
}
