//! Entries of the audit log.

use cofferdam_catalog::{ActorKind, NewAudit, Outcome, Tx};
use cofferdam_model::{Backup, Database, Timestamp, UserId, Username};
use serde_json::Value;

use super::{Actor, Door, Result};
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
    pub fn user(id: UserId, name: &Username) -> Self {
        Self { kind: "user", id: id.to_string(), name: name.to_string() }
    }

    /// A database.
    pub fn database(database: &Database) -> Self {
        Self { kind: "database", id: database.id.to_string(), name: database.slug.to_string() }
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

/// Records a refusal. That it cannot be recorded must not turn the refusal into something else.
pub async fn denied(app: &App, actor: &Actor, what: &str) {
    write(
        app,
        entry(actor, "access", Outcome::Denied).details(serde_json::json!({ "request": what })),
    )
    .await;
}

/// Records a sign-in that did not work.
pub async fn sign_in_failed(app: &App, actor: &Actor) {
    write(app, entry(actor, "session.create", Outcome::Denied)).await;
}

async fn write(app: &App, entry: NewAudit) {
    let written = async {
        let mut tx = app.catalog.begin().await?;
        tx.audit(&entry, app.now()).await?;
        tx.commit().await
    };
    if let Err(error) = written.await {
        tracing::error!(action = entry.action, "an audit entry could not be written: {error}");
    }
}
