//! Copies at destinations that have had their time. The destination's plugin
//! names them; the console removes them through deliveries, and keeps what no
//! policy may let go (`floors`).
//!
//! Only what the destination itself lists is given to the plugin, and nothing
//! goes at all while the copies that must stay are not among it: a list that
//! is wrongly empty removes nothing. Where the clock may be wrong, it goes only
//! when somebody asks (`doubt`). Files on this machine are not removed here.

mod again;
mod doubt;
mod floors;
mod holds;
pub mod listing;

use std::collections::{HashMap, HashSet};

use cofferdam_catalog::StoredCopy;
use cofferdam_model::{Backup, DatabaseId, Delivery, Destination, FileState, Purpose, Timestamp};
use cofferdam_runtime::Candidate;
use serde_json::{Value, json};

use super::{Actor, Door, Error, Hearing, Result, audit, copies, destinations, plugins::Ready};
use crate::{app::App, dto, hub::Change, one_line::OneLine};
use doubt::doubt;
use floors::{Held, floors, needed};
use listing::Listing;

pub use again::{deadline, is_outdated, must_still_go};
pub use holds::Holds;

/// Why a copy stays that the plugin may let go.
const SHARED: &str = "a copy that stays is at the same place";

/// The copies that go, each with the plugin's reason.
type Going = Vec<(StoredCopy, String)>;

/// What a look at one database's copies at a destination has found.
struct Look {
    database: DatabaseId,
    copies: u64,
    goes: Going,
    /// What the plugin named and must stay, with the reason of the console.
    stays: Vec<(StoredCopy, &'static str)>,
    /// When the copies were made, newest first.
    moments: Vec<Timestamp>,
    /// Why nothing goes.
    held: Option<String>,
}

/// What would go now, of every database that has copies there. Removes nothing.
pub async fn preview(app: &App, destination: &Destination) -> Result<dto::Retention> {
    let databases = judged(app, destination).await?;
    let looks = look(app, destination, &databases).await?;
    show(app, destination, looks, true).await
}

/// Has everything go whose time is over, and says what that is.
pub async fn run(app: &App, by: &Actor, destination: &Destination) -> Result<dto::Retention> {
    let databases = judged(app, destination).await?;
    let looks = run_of(app, by, destination, &databases).await?;
    show(app, destination, looks, false).await
}

/// A copy has just arrived: others of its database may have had their time.
pub async fn after_delivery(app: &App, delivery: &Delivery) {
    if delivery.purpose != Purpose::Store {
        return;
    }
    let done = async {
        let now = app.catalog.delivery(delivery.id).await?;
        let Some(destination) = app.catalog.destination(delivery.destination).await? else {
            return Ok(());
        };
        let backup = app.catalog.backup(delivery.backup).await?;
        match backup.filter(|_| now.is_some_and(|it| it.is_copy())) {
            Some(backup) if is_judge(&destination) => {
                run_of(app, &Actor::system(), &destination, &[backup.database_id]).await.map(drop)
            }
            _ => Ok(()),
        }
    };
    if let Err::<(), Error>(error) = done.await {
        tracing::warn!(to = %delivery.destination_name, "what has had its time there was not looked for: {}", OneLine(error));
    }
}

/// The same for all destinations: at the start of a console, and daily.
pub async fn sweep(app: &App) {
    let all = match app.catalog.destinations().await {
        Ok(all) => all,
        Err(error) => return tracing::warn!("the destinations cannot be read: {error}"),
    };
    for destination in all.iter().filter(|it| is_judge(it)) {
        if let Err(error) = run(app, &Actor::system(), destination).await {
            tracing::warn!(to = %destination.name, "what has had its time there was not looked for: {}", OneLine(error));
        }
    }
}

/// Why a copy must stay after all, although its removal was asked for: looked
/// at again right before it is removed. Nothing where its backup was deleted.
pub async fn stays(
    app: &App,
    destination: &Destination,
    backup: &Backup,
) -> Result<Option<&'static str>> {
    let mut copies = app.catalog.copies(destination.id, backup.database_id).await?;
    // Its own removal waits, so it is not among them.
    if copies.iter().all(|it| it.backup != backup.id) {
        copies.push(StoredCopy {
            backup: backup.id,
            database: backup.database.to_string(),
            filename: backup.filename.clone().unwrap_or_default(),
            location: String::new(),
            created_at: backup.created_at,
            size_bytes: backup.size_bytes.unwrap_or_default(),
            pinned: backup.pinned,
            file_state: backup.file_state,
        });
    }
    let held: Vec<Held> = copies.iter().map(held).collect();
    Ok(floors(&held).get(backup.id.to_string().as_str()).copied())
}

