//! Asking a plugin whether a destination works.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use cofferdam_model::Destination;
use cofferdam_runtime::{Call, CallError, Event, Failure, Limits, Severity};
use serde_json::{Value, json};

use super::{
    Error, Result, audit,
    input::understand,
    open, places,
    plugins::{self, Ready},
    settings::field_of_pointer,
};
use crate::{
    app::App,
    dto,
    hub::Change,
    service::{Actor, Hearing},
};

/// Why a destination cannot be called, where its secrets are another key's.
pub(super) const LOCKED: &str = "its secrets cannot be opened with this master key";
/// A check that takes longer says nothing more.
const CHECK_LIMIT: Duration = Duration::from_secs(30);
/// A server that has not taken word of something by then is asked again later.
const WORD_LIMIT: Duration = Duration::from_mins(1);

/// What the plugin lacks to work with these settings, if that can be told
/// without calling it.
pub fn obstacle(app: &App, ready: &Ready, whole: &Value) -> Option<String> {
    let about = ready.plugin.description();
    let (named, _) = places::hosts(&about.settings_schema, whole);
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
    let named = places::folders(&about.settings_schema, whole);
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
    if let Some(why) = folder.and_then(|it| plugins::is_the_consoles(app, it)) {
        return Some(format!("the plugin {} cannot use its folder: {why}", about.id));
    }
    if about.grants.mail && !ready.grants.mail {
        return Some(format!(
            "the plugin {} may not send mail; an administrator can grant that on its page",
            about.id
        ));
    }
    None
}

/// What a stored destination is called with; or why it cannot be called now,
/// for people.
pub async fn ready(
    app: &App,
    destination: &Destination,
) -> Result<std::result::Result<(Ready, Value), String>> {
    let ready = match plugins::current(app, &destination.plugin).await? {
        Ok(ready) => ready,
        Err(why) => return Ok(Err(why)),
    };
    let Ok(whole) = open(app, destination) else {
        return Ok(Err(LOCKED.to_owned()));
    };
    Ok(match obstacle(app, &ready, &whole) {
        Some(obstacle) => Err(obstacle),
        None => Ok((ready, whole)),
    })
}

/// Asks the plugin whether a stored destination works, and keeps what it said.
pub async fn check(app: &App, destination: &Destination) -> Result<dto::DestinationCheck> {
    let found = match plugins::current(app, &destination.plugin).await? {
        Ok(ready) => match open(app, destination) {
            Ok(whole) => ask(app, ready, whole).await?,
            Err(_) => not_checked(LOCKED.to_owned()),
        },
        Err(why) => not_checked(why),
    };
    let kept = serde_json::to_value(&found).map_err(|error| Error::Internal(error.into()))?;
    let mut tx = app.catalog.begin().await?;
    // The settings that were tested may be other ones by now.
    if tx.destination(destination.id).await?.as_ref() == Some(destination) {
        tx.note_check(destination.id, &kept, app.now()).await?;
    }
    tx.commit().await?;
    app.hub.tell(Change::Destinations);
    Ok(found)
}

/// Asks the plugin whether settings would work, before they are stored; what
/// is left out is taken from `before`. Nothing is stored, and nothing granted
/// for longer than the test: where granting is asked for along with them, they
/// are tested with it.
pub async fn try_out(
    app: &App,
    by: &Actor,
    input: &dto::DestinationInput,
    before: Option<&Destination>,
) -> Result<dto::DestinationCheck> {
    let understood = understand(app, input, before).await?;
    let Some(ready) = understood.ready else {
        return Ok(not_checked("the plugin is not there".to_owned()));
    };
    let grants = plugins::with_more(ready.grants, understood.grant);
    let component = app.catalog.component(ready.plugin.hash()).await?;
    let component = component.ok_or(Error::NotFound("plugin"))?;
    let details = json!({
        "hosts": grants.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "folder": grants.folder,
    });
    let mut tx = app.catalog.begin().await?;
    let object = audit::Object::component(&component.seen);
    audit::record_with(&mut tx, by, "destination.try", object, details, app.now()).await?;
    tx.commit().await?;
    ask(app, Ready { plugin: ready.plugin, grants }, understood.whole).await
}

