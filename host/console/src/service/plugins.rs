//! Plugins: what is there, what may run, and what it may touch.

use std::{collections::HashMap, sync::Arc};

use actix_web::web::Bytes;
use cofferdam_catalog::Component;
use cofferdam_model::{ComponentHash, Destination};
use cofferdam_runtime::Plugin;
use serde_json::json;
use sha2::{Digest as _, Sha256};

pub(super) use super::plugin_grants::{grant_more, is_the_consoles, not_grantable, with_more};
pub use super::plugin_usable::{Ready, Usable, current};
use super::{
    Actor, Error, Result, audit, plugin_changes as changes,
    plugin_grants::{store_grants, understand},
};
use crate::{
    app::App,
    dto::{self, PluginState},
    hub::Change,
    plugins::{FILE_MAX, Found, Present, file_name_is_fit, put},
};

/// Fewer digits of a hash fit by chance.
const PART_MIN: usize = 6;

/// All components: those that are there, and those that were approved or are
/// used and are gone.
pub async fn list(app: &App) -> Result<Vec<dto::Plugin>> {
    app.plugins.ready(app).await.map_err(Error::Internal)?;
    let components = app.catalog.components().await?;
    let destinations = app.catalog.destinations().await?;
    let present = app.plugins.present();
    let known: HashMap<&ComponentHash, &Component> =
        components.iter().map(|it| (&it.seen.hash, it)).collect();
    let mut list: Vec<dto::Plugin> = Vec::new();
    for file in &present {
        let hash = file.plugin().map(|it| it.hash().clone());
        let component = hash.as_ref().and_then(|hash| known.get(hash).copied());
        list.push(describe(file, component, &components));
    }
    for gone in &components {
        let is_there =
            present.iter().filter_map(Present::plugin).any(|it| *it.hash() == gone.seen.hash);
        let is_last = components.iter().find(|it| it.seen.plugin == gone.seen.plugin);
        let others = present
            .iter()
            .filter_map(Present::plugin)
            .any(|it| it.description().id == gone.seen.plugin.as_str());
        // An earlier version of what is there now is history, and in the audit log.
        if !is_there && !others && gone.approved.is_some() && is_last == Some(gone) {
            list.push(removed(gone));
        }
    }
    for plugin in &mut list {
        let Some(id) = plugin.about.as_ref().map(|it| it.id.clone()) else { continue };
        let of: Vec<&Destination> =
            destinations.iter().filter(|it| it.plugin.as_str() == id).collect();
        plugin.destinations = of.iter().map(|it| it.name.to_string()).collect();
    }
    tell_doubles(&mut list);
    list.sort_by(|one, other| {
        let key = |it: &dto::Plugin| {
            (
                it.about.is_none(),
                it.about.as_ref().map(|it| it.name.to_lowercase()),
                it.file.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    Ok(list)
}

/// Two files of one plugin: each says which others there are.
fn tell_doubles(list: &mut [dto::Plugin]) {
    let files: Vec<(String, String)> = list
        .iter()
        .filter(|it| it.state != PluginState::Removed)
        .filter_map(|it| Some((it.about.as_ref()?.id.clone(), place(it))))
        .collect();
    for plugin in list.iter_mut().filter(|it| it.state != PluginState::Removed) {
        let Some(id) = plugin.about.as_ref().map(|it| it.id.clone()) else { continue };
        let own = place(plugin);
        let others: Vec<&str> = files
            .iter()
            .filter(|(other, file)| *other == id && *file != own)
            .map(|(_, file)| file.as_str())
            .collect();
        if !others.is_empty() && plugin.reason.is_none() {
            plugin.reason = Some(format!(
                "{id} is also in {}; of several approved ones, a file in the folder is used before the bundled one, and the one approved last before others",
                others.join(" and ")
            ));
        }
    }
}

fn place(plugin: &dto::Plugin) -> String {
    if plugin.bundled { format!("the program ({})", plugin.file) } else { plugin.file.clone() }
}

fn describe(file: &Present, component: Option<&Component>, all: &[Component]) -> dto::Plugin {
    let about = file.plugin().map(|plugin| crate::plugins::about(plugin));
    let before = component.and_then(|own| {
        let earlier = |it: &&Component| {
            it.seen.plugin == own.seen.plugin
                && it.seen.hash != own.seen.hash
                && it.approved.is_some()
        };
        all.iter().find(earlier)
    });
    let approved = component.and_then(|it| it.approved.clone());
    let (state, reason) = match &file.found {
        Found::Settling => (PluginState::New, None),
        Found::Refused(reason) => (PluginState::Refused, Some(reason.clone())),
        Found::Loaded(_) if approved.is_some() => (PluginState::Approved, None),
        Found::Loaded(_) if before.is_some() => (PluginState::Changed, None),
        Found::Loaded(_) => (PluginState::Waiting, None),
    };
    let waits = state == PluginState::Changed;
    let changes = match (&about, before) {
        (Some(now), Some(before)) if waits => changes::of(now, before),
        _ => Vec::new(),
    };
    dto::Plugin {
        hash: file.plugin().map(|it| it.hash().to_string()),
        file: file.file.clone(),
        bundled: file.bundled,
        state,
        reason,
        size_bytes: Some(file.size_bytes),
        about,
        grants: component.map(|it| it.grants.clone()).unwrap_or_default(),
        approved_by: approved.as_ref().map(|(by, _)| by.clone()),
        approved_at: approved.map(|(_, at)| at),
        first_seen_at: component.map(|it| it.first_seen_at),
        changes,
        hash_before: before.filter(|_| waits).map(|it| it.seen.hash.to_string()),
        granted_before: before.filter(|_| waits).map(|it| it.grants.clone()),
        destinations: Vec::new(),
    }
}

fn removed(component: &Component) -> dto::Plugin {
    dto::Plugin {
        hash: Some(component.seen.hash.to_string()),
        file: component.seen.file.clone(),
        bundled: component.seen.bundled,
        state: PluginState::Removed,
        reason: Some("its file is gone; put it back, and it goes on".to_owned()),
        size_bytes: None,
        about: serde_json::from_value(component.seen.description.clone()).ok(),
        grants: component.grants.clone(),
        approved_by: component.approved.as_ref().map(|(by, _)| by.clone()),
        approved_at: component.approved.as_ref().map(|(_, at)| *at),
        first_seen_at: Some(component.first_seen_at),
        changes: Vec::new(),
        hash_before: None,
        granted_before: None,
        destinations: Vec::new(),
    }
}

/// A component by its hash, by at least six of the hash's first digits, by its
/// file's name, or by the plugin's short name.
pub async fn find(app: &App, key: &str) -> Result<dto::Plugin> {
    let unknown = || Error::NotFound("plugin");
    let list = list(app).await?;
    let by_hash = |it: &dto::Plugin| {
        key.len() >= PART_MIN && it.hash.as_ref().is_some_and(|hash| hash.starts_with(key))
    };
    let mut hashes: Vec<_> = list.iter().filter(|it| by_hash(it)).collect();
    // A bundled one that lies in the folder, too, is one component.
    hashes.dedup_by_key(|it| it.hash.clone());
    match hashes[..] {
        [] => {}
        [one] => return Ok(one.clone()),
        _ => {
            return Err(Error::Conflict {
                message: format!("{key} fits several plugins"),
                hint: Some("give more digits of the hash".to_owned()),
            });
        }
    }
    // One whose file is gone, and which is history: its approval still counts.
    if let Ok(hash) = key.parse::<ComponentHash>()
        && let Some(component) = app.catalog.component(&hash).await?
    {
        return Ok(removed(&component));
    }
    if let Some(found) = list.iter().find(|it| !it.bundled && it.file == key) {
        return Ok(found.clone());
    }
    let named: Vec<_> =
        list.iter().filter(|it| it.about.as_ref().is_some_and(|it| it.id == key)).collect();
    match named[..] {
        [] => Err(unknown()),
        [one] => Ok(one.clone()),
        _ => Err(Error::Conflict {
            message: format!("{key} is in several files"),
            hint: Some("name the one by its hash".to_owned()),
        }),
    }
}

/// Approves a component, or changes what it may touch. The grants are all that
/// it has from then on.
pub async fn approve(
    app: &App,
    by: &Actor,
    hash: &str,
    wish: &dto::Approval,
) -> Result<dto::Plugin> {
    let (hash, plugin) = there(app, hash).await?;
    let grants = understand(app, wish, &plugin).await?;
    let mut tx = app.catalog.begin().await?;
    store_grants(app, &mut tx, by, &hash, &grants).await?;
    tx.commit().await?;
    told(app);
    find(app, hash.as_str()).await
}

fn told(app: &App) {
    app.hub.tell(Change::Plugins);
    app.hub.tell(Change::Destinations);
    app.hub.work.notify_one();
}

/// A component that is there and loads.
async fn there(app: &App, key: &str) -> Result<(ComponentHash, Arc<Plugin>)> {
    let found = find(app, key).await?;
    let hash = found.hash.and_then(|it| it.parse::<ComponentHash>().ok());
    let plugin = hash.as_ref().and_then(|hash| app.plugins.loaded(hash));
    let is_named_whole = key.parse::<ComponentHash>().is_ok();
    if plugin.is_some() && !is_named_whole {
        // Under a name or some digits there may lie another file than was looked at.
        return Err(Error::BadRequest(
            "a plugin is approved by the whole SHA-256 of its file".to_owned(),
        ));
    }
    hash.zip(plugin).ok_or_else(|| match found.state {
        PluginState::New => Error::conflict("the file is still being looked at"),
        PluginState::Removed => Error::conflict("the file is gone"),
        _ => Error::conflict("the file was refused; there is nothing to approve"),
    })
}

/// Takes approval and grants back. What runs goes on to its end; nothing new begins.
pub async fn revoke(app: &App, by: &Actor, hash: &str) -> Result<()> {
    let found = find(app, hash).await?;
    let hash = found.hash.and_then(|it| it.parse::<ComponentHash>().ok());
    let hash = hash.ok_or_else(|| Error::conflict("the plugin is not approved"))?;
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    tx.revoke_component(&hash).await?;
    let component = tx.component(&hash).await?.ok_or(Error::NotFound("plugin"))?;
    let object = audit::Object::component(&component.seen);
    audit::record(&mut tx, by, "plugin.revoke", object, now).await?;
    tx.commit().await?;
    told(app);
    Ok(())
}

/// Puts a file into the plugin folder, in place of one with the same name. It is
/// a plugin like any other there: it is loaded, and waits for approval. A large
/// one is still being compiled when this returns.
pub async fn upload(app: &App, by: &Actor, name: &str, bytes: Bytes) -> Result<dto::Plugin> {
    if !file_name_is_fit(name) {
        return Err(Error::field(
            "file",
            "the file's name has letters a–z, digits, . _ and -, 100 at most, and .wasm at the end",
        ));
    }
    if bytes.is_empty() || bytes.len() as u64 > FILE_MAX {
        let most = cofferdam_model::size(FILE_MAX);
        return Err(Error::field("file", format!("a plugin has 1 byte to {most}")));
    }
    let hashed = bytes.clone();
    let sha256 = tokio::task::spawn_blocking(move || Sha256::digest(&hashed))
        .await
        .map_err(|error| Error::Internal(error.into()))?;
    let sha256 = ComponentHash::from_bytes(&sha256.into());
    let details = json!({ "size_bytes": bytes.len(), "sha256": sha256 });
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    audit::record_with(&mut tx, by, "plugin.upload", audit::Object::file(name), details, now)
        .await?;
    tx.commit().await?;
    let size = bytes.len() as u64;
    let (folder, file) = (app.plugins.folder().to_owned(), name.to_owned());
    tokio::task::spawn_blocking(move || put(&folder, &file, &bytes))
        .await
        .map_err(|error| Error::Internal(error.into()))?
        .map_err(|error| {
            Error::conflict(format!("the file cannot be written into the plugin folder: {error}"))
        })?;
    app.plugins.was_put(app, name, size).await.map_err(Error::Internal)?;
    let list = list(app).await?;
    let found = list.into_iter().find(|it| !it.bundled && it.file == name);
    found.ok_or(Error::NotFound("plugin"))
}
