//! Destinations: adding, changing, trying out, removing.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use cofferdam_catalog::{DestinationFields, Tx};
use cofferdam_model::{
    DatabaseId, Destination, DestinationId, EventKind, Grants, HostGrant, PluginId, Roles, Slug,
};
use cofferdam_runtime::{Call, CallError, Failure, Limits};
use serde_json::{Value, json};

use super::{
    Actor, Error, FieldError, Result, audit,
    deliveries::Hearing,
    destination_settings::{
        self as settings, Parts, SETTINGS_MAX, complete, field_of_pointer, keep_secrets,
    },
    plugins::{self, Ready},
};
use crate::{app::App, dto, hub::Change};

/// A check that takes longer says nothing more.
const CHECK_LIMIT: Duration = Duration::from_secs(30);
/// No destination has more deliveries at once.
const CONCURRENCY_MAX: u32 = 16;

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
    show(app, &destinations).await
}

/// One destination, as it is shown.
pub async fn view(app: &App, destination: &Destination) -> Result<dto::Destination> {
    let mut shown = show(app, std::slice::from_ref(destination)).await?;
    shown.pop().ok_or(Error::NotFound("destination"))
}

async fn show(app: &App, destinations: &[Destination]) -> Result<Vec<dto::Destination>> {
    let last = app.catalog.last_deliveries().await?;
    let databases: HashMap<DatabaseId, Slug> =
        app.catalog.databases().await?.into_iter().map(|it| (it.id, it.slug)).collect();
    let mut shown = Vec::new();
    for it in destinations {
        let (whole, problem) = match open(app, it) {
            Ok(whole) => {
                let ready = plugins::current(app, &it.plugin).await?;
                let problem = ready.and_then(|ready| match obstacle(&ready, &whole) {
                    Some(obstacle) => Err(obstacle),
                    None => Ok(()),
                });
                (Some(whole), problem.err())
            }
            Err(_) => (None, Some("its secrets cannot be opened with this master key".to_owned())),
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
            last_delivery: last.get(&it.id).map(dto::Delivery::new),
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

/// What the plugin lacks to work with these settings, if that can be told
/// without calling it.
pub fn obstacle(ready: &Ready, whole: &Value) -> Option<String> {
    let about = ready.plugin.description();
    let (named, _) = settings::hosts(&about.settings_schema, whole);
    if let Some(host) = named.iter().find(|it| !it.is_granted(&ready.grants)) {
        return Some(format!(
            "the plugin {} may not connect to {}:{}; an administrator can grant that on its page",
            about.id, host.host, host.port
        ));
    }
    let folder = ready.grants.folder.as_deref();
    if about.grants.folder && folder.is_none() {
        return Some(format!(
            "the plugin {} has no folder; an administrator can grant one on its page",
            about.id
        ));
    }
    let named = settings::folders(&about.settings_schema, whole);
    if let (Some((_, other)), Some(folder)) =
        (named.iter().find(|(_, it)| Some(it.as_path()) != folder), folder)
    {
        return Some(format!(
            "the plugin {} may use the folder {}, and not {}",
            about.id,
            folder.display(),
            other.display()
        ));
    }
    if about.grants.mail && !ready.grants.mail {
        return Some(format!(
            "the plugin {} may not send mail; an administrator can grant that on its page",
            about.id
        ));
    }
    None
}

/// A wish, understood.
struct Understood {
    plugin: PluginId,
    fields: DestinationFields,
    /// All settings, secrets included.
    whole: Value,
    parts: Parts,
    ready: Option<Ready>,
    /// What is to be granted along with it.
    grant: Grants,
}

/// Reads what somebody typed, over what was stored before. All wrong fields
/// are named at once.
async fn understand(
    app: &App,
    input: &dto::DestinationInput,
    before: Option<&Destination>,
) -> Result<Understood> {
    let mut wrong = Vec::new();
    let plugin = match (before, input.plugin.as_deref().map(str::trim)) {
        (Some(before), None) => before.plugin.clone(),
        (Some(before), Some(id)) if id == before.plugin.as_str() => before.plugin.clone(),
        (Some(_), Some(_)) => {
            return Err(Error::field(
                "plugin",
                "the plugin of a destination stays; add another destination instead",
            ));
        }
        (None, Some(id)) => id.parse().map_err(|error| Error::field("plugin", error))?,
        (None, None) => return Err(Error::field("plugin", "this is needed")),
    };
    let current = plugins::current(app, &plugin).await?;
    let ready = match (current, before) {
        (Ok(ready), _) => Some(ready),
        // What does not need the plugin can be changed without it.
        (Err(_), Some(_)) if input.settings.is_none() => None,
        (Err(why), _) => return Err(Error::field("plugin", why)),
    };
    let name = match input.name.as_deref().map(str::trim).filter(|it| !it.is_empty()) {
        Some(text) => text.parse::<Slug>().map_err(|error| {
            wrong.push(FieldError::new("name", error.to_string()));
        }),
        None => match before {
            Some(before) => Ok(before.name.clone()),
            None => Ok(free_name(app, &plugin).await?),
        },
    };
    let databases = databases(app, input, before, &mut wrong).await?;
    let events = events(input, before, &mut wrong);
    let concurrency = input.concurrency.unwrap_or_else(|| before.map_or(1, |it| it.concurrency));
    if !(1..=CONCURRENCY_MAX).contains(&concurrency) {
        wrong.push(FieldError::new(
            "concurrency",
            format!("a whole number from 1 to {CONCURRENCY_MAX}"),
        ));
    }
    let whole = whole(app, input, before, ready.as_ref(), &mut wrong)?;
    let grant = match &ready {
        Some(ready) => missing_grants(input, ready, &whole, before, &mut wrong),
        None => Grants::default(),
    };
    let parts = match &ready {
        Some(ready) => settings::split(&ready.plugin.description().settings_schema, whole.clone()),
        None => match before {
            Some(before) => parts(app, before)?,
            None => Parts { clear: whole.clone(), secret: None },
        },
    };
    let (Ok(name), true) = (name, wrong.is_empty()) else { return Err(Error::Invalid(wrong)) };
    let roles = match &ready {
        Some(ready) => {
            let roles = ready.plugin.roles();
            Roles { storage: roles.storage, notifier: roles.notifier, retention: roles.retention }
        }
        None => before.map(|it| it.roles).unwrap_or_default(),
    };
    let fields = DestinationFields {
        name,
        roles,
        settings: parts.clear.to_string(),
        sealed: None,
        enabled: input.enabled.unwrap_or_else(|| before.is_none_or(|it| it.enabled)),
        databases,
        events,
        concurrency,
        keep_going: input.keep_going.unwrap_or_else(|| before.is_some_and(|it| it.keep_going)),
    };
    Ok(Understood { plugin, fields, whole, parts, ready, grant })
}

async fn free_name(app: &App, plugin: &PluginId) -> Result<Slug> {
    let wished = Slug::from_name(plugin.as_str());
    let taken = list(app).await?;
    let mut name = wished.clone();
    let mut number = 1;
    while taken.iter().any(|it| it.name == name) {
        number += 1;
        name = wished.numbered(number);
    }
    Ok(name)
}

async fn databases(
    app: &App,
    input: &dto::DestinationInput,
    before: Option<&Destination>,
    wrong: &mut Vec<FieldError>,
) -> Result<Option<Vec<DatabaseId>>> {
    let Some(keys) = &input.databases else {
        return Ok(before.and_then(|it| it.databases.clone()));
    };
    let mut ids = Vec::new();
    for key in keys.iter().filter(|key| !key.trim().is_empty()) {
        match super::databases::find(app, key.trim()).await {
            Ok(database) if !ids.contains(&database.id) => ids.push(database.id),
            Ok(_) => {}
            Err(Error::NotFound(_)) => {
                wrong.push(FieldError::new("databases", format!("there is no database {key:?}")));
            }
            Err(other) => return Err(other),
        }
    }
    Ok((!ids.is_empty()).then_some(ids))
}

fn events(
    input: &dto::DestinationInput,
    before: Option<&Destination>,
    wrong: &mut Vec<FieldError>,
) -> Vec<EventKind> {
    let Some(words) = &input.events else {
        return before.map_or_else(|| EventKind::ALL.to_vec(), |it| it.events.clone());
    };
    let mut events: Vec<EventKind> = Vec::new();
    for word in words.iter().filter(|word| !word.is_empty()) {
        match word.parse() {
            Ok(event) if !events.contains(&event) => events.push(event),
            Ok(_) => {}
            Err(error) => wrong.push(FieldError::new("events", format!("{word}: {error}"))),
        }
    }
    events
}

/// All settings as they would be: what was typed over what was stored, against
/// the plugin's schema.
fn whole(
    app: &App,
    input: &dto::DestinationInput,
    before: Option<&Destination>,
    ready: Option<&Ready>,
    wrong: &mut Vec<FieldError>,
) -> Result<Value> {
    let old = before.map(|it| open(app, it)).transpose()?;
    let typed = match (&input.settings, &old, before) {
        (Some(typed), ..) => typed.clone(),
        (None, Some(_), Some(before)) => {
            serde_json::from_str(&before.settings).map_err(|error| Error::Internal(error.into()))?
        }
        _ => json!({}),
    };
    let Some(ready) = ready else { return Ok(old.unwrap_or(typed)) };
    if !typed.is_object() || typed.to_string().len() > SETTINGS_MAX {
        let text = format!("a JSON object of at most {SETTINGS_MAX} bytes is needed");
        wrong.push(FieldError::new("settings", text));
        return Ok(typed);
    }
    let schema = &ready.plugin.description().settings_schema;
    let mut whole = typed;
    complete(schema, &mut whole);
    if let Some(old) = &old {
        match keep_secrets(schema, whole.clone(), old) {
            Ok(kept) => whole = kept,
            Err(fields) => wrong.extend(fields),
        }
    }
    wrong.extend(settings::wrong(schema, &whole));
    wrong.extend(settings::hosts(schema, &whole).1);
    Ok(whole)
}

/// What the settings name and the plugin is not granted: granted along with the
/// change where that is asked for, else wrong. What was there before is an
/// obstacle and no mistake.
fn missing_grants(
    input: &dto::DestinationInput,
    ready: &Ready,
    whole: &Value,
    before: Option<&Destination>,
    wrong: &mut Vec<FieldError>,
) -> Grants {
    let mut more = Grants::default();
    if input.settings.is_none() && before.is_some() {
        return more;
    }
    let about = ready.plugin.description();
    let granting = input.grant == Some(true);
    let (named, _) = settings::hosts(&about.settings_schema, whole);
    for host in named.iter().filter(|it| !it.is_granted(&ready.grants)) {
        match host.host.parse() {
            Ok(pattern) if granting => more.hosts.push(HostGrant {
                host: pattern,
                port: host.port,
                private: input.grant_private == Some(true),
            }),
            _ => {
                let private = if host.is_private() { " private" } else { "" };
                let text = format!(
                    "the plugin may not connect to {0}:{1}; grant {0}:{1}{private} to it first",
                    host.host, host.port
                );
                wrong.push(FieldError::new(host.field.clone(), text));
            }
        }
    }
    for (field, folder) in settings::folders(&about.settings_schema, whole) {
        let shown = folder.display();
        let text = match &ready.grants.folder {
            _ if !folder.is_absolute() => {
                "a path from the root is needed, such as /srv/copies".to_owned()
            }
            Some(granted) if *granted == folder => continue,
            Some(granted) => {
                format!("the plugin may use the folder {}, and one only", granted.display())
            }
            None if granting => {
                more.folder = Some(folder);
                continue;
            }
            None => format!("the plugin may not use {shown}; grant this folder to it first"),
        };
        wrong.push(FieldError::new(field, text));
    }
    more.mail = granting && about.grants.mail && !ready.grants.mail;
    more
}

/// Adds a destination.
pub async fn create(app: &App, by: &Actor, input: &dto::DestinationInput) -> Result<Destination> {
    let mut understood = understand(app, input, None).await?;
    let id = DestinationId::new();
    understood.fields.sealed = seal(app, id, &understood.parts);
    grant(app, by, &understood).await?;
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
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
    understood.fields.sealed = seal(app, before.id, &understood.parts);
    grant(app, by, &understood).await?;
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    refuse_taken(&mut tx, &understood.fields.name, before.id).await?;
    if tx.destination(before.id).await? != Some(before.clone()) {
        return Err(Error::conflict("somebody else has just changed this destination; look again"));
    }
    tx.update_destination(before.id, &understood.fields).await?;
    tx.wake_deliveries(None, Some(before.id), now).await?;
    let changed = tx.destination(before.id).await?.ok_or(Error::NotFound("destination"))?;
    let action = match (before.enabled, changed.enabled) {
        (true, false) => "destination.disable",
        (false, true) => "destination.enable",
        _ => "destination.update",
    };
    audit::record(&mut tx, by, action, audit::Object::destination(&changed), now).await?;
    tx.commit().await?;
    told(app);
    Ok(changed)
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

async fn grant(app: &App, by: &Actor, understood: &Understood) -> Result<()> {
    match &understood.ready {
        Some(ready) if understood.grant != Grants::default() => {
            let hash = ready.plugin.hash();
            plugins::grant_more(app, by, hash, understood.grant.clone()).await
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

/// Asks the plugin whether a stored destination works.
pub async fn check(app: &App, destination: &Destination) -> Result<dto::DestinationCheck> {
    let ready = match plugins::current(app, &destination.plugin).await? {
        Ok(ready) => ready,
        Err(why) => return Ok(not_checked(why)),
    };
    let whole = open(app, destination)?;
    ask(app, ready, whole).await
}

/// Asks the plugin whether settings would work, before they are stored; what
/// is left out is taken from `before`. Nothing is stored, and nothing granted.
pub async fn try_out(
    app: &App,
    input: &dto::DestinationInput,
    before: Option<&Destination>,
) -> Result<dto::DestinationCheck> {
    let understood = understand(app, input, before).await?;
    let Some(ready) = understood.ready else {
        return Ok(not_checked("the plugin is not there".to_owned()));
    };
    let grants = plugins::with_more(ready.grants, understood.grant);
    ask(app, Ready { plugin: ready.plugin, grants }, understood.whole).await
}

fn not_checked(message: String) -> dto::DestinationCheck {
    dto::DestinationCheck { ok: false, message, errors: Vec::new(), log: Vec::new(), took_ms: 0 }
}

async fn ask(app: &App, ready: Ready, whole: Value) -> Result<dto::DestinationCheck> {
    if let Some(obstacle) = obstacle(&ready, &whole) {
        return Ok(not_checked(obstacle));
    }
    let begun = Instant::now();
    let hearing = Arc::new(Hearing::default());
    let limits = Limits { idle: CHECK_LIMIT, longest: CHECK_LIMIT, ..Limits::default() };
    let call = Call { limits, ..call(app, &ready, whole, hearing.clone()) };
    let result = ready.plugin.check(call).await.result;
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let errors = match &result {
        Err(CallError::Failure(Failure::InvalidConfig(fields))) => {
            let error = |it: &cofferdam_runtime::FieldError| dto::SettingError {
                field: field_of_pointer(&it.field),
                message: it.message.clone(),
            };
            fields.iter().map(error).collect()
        }
        _ => Vec::new(),
    };
    Ok(dto::DestinationCheck {
        ok: result.is_ok(),
        message: result.unwrap_or_else(|error| error.to_string()),
        errors,
        log: hearing.take_lines(),
        took_ms,
    })
}

/// A call into a plugin, with everything that it may have and nothing else.
pub fn call(app: &App, ready: &Ready, whole: Value, hearing: Arc<Hearing>) -> Call {
    Call {
        settings: whole,
        grants: ready.grants.clone(),
        limits: Limits::default(),
        observer: hearing,
        mailer: app.mailer.clone(),
    }
}
