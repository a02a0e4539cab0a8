//! What somebody typed about a destination, over what was stored before.

use cofferdam_catalog::DestinationFields;
use cofferdam_model::{
    DatabaseId, Destination, EventKind, Grants, HostGrant, PluginId, Roles, Slug,
};
use serde_json::{Value, json};

use super::{
    Error, FieldError, Result, list, open, places,
    plugins::{self, Ready},
    settings::{self, Parts, SETTINGS_MAX, complete, forgotten, keep_secrets},
};
use crate::{app::App, dto, service::databases as all_databases};

/// No destination has more deliveries at once.
const CONCURRENCY_MAX: u32 = 16;

/// A wish, understood.
pub(super) struct Understood {
    pub(super) plugin: PluginId,
    pub(super) fields: DestinationFields,
    /// All settings, secrets included.
    pub(super) whole: Value,
    pub(super) parts: Parts,
    pub(super) ready: Option<Ready>,
    /// What is to be granted along with it.
    pub(super) grant: Grants,
}

/// Reads what somebody typed, over what was stored before. All wrong fields
/// are named at once.
pub(super) async fn understand(
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
    let whole = whole(app, input, before, ready.as_ref(), &mut wrong);
    let grant = match &ready {
        Some(ready) => missing_grants(app, input, ready, &whole, before, &mut wrong).await,
        None => Grants::default(),
    };
    let parts = match (&ready, before) {
        (Some(ready), before) if input.settings.is_some() || before.is_none() => {
            settings::split(&ready.plugin.description().settings_schema, whole.clone())
        }
        (_, Some(before)) => Parts { clear: clear(before), secret: None },
        (_, None) => Parts { clear: whole.clone(), secret: None },
    };
    let (Ok(name), true) = (name, wrong.is_empty()) else { return Err(Error::Invalid(wrong)) };
    let roles = match &ready {
        Some(ready) => {
            let roles = ready.plugin.roles();
            Roles { storage: roles.storage, notifier: roles.notifier, retention: roles.retention }
        }
        None => before.map(|it| it.roles).unwrap_or_default(),
    };
    let untouched = before.filter(|_| input.settings.is_none());
    let fields = DestinationFields {
        name,
        roles,
        settings: parts.clear.to_string(),
        // As they are, even where nobody can open them.
        sealed: untouched.and_then(|it| it.sealed.clone()),
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
        match all_databases::find(app, key.trim()).await {
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

/// The settings that are no secrets.
fn clear(destination: &Destination) -> Value {
    serde_json::from_str(&destination.settings).unwrap_or_else(|_| json!({}))
}

/// All settings as they would be: what was typed over what was stored, against
/// the plugin's schema.
fn whole(
    app: &App,
    input: &dto::DestinationInput,
    before: Option<&Destination>,
    ready: Option<&Ready>,
    wrong: &mut Vec<FieldError>,
) -> Value {
    // Secrets of another master key are as good as none, and can be typed again.
    let old = before.map(|it| open(app, it).unwrap_or_else(|_| clear(it)));
    let (typed, old) = match (&input.settings, old) {
        // What is not touched is not judged: it may no longer fit the plugin,
        // and the destination can be switched off all the same.
        (None, Some(old)) => return old,
        (typed, old) => (typed.clone().unwrap_or_else(|| json!({})), old),
    };
    let Some(ready) = ready else { return old.unwrap_or(typed) };
    if !typed.is_object() || typed.to_string().len() > SETTINGS_MAX {
        let text = format!("a JSON object of at most {SETTINGS_MAX} bytes is needed");
        wrong.push(FieldError::new("settings", text));
        return typed;
    }
    let schema = &ready.plugin.description().settings_schema;
    let mut whole = typed;
    let forget = forgotten(schema, &whole);
    for place in &forget {
        settings::take(&mut whole, place);
    }
    complete(schema, &mut whole);
    if let Some(old) = &old {
        match keep_secrets(schema, whole.clone(), old, &forget) {
            Ok(kept) => whole = kept,
            Err(fields) => wrong.extend(fields),
        }
    }
    wrong.extend(settings::wrong(schema, &whole));
    wrong.extend(places::hosts(schema, &whole).1);
    whole
}

/// What the settings name and the plugin is not granted: granted along with the
/// change where that is asked for, else wrong. What was there before is an
/// obstacle and no mistake.
async fn missing_grants(
    app: &App,
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
    let (named, _) = places::hosts(&about.settings_schema, whole);
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
    for (field, folder) in places::folders(&about.settings_schema, whole) {
        let shown = folder.display();
        let not_grantable =
            if folder.is_absolute() { plugins::not_grantable(app, &folder).await } else { None };
        let text = match &ready.grants.folder {
            _ if not_grantable.is_some() => not_grantable.unwrap_or_default(),
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
