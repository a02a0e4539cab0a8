//! Entries of the audit log.

use std::{fmt::Display, time::Instant};

use cofferdam_catalog::{ActorKind, NewAudit, NewComponent, Outcome, Tx};
use cofferdam_model::{Backup, BackupId, Database, Delivery, Destination, Timestamp, UserId};
use serde_json::{Value, json};

use super::{Actor, Door, Result, repeats::Due};
use crate::app::App;

/// What an entry is about.
#[derive(Debug, Clone)]
pub struct Object {
    kind: &'static str,
    id: String,
    name: String,
}

impl Object {
    /// A person.
    pub fn user(id: UserId, name: impl Display) -> Self {
        Self { kind: "user", id: id.to_string(), name: name.to_string() }
    }

    /// A database.
    pub fn database(database: &Database) -> Self {
        Self { kind: "database", id: database.id.to_string(), name: database.slug.to_string() }
    }

    /// A component.
    pub fn component(component: &NewComponent) -> Self {
        let name = format!("{} {}", component.plugin, component.version);
        Self { kind: "plugin", id: component.hash.to_string(), name }
    }

    /// A file in the plugin folder.
    pub fn file(name: &str) -> Self {
        Self { kind: "file", id: name.to_owned(), name: name.to_owned() }
    }

    /// A destination.
    pub fn destination(destination: &Destination) -> Self {
        Self {
            kind: "destination",
            id: destination.id.to_string(),
            name: destination.name.to_string(),
        }
    }

    /// A delivery.
    pub fn delivery(delivery: &Delivery) -> Self {
        Self {
            kind: "delivery",
            id: delivery.id.to_string(),
            name: format!("{} to {}", delivery.backup, delivery.destination_name),
        }
    }

    /// A backup's copy at a destination.
    pub fn copy(backup: BackupId, filename: &str) -> Self {
        Self { kind: "backup", id: backup.to_string(), name: filename.to_owned() }
    }

    /// A backup.
    pub fn backup(backup: &Backup) -> Self {
        let name = backup.filename.clone().unwrap_or_else(|| backup.database.to_string());
        Self { kind: "backup", id: backup.id.to_string(), name }
    }
}

fn entry(actor: &Actor, action: &str, outcome: Outcome) -> NewAudit {
    let who = cofferdam_catalog::Actor {
        name: actor.name.clone(),
        kind: match actor.door {
            Door::Page => ActorKind::User,
            Door::Api => ActorKind::Token,
            Door::Cli => ActorKind::Cli,
            Door::System => ActorKind::System,
        },
        remote: actor.remote.map(|address| address.to_string()),
    };
    NewAudit::new(who, action, outcome)
}

/// Records a change inside the transaction that makes it.
pub async fn record(
    tx: &mut Tx,
    actor: &Actor,
    action: &str,
    object: Object,
    now: Timestamp,
) -> Result<()> {
    record_with(tx, actor, action, object, Value::Null, now).await
}

/// The same with more to know.
pub async fn record_with(
    tx: &mut Tx,
    actor: &Actor,
    action: &str,
    object: Object,
    details: Value,
    now: Timestamp,
) -> Result<()> {
    let entry = entry(actor, action, Outcome::Allowed)
        .object(object.kind, object.id, object.name)
        .details(details);
    tx.audit(&entry, now).await?;
    Ok(())
}

/// Records something that changes nothing, such as a download, before it happens.
pub async fn record_alone(app: &App, actor: &Actor, action: &str, object: Object) -> Result<()> {
    let mut tx = app.catalog.begin().await?;
    record(&mut tx, actor, action, object, app.now()).await?;
    tx.commit().await?;
    Ok(())
}

/// Records, before its bytes leave, that a part of a file is fetched; parts
/// that the same person fetches of the same file within some minutes are
/// counted first, and recorded by [`write_counted`].
pub async fn record_part(app: &App, actor: &Actor, action: &str, object: Object) -> Result<()> {
    let entry = entry(actor, action, Outcome::Allowed)
        .object(object.kind, object.id, object.name)
        .details(json!({ "part": true }));
    // Held over the write: no part leaves on the word of an entry that is not there yet.
    let parts = app.parts.lock().await;
    let Some(due) = parts.count(entry, None, Instant::now()) else { return Ok(()) };
    let written = async {
        let mut tx = app.catalog.begin().await?;
        tx.audit(&due.entry(), app.now()).await?;
        tx.commit().await
    };
    let written = written.await;
    if written.is_err() {
        parts.forget(&due);
    }
    Ok(written?)
}

/// Records a refusal; one that is repeated within a minute is counted first,
/// and recorded by [`write_counted`]. That it cannot be recorded must not turn
/// the refusal into something else.
pub async fn denied(app: &App, actor: &Actor, what: &str) {
    let details = json!({ "request": what });
    refused(app, entry(actor, "access", Outcome::Denied).details(details)).await;
}

/// Records a sign-in that did not work, as [`denied`] does.
pub async fn sign_in_failed(app: &App, actor: &Actor, why: &str) {
    let details = json!({ "reason": why });
    refused(app, entry(actor, "session.create", Outcome::Denied).details(details)).await;
}

/// Records what was only counted and whose time is over; at the console's end
/// all of it.
pub async fn write_counted(app: &App, all: bool) {
    let due = app.denials.due(Instant::now(), all);
    if !write(app, &due).await {
        app.denials.put_back(&due, Instant::now());
    }
    let parts = app.parts.lock().await;
    let due = parts.due(Instant::now(), all);
    if !write(app, &due).await {
        parts.put_back(&due, Instant::now());
    }
}

async fn refused(app: &App, refusal: NewAudit) {
    let others = entry(&Actor::system(), "access", Outcome::Denied)
        .details(json!({ "request": "more kinds of refusals than are told apart" }));
    if let Some(due) = app.denials.count(refusal, Some(others), Instant::now()) {
        let due = [due];
        if !write(app, &due).await {
            app.denials.put_back(&due, Instant::now());
        }
    }
}

/// `false` when they were not written.
async fn write(app: &App, due: &[Due]) -> bool {
    if due.is_empty() {
        return true;
    }
    let written = async {
        let mut tx = app.catalog.begin().await?;
        for due in due {
            tx.audit(&due.entry(), app.now()).await?;
        }
        tx.commit().await
    };
    match written.await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(count = due.len(), "audit entries could not be written yet: {error}");
            false
        }
    }
}
