//! Copies at destinations that have had their time. The destination's plugin
//! names them; the console removes them through deliveries, and keeps what no
//! policy may let go (`floors`).
//!
//! Only what the destination itself lists is given to the plugin, and nothing
//! goes at all while the copies that must stay are not among it: a list that
//! is wrongly empty removes nothing. Files on this machine are not removed here.

mod floors;
mod listing;

use std::collections::HashMap;

use cofferdam_catalog::StoredCopy;
use cofferdam_model::{Backup, DatabaseId, Delivery, Destination, FileState, Purpose};
use cofferdam_runtime::Candidate;
use serde_json::json;

use super::{Actor, Error, Hearing, Result, audit, destinations};
use crate::{app::App, dto, hub::Change};
use floors::{Held, floors, needed};

/// The copies that go, each with the plugin's reason.
type Going = Vec<(StoredCopy, String)>;

/// What a look at one database's copies at a destination has found.
struct Look {
    database: DatabaseId,
    copies: u64,
    goes: Going,
    /// What the plugin named and must stay, with the reason of the console.
    stays: Vec<(StoredCopy, &'static str)>,
    /// Why nothing goes.
    held: Option<String>,
}

/// What would go now, of every database that has copies there. Removes nothing.
pub async fn preview(app: &App, destination: &Destination) -> Result<dto::Retention> {
    let mut looks = Vec::new();
    for database in judged(app, destination).await? {
        looks.push(look(app, destination, database).await?);
    }
    show(app, destination, looks, true).await
}

/// Has everything go whose time is over, and says what that is.
pub async fn run(app: &App, by: &Actor, destination: &Destination) -> Result<dto::Retention> {
    let mut looks = Vec::new();
    for database in judged(app, destination).await? {
        looks.push(run_one(app, by, destination, database).await?);
    }
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
                run_one(app, &Actor::system(), &destination, backup.database_id).await.map(drop)
            }
            _ => Ok(()),
        }
    };
    if let Err::<(), Error>(error) = done.await {
        tracing::warn!(to = %delivery.destination_name, "what has had its time there was not looked for: {error}");
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
            tracing::warn!(to = %destination.name, "what has had its time there was not looked for: {error}");
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

/// Asks the plugin, and keeps what must stay.
async fn look(app: &App, destination: &Destination, database: DatabaseId) -> Result<Look> {
    let copies = app.catalog.copies(destination.id, database).await?;
    let mut look = Look {
        database,
        copies: copies.len() as u64,
        goes: Vec::new(),
        stays: Vec::new(),
        held: None,
    };
    if copies.len() < 2 {
        return Ok(look);
    }
    let (ready, settings) = match destinations::ready(app, destination).await? {
        Ok(ready) => ready,
        Err(why) => return Ok(Look { held: Some(why), ..look }),
    };
    let listed = match listing::sizes(app, &ready, &settings).await {
        Ok(listed) => listed,
        Err(why) => {
            look.held = Some(format!("what is stored there could not be listed: {why}"));
            return Ok(look);
        }
    };
    let is_there = |it: &StoredCopy| listed.get(&it.location) == Some(&it.size_bytes);
    let all: Vec<Held> = copies.iter().map(held).collect();
    let must = needed(&all);
    let missing =
        copies.iter().find(|it| must.contains_key(it.backup.to_string().as_str()) && !is_there(it));
    if let Some(missing) = missing {
        look.held = Some(format!(
            "{} should be there and is not among the {} files that are listed",
            missing.location,
            listed.len()
        ));
        return Ok(look);
    }
    let seen: Vec<StoredCopy> = copies.into_iter().filter(is_there).collect();
    let seen_held: Vec<Held> = seen.iter().map(held).collect();
    let candidates = seen_held.iter().map(|it| it.candidate.clone()).collect();
    let call = destinations::brief_call(app, &ready, settings, Hearing::new());
    let named = match ready.plugin.select(call, app.now(), candidates).await.result {
        Ok(expired) => expired.into_iter().map(|it| (it.id, it.reason)).collect(),
        Err(error) => {
            look.held = Some(error.to_string());
            return Ok(look);
        }
    };
    sort_out(&mut look, seen, named, &floors(&seen_held));
    Ok(look)
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
            look.stays.push((copy, "a copy that stays is at the same place"));
        } else {
            look.goes.push((copy, reason));
        }
    }
}

async fn run_one(
    app: &App,
    by: &Actor,
    destination: &Destination,
    database: DatabaseId,
) -> Result<Look> {
    let mut look = look(app, destination, database).await?;
    if let Some(why) = &look.held {
        tracing::warn!(to = %destination.name, "nothing goes there: {why}");
    }
    if look.goes.is_empty() {
        return Ok(look);
    }
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
    Ok(look)
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