/// Whether a destination's plugin decides about what it keeps.
fn is_judge(destination: &Destination) -> bool {
    destination.enabled && destination.roles.storage && destination.roles.retention
}

/// The databases to look at, where the destination can be asked at all.
async fn judged(app: &App, destination: &Destination) -> Result<Vec<DatabaseId>> {
    if !destination.roles.retention {
        return Err(Error::conflict("the plugin of this destination has no policy; nothing goes"));
    }
    if !destination.roles.storage {
        return Err(Error::conflict(
            "this destination keeps no copies, and files on this machine are not removed by a plugin",
        ));
    }
    Ok(app.catalog.databases_at(destination.id).await?)
}

fn held(copy: &StoredCopy) -> Held {
    Held {
        candidate: Candidate {
            id: copy.backup.to_string(),
            database: copy.database.clone(),
            created_at: copy.created_at,
            size: copy.size_bytes,
            // No backup has been restored and counted by this version.
            verified: false,
            pinned: copy.pinned,
        },
        good: copy.file_state != Some(FileState::Corrupt),
    }
}

/// Asks the destination what is there and the plugin what may go, and keeps
/// what must stay.
async fn look(app: &App, destination: &Destination, databases: &[DatabaseId]) -> Result<Vec<Look>> {
    let mut all = Vec::with_capacity(databases.len());
    for database in databases {
        all.push((*database, app.catalog.copies(destination.id, *database).await?));
    }
    // A copy that is alone stays in any case.
    let several = all.iter().filter(|(_, copies)| copies.len() > 1);
    let wanted: HashSet<&str> =
        several.flat_map(|(_, copies)| copies).map(|it| it.location.as_str()).collect();
    let there = if wanted.is_empty() {
        Err(String::new())
    } else {
        match destinations::ready(app, destination).await? {
            Ok((ready, settings)) => listing::find(app, &ready, &settings, &wanted)
                .await
                .map(|listing| There { ready, settings, listing })
                .map_err(|why| format!("what is stored there could not be listed: {why}")),
            Err(why) => Err(why),
        }
    };
    let mut looks = Vec::with_capacity(all.len());
    for (database, copies) in all {
        let count = copies.len() as u64;
        let moments = copies.iter().map(|it| it.created_at).collect();
        let (goes, stays) = (Vec::new(), Vec::new());
        let nothing = Look { database, copies: count, goes, stays, moments, held: None };
        looks.push(match &there {
            _ if count < 2 => nothing,
            Ok(there) => judge(app, destination, there, copies, nothing).await?,
            Err(why) => Look { held: Some(why.clone()), ..nothing },
        });
    }
    Ok(looks)
}

/// A destination that answers, with what it lists.
struct There {
    ready: Ready,
    settings: Value,
    listing: Listing,
}

/// Asks the plugin about one database's copies.
async fn judge(
    app: &App,
    destination: &Destination,
    there: &There,
    copies: Vec<StoredCopy>,
    mut look: Look,
) -> Result<Look> {
    let listed = &there.listing;
    let is_there = |it: &StoredCopy| listed.sizes.get(&it.location) == Some(&it.size_bytes);
    let all: Vec<Held> = copies.iter().map(held).collect();
    let must = needed(&all);
    let missing =
        copies.iter().find(|it| must.contains_key(it.backup.to_string().as_str()) && !is_there(it));
    if let Some(missing) = missing {
        look.held = Some(format!(
            "{} should be there and is not among the {} files that are listed",
            missing.location, listed.files
        ));
        return Ok(look);
    }
    let seen: Vec<StoredCopy> = copies.into_iter().filter(is_there).collect();
    let seen_held: Vec<Held> = seen.iter().map(held).collect();
    let candidates = seen_held.iter().map(|it| it.candidate.clone()).collect();
    let settings = there.settings.clone();
    let call = destinations::brief_call(app, &there.ready, settings, Hearing::new());
    match there.ready.plugin.select(call, app.now(), candidates).await.result {
        Ok(expired) => {
            let named = expired.into_iter().map(|it| (it.id, it.reason)).collect();
            sort_out(&mut look, seen, named, &floors(&seen_held));
            spare_shared(app, destination, &mut look).await?;
        }
        Err(error) => look.held = Some(error.to_string()),
    }
    Ok(look)
}