/// Sends a test notification, so that somebody sees one arrive.
pub async fn send_test(
    app: &App,
    by: &Actor,
    destination: &Destination,
) -> Result<dto::DestinationCheck> {
    if !destination.roles.notifier {
        return Err(Error::conflict("this destination tells nobody anything"));
    }
    let ready = match plugins::current(app, &destination.plugin).await? {
        Ok(ready) => ready,
        Err(why) => return Ok(not_checked(why)),
    };
    let Ok(whole) = open(app, destination) else { return Ok(not_checked(LOCKED.to_owned())) };
    if let Some(obstacle) = obstacle(app, &ready, &whole) {
        return Ok(not_checked(obstacle));
    }
    let object = audit::Object::destination(destination);
    audit::record_alone(app, by, "destination.test", object).await?;
    let (id, at) = (uuid::Uuid::now_v7().to_string(), app.now());
    let title = format!("Test of {}", destination.name);
    let text = format!("{} asked for it. Nothing else has happened.", by.name);
    let url = app.config.access.public_url.clone();
    let document = json!({
        "id": id, "kind": "test", "severity": "info", "at": at, "title": title, "text": text, "url": url,
    });
    let event = Event {
        id,
        kind: "test".to_owned(),
        severity: Severity::Info,
        at,
        title,
        text,
        url,
        backup: None,
        document,
    };
    let (begun, hearing) = (Instant::now(), Hearing::new());
    let call = brief_call(app, &ready, whole, hearing.clone());
    let result = ready.plugin.notify(call, event).await.result;
    Ok(found(result, begun, &hearing))
}

/// The usual limits, but that the call takes no longer than this in all.
fn within(app: &App, longest: Duration) -> Limits {
    let usual = &app.config.plugin_limits;
    Limits { idle: usual.idle.min(longest), longest, ..usual.clone() }
}

fn not_checked(message: String) -> dto::DestinationCheck {
    dto::DestinationCheck { ok: false, message, errors: Vec::new(), log: Vec::new(), took_ms: 0 }
}

async fn ask(app: &App, ready: Ready, whole: Value) -> Result<dto::DestinationCheck> {
    if let Some(obstacle) = obstacle(app, &ready, &whole) {
        return Ok(not_checked(obstacle));
    }
    let begun = Instant::now();
    let hearing = Hearing::new();
    let call = brief_call(app, &ready, whole, hearing.clone());
    let result = ready.plugin.check(call).await.result;
    Ok(found(result, begun, &hearing))
}

fn found(
    result: std::result::Result<String, CallError>,
    begun: Instant,
    hearing: &Hearing,
) -> dto::DestinationCheck {
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let errors: Vec<dto::SettingError> = match &result {
        Err(CallError::Failure(Failure::InvalidConfig(fields))) => {
            let error = |it: &cofferdam_runtime::FieldError| dto::SettingError {
                field: field_of_pointer(&it.field),
                message: it.message.clone(),
            };
            fields.iter().map(error).collect()
        }
        _ => Vec::new(),
    };
    let named = |it: &dto::SettingError| match it.field.strip_prefix("settings.") {
        Some(name) => format!("{name}: {}", it.message),
        None => it.message.clone(),
    };
    let ok = result.is_ok();
    let message = match result {
        Ok(said) => said,
        Err(error) if errors.is_empty() => error.to_string(),
        Err(_) => {
            let each: Vec<String> = errors.iter().map(named).collect();
            format!("the settings are not right: {}", each.join("; "))
        }
    };
    dto::DestinationCheck { ok, message, errors, log: hearing.take_lines(), took_ms }
}

/// A call that somebody waits for, or that asks a small question.
pub fn brief_call(app: &App, ready: &Ready, whole: Value, hearing: Arc<Hearing>) -> Call {
    Call { limits: within(app, CHECK_LIMIT), ..call(app, ready, whole, hearing) }
}

/// A call that tells something: nobody waits for it, but for its place.
pub fn word_call(app: &App, ready: &Ready, whole: Value, hearing: Arc<Hearing>) -> Call {
    Call { limits: within(app, WORD_LIMIT), ..call(app, ready, whole, hearing) }
}

/// A call into a plugin, with everything that it may have and nothing else.
pub fn call(app: &App, ready: &Ready, whole: Value, hearing: Arc<Hearing>) -> Call {
    Call {
        settings: whole,
        grants: ready.grants.clone(),
        limits: app.config.plugin_limits.clone(),
        observer: hearing,
        mailer: app.mailer.clone(),
    }
}
