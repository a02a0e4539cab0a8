//! Destinations: adding, changing, trying out, removing.

mod check;
mod input;
pub mod places;
pub mod settings;

use std::collections::{BTreeSet, HashMap};

use cofferdam_catalog::Tx;
use cofferdam_model::{DatabaseId, Destination, DestinationId, Grants, Roles, Slug};
use serde_json::{Map, Value, json};

use super::{Actor, Error, FieldError, Result, audit, plugins};
use crate::{app::App, dto, hub::Change};
use input::{Understood, understand};
use settings::Parts;

use check::obstacle;
pub use check::{brief_call, call, check, ready, send_test, try_out, word_call};

/// All destinations, by name.
pub async fn list(app: &App) -> Result<Vec<Destination>> {
    Ok(app.catalog.destinations().await?)
}

/// A destination by its identifier or its short name.
pub async fn find(app: &App, key: &str) -> Result<Destination> {
    let found = if let Ok(id) = key.parse::<DestinationId>() {
        app.catalog.destination(id).await?
    } else if let Ok(name) = key.parse::<Slug>() {
        app.catalog.destination_by_name(&name).await?
    } else {
        None
    };
    found.ok_or(Error::NotFound("destination"))
}

/// All destinations, as they are shown.
pub async fn views(app: &App) -> Result<Vec<dto::Destination>> {
    let destinations = list(app).await?;
    views_of(app, &destinations).await
}

/// One destination, as it is shown.
pub async fn view(app: &App, destination: &Destination) -> Result<dto::Destination> {
    let mut shown = views_of(app, std::slice::from_ref(destination)).await?;
    shown.pop().ok_or(Error::NotFound("destination"))
}

/// These destinations in the same order, as they are shown.
pub async fn views_of(app: &App, destinations: &[Destination]) -> Result<Vec<dto::Destination>> {
    let last = app.catalog.last_deliveries().await?;
    let checks = app.catalog.checks().await?;
    let usable = plugins::Usable::now(app).await?;
    let databases: HashMap<DatabaseId, Slug> =
        app.catalog.databases().await?.into_iter().map(|it| (it.id, it.slug)).collect();
    let mut shown = Vec::new();
    for it in destinations {
        let (whole, problem) = match open(app, it) {
            Ok(whole) => {
                let problem =
                    usable.of(&it.plugin).and_then(|ready| match obstacle(app, &ready, &whole) {
                        Some(obstacle) => Err(obstacle),
                        None => Ok(()),
                    });
                (Some(whole), problem.err())
            }
            Err(_) => (None, Some(check::LOCKED.to_owned())),
        };
        let stored = whole.map(|_| parts(app, it)).transpose()?;
        let secrets = settings::secrets(stored.as_ref().and_then(|it| it.secret.as_ref()));
        let named = |ids: &Vec<DatabaseId>| {
            ids.iter().filter_map(|id| databases.get(id)).map(ToString::to_string).collect()
        };
        shown.push(dto::Destination {
            id: it.id.to_string(),
            name: it.name.to_string(),
            plugin: it.plugin.to_string(),
            roles: role_words(it.roles),
            settings: serde_json::from_str(&it.settings).unwrap_or_default(),
            secrets: secrets.keys().cloned().collect(),
            enabled: it.enabled,
            databases: it.databases.as_ref().map(named),
            events: it.events.clone(),
            concurrency: it.concurrency,
            keep_going: it.keep_going,
            created_at: it.created_at,
            problem,
            retention_held: app.holds.of(it.id),
            last_delivery: last.get(&it.id).map(dto::Delivery::new),
            last_check: checks.get(&it.id).and_then(|(at, found)| {
                let found = serde_json::from_value(found.clone()).ok()?;
                Some(dto::LastCheck { at: *at, found })
            }),
        });
    }
    Ok(shown)
}

fn role_words(roles: Roles) -> Vec<String> {
    let all =
        [(roles.storage, "storage"), (roles.notifier, "notifier"), (roles.retention, "retention")];
    all.into_iter().filter(|(is, _)| *is).map(|(_, word)| word.to_owned()).collect()
}

/// The settings with their secrets, for calls into the plugin only.
pub fn open(app: &App, destination: &Destination) -> Result<Value> {
    Ok(settings::join(parts(app, destination)?))
}

fn parts(app: &App, destination: &Destination) -> Result<Parts> {
    let clear = serde_json::from_str(&destination.settings)
        .map_err(|error| Error::Internal(error.into()))?;
    let secret = match &destination.sealed {
        Some(sealed) => Some(
            app.vault
                .unseal(&context(destination.id), sealed)
                .map_err(|error| Error::Internal(error.into()))?,
        ),
        None => None,
    };
    Ok(Parts { clear, secret })
}

fn context(id: DestinationId) -> String {
    format!("destination {id}")
}