/// A file that another copy is, too, stays for that one.
async fn spare_shared(app: &App, destination: &Destination, look: &mut Look) -> Result<()> {
    for (copy, reason) in std::mem::take(&mut look.goes) {
        match copies::shared(app, destination, copy.backup, &copy.location).await? {
            Some(_) => look.stays.push((copy, SHARED)),
            None => look.goes.push((copy, reason)),
        }
    }
    Ok(())
}

/// What of the named copies goes, and what stays.
fn sort_out(
    look: &mut Look,
    seen: Vec<StoredCopy>,
    mut named: HashMap<String, String>,
    floors: &std::collections::BTreeMap<&str, &'static str>,
) {
    let mut stay: Vec<String> = Vec::new();
    let mut going = Vec::new();
    for copy in seen {
        let id = copy.backup.to_string();
        match (named.remove(&id), floors.get(id.as_str())) {
            (Some(_), Some(why)) => {
                stay.push(copy.location.clone());
                look.stays.push((copy, why));
            }
            (Some(reason), None) => going.push((copy, reason)),
            (None, _) => stay.push(copy.location),
        }
    }
    for (copy, reason) in going {
        if stay.contains(&copy.location) {
            look.stays.push((copy, SHARED));
        } else {
            look.goes.push((copy, reason));
        }
    }
}

async fn run_of(
    app: &App,
    by: &Actor,
    destination: &Destination,
    databases: &[DatabaseId],
) -> Result<Vec<Look>> {
    let mut looks = look(app, destination, databases).await?;
    for look in &mut looks {
        if by.door == Door::System
            && let Some(why) = doubt(&look.moments, look.goes.len(), app.now())
        {
            look.held = Some(why);
            look.goes.clear();
        }
        let why = look.held.as_deref();
        if app.holds.note(destination.id, look.database, why) {
            if let Some(why) = why {
                tracing::warn!(to = %destination.name, "nothing goes there: {}", OneLine(why));
            }
            app.hub.tell(Change::Destinations);
        }
        expire(app, by, destination, look).await?;
    }
    Ok(looks)
}

/// Queues the removal of what goes.
async fn expire(app: &App, by: &Actor, destination: &Destination, look: &mut Look) -> Result<()> {
    if look.goes.is_empty() {
        return Ok(());
    }
    let database = look.database;
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    // As it is now: one may have been pinned, or a newer one deleted, since.
    let copies = tx.copies(destination.id, database).await?;
    let all: Vec<Held> = copies.iter().map(held).collect();
    let stay = floors(&all);
    look.goes.retain(|(copy, _)| {
        copies.iter().any(|it| it.backup == copy.backup)
            && !stay.contains_key(copy.backup.to_string().as_str())
    });
    tx.expire_copies(destination.id, &look.goes, now).await?;
    for (copy, reason) in &look.goes {
        let object = audit::Object::copy(copy.backup, &copy.filename);
        let details = json!({
            "destination": destination.name, "location": copy.location, "reason": reason,
        });
        audit::record_with(&mut tx, by, "copy.expire", object, details, now).await?;
    }
    tx.commit().await?;
    for (copy, reason) in &look.goes {
        tracing::info!(backup = %copy.backup, to = %destination.name, reason, "a copy has had its time");
        app.hub.tell(Change::Backup(copy.backup));
    }
    app.hub.tell(Change::Destinations);
    app.hub.work.notify_one();
    Ok(())
}

async fn show(
    app: &App,
    destination: &Destination,
    looks: Vec<Look>,
    dry_run: bool,
) -> Result<dto::Retention> {
    let names: HashMap<DatabaseId, String> =
        app.catalog.databases().await?.into_iter().map(|it| (it.id, it.slug.to_string())).collect();
    let one = |copy: StoredCopy, reason: String| dto::ExpiredCopy {
        backup: copy.backup.to_string(),
        filename: copy.filename,
        location: copy.location,
        created_at: copy.created_at,
        size_bytes: copy.size_bytes,
        reason,
    };
    let each = looks.into_iter().map(|look| dto::DatabaseRetention {
        // The record of a database may be gone before its copies are.
        database: names.get(&look.database).cloned().unwrap_or_else(|| look.database.to_string()),
        copies: look.copies,
        goes: look.goes.into_iter().map(|(copy, reason)| one(copy, reason)).collect(),
        stays: look.stays.into_iter().map(|(copy, why)| one(copy, why.to_owned())).collect(),
        held: look.held,
    });
    let mut databases: Vec<_> = each.collect();
    databases.sort_by(|one, other| one.database.cmp(&other.database));
    Ok(dto::Retention { destination: destination.name.to_string(), dry_run, databases })
}