/// Adds a destination.
pub async fn create(app: &App, by: &Actor, input: &dto::DestinationInput) -> Result<Destination> {
    let mut understood = understand(app, input, None).await?;
    let id = DestinationId::new();
    understood.fields.sealed = seal(app, id, &understood.parts);
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    grant(app, &mut tx, by, &understood).await?;
    refuse_taken(&mut tx, &understood.fields.name, id).await?;
    let made = tx.insert_destination(id, &understood.plugin, &understood.fields, now).await?;
    let object = audit::Object::destination(&made);
    audit::record(&mut tx, by, "destination.create", object, now).await?;
    tx.commit().await?;
    told(app);
    Ok(made)
}

/// Changes a destination; a field that is left out keeps its value.
pub async fn update(
    app: &App,
    by: &Actor,
    destination: &Destination,
    input: &dto::DestinationInput,
) -> Result<Destination> {
    // As it is now: another change may have come in between.
    let before = app.catalog.destination(destination.id).await?;
    let before = before.ok_or(Error::NotFound("destination"))?;
    let mut understood = understand(app, input, Some(&before)).await?;
    if input.settings.is_some() {
        understood.fields.sealed = seal(app, before.id, &understood.parts);
    }
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    grant(app, &mut tx, by, &understood).await?;
    refuse_taken(&mut tx, &understood.fields.name, before.id).await?;
    if tx.destination(before.id).await? != Some(before.clone()) {
        return Err(Error::conflict("somebody else has just changed this destination; look again"));
    }
    tx.update_destination(before.id, &understood.fields).await?;
    if input.settings.is_some() {
        tx.forget_check(before.id).await?;
    }
    tx.wake_deliveries(None, Some(before.id), now).await?;
    let changed = tx.destination(before.id).await?.ok_or(Error::NotFound("destination"))?;
    let action = match (before.enabled, changed.enabled) {
        (true, false) => "destination.disable",
        (false, true) => "destination.enable",
        _ => "destination.update",
    };
    let details = json!({ "changed": differences(app, &before, &changed) });
    let object = audit::Object::destination(&changed);
    audit::record_with(&mut tx, by, action, object, details, now).await?;
    tx.commit().await?;
    told(app);
    Ok(changed)
}

/// The names of what is not as before, for the audit log: no values, since
/// settings may be secret.
fn differences(app: &App, before: &Destination, after: &Destination) -> Vec<String> {
    let fields = [
        ("name", before.name != after.name),
        ("enabled", before.enabled != after.enabled),
        ("databases", before.databases != after.databases),
        ("events", before.events != after.events),
        ("concurrency", before.concurrency != after.concurrency),
        ("keep_going", before.keep_going != after.keep_going),
    ];
    let changed = fields.into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_owned());
    let (Ok(old), Ok(new)) = (open(app, before), open(app, after)) else {
        // Secrets of another master key do not keep a change from being made.
        let settings = (&before.settings, &before.sealed) != (&after.settings, &after.sealed);
        return changed.chain(settings.then(|| "settings".to_owned())).collect();
    };
    let none = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&none), new.as_object().unwrap_or(&none));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let settings = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    changed.chain(settings.map(|name| format!("settings.{name}"))).collect()
}

/// Sends things there again, or no longer.
pub async fn set_enabled(
    app: &App,
    by: &Actor,
    destination: &Destination,
    enabled: bool,
) -> Result<Destination> {
    let input =
        dto::DestinationInput { enabled: Some(enabled), ..dto::DestinationInput::default() };
    update(app, by, destination, &input).await
}

/// Forgets a destination and its secrets. What it keeps stays there.
pub async fn remove(app: &App, by: &Actor, destination: &Destination) -> Result<()> {
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    tx.remove_destination(destination.id, now).await?;
    let object = audit::Object::destination(destination);
    audit::record(&mut tx, by, "destination.delete", object, now).await?;
    tx.commit().await?;
    told(app);
    Ok(())
}

fn told(app: &App) {
    app.hub.tell(Change::Destinations);
    app.hub.tell(Change::Plugins);
    app.hub.work.notify_one();
}

fn seal(app: &App, id: DestinationId, parts: &Parts) -> Option<Vec<u8>> {
    parts.secret.as_ref().map(|secret| app.vault.seal(&context(id), secret))
}

async fn grant(app: &App, tx: &mut Tx, by: &Actor, understood: &Understood) -> Result<()> {
    match &understood.ready {
        Some(ready) if understood.grant != Grants::default() => {
            let hash = ready.plugin.hash();
            plugins::grant_more(app, tx, by, hash, understood.grant.clone()).await
        }
        _ => Ok(()),
    }
}

async fn refuse_taken(tx: &mut Tx, name: &Slug, own: DestinationId) -> Result<()> {
    if tx.destination_by_name(name).await?.is_some_and(|other| other.id != own) {
        return Err(Error::field("name", "another destination has this short name"));
    }
    Ok(())
}
