//! Databases: adding, changing, checking, removing.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use cofferdam_artifact::Folder;
use cofferdam_backup::{Control, Preflight};
use cofferdam_catalog::{DatabaseUpdate, NewDatabase, Tx};
use cofferdam_model::{
    Connection, Database, DatabaseId, Engine, Failure, FailureKind, Secret, Slug, Timestamp,
};

use super::{Actor, Error, Result, audit, connection};
use crate::{app::App, dto::DatabaseInput};

const CHECK_LIMIT: Duration = Duration::from_mins(1);
/// Whoever adds a database waits for no longer than this to hear whether it answers.
const FIRST_LOOK_LIMIT: Duration = Duration::from_secs(5);

/// All databases, by name.
pub async fn list(app: &App) -> Result<Vec<Database>> {
    Ok(app.catalog.databases().await?)
}

/// A database by its identifier or its short name.
pub async fn find(app: &App, key: &str) -> Result<Database> {
    let found = if let Ok(id) = key.parse::<DatabaseId>() {
        app.catalog.database(id).await?
    } else if let Ok(slug) = key.parse::<Slug>() {
        app.catalog.database_by_slug(&slug).await?
    } else {
        None
    };
    found.ok_or(Error::NotFound("database"))
}

/// A database that was just added, and what somebody should know of it.
pub struct Added {
    /// Its record.
    pub database: Database,
    /// What a first look found. Whatever it was, the database is stored: its
    /// server may be down for now.
    pub first_look: Checked,
    /// Databases that point at the same place already.
    pub same_as: Vec<Database>,
}

/// Adds a database and looks at it at once, for some seconds at most.
pub async fn add(app: &Arc<App>, by: &Actor, input: &DatabaseInput) -> Result<Added> {
    let mut same_as = list(app).await?;
    let (database, connection) = store(app, by, input).await?;
    same_as.retain(|other| {
        open(app, other).is_ok_and(|other| connection::same_place(&other, &connection))
    });
    let first_look = first_look(app, &database).await;
    Ok(Added { database, first_look, same_as })
}

/// Looks at a database that was just added, for some seconds at most. It is
/// stored by now, so whatever goes wrong is a finding and no refusal.
pub async fn first_look(app: &Arc<App>, database: &Database) -> Checked {
    check_within(app, database, FIRST_LOOK_LIMIT).await.unwrap_or_else(|error| {
        let failure = Failure::new(FailureKind::Internal, error.to_string());
        Checked::new(app, database, Duration::ZERO, Err(failure))
    })
}

async fn store(app: &App, by: &Actor, input: &DatabaseInput) -> Result<(Database, Connection)> {
    let connection = connection::understand(input, None);
    let slug = input
        .name
        .as_deref()
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::parse::<Slug>);
    let connection = match (connection, &slug) {
        (Ok(connection), Some(Err(error))) => {
            drop(connection);
            return Err(Error::field("name", error));
        }
        (Err(Error::Invalid(mut fields)), Some(Err(error))) => {
            fields.push(super::FieldError::new("name", error.to_string()));
            return Err(Error::Invalid(fields));
        }
        (other, _) => other?,
    };
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    if let Some(Ok(slug)) = &slug
        && tx.database_by_slug(slug).await?.is_some()
    {
        return Err(Error::field("name", "another database has this short name"));
    }
    let name = match slug {
        Some(Ok(slug)) => slug.to_string(),
        _ => connection::natural_name(&connection),
    };
    let database = insert(app, &mut tx, by, &name, &connection, now).await?;
    tx.commit().await?;
    Ok((database, connection))
}

/// Adds a database under the nearest free short name, inside a transaction.
pub async fn insert(
    app: &App,
    tx: &mut Tx,
    by: &Actor,
    name: &str,
    connection: &Connection,
    now: Timestamp,
) -> Result<Database> {
    let new = NewDatabase {
        slug: Slug::from_name(name),
        engine: engine(connection),
        summary: connection::summary(connection),
        settings: settings(connection)?,
        sealed: None,
    };
    let mut database = tx.insert_database(&new, now).await?;
    // The seal is bound to the identifier, which the insert gave.
    database.sealed = seal(app, database.id, connection);
    if database.sealed.is_some() {
        let update = DatabaseUpdate {
            slug: database.slug.clone(),
            summary: new.summary,
            settings: new.settings,
            sealed: database.sealed.clone(),
        };
        tx.update_database(database.id, &update).await?;
    }
    audit::record(tx, by, "database.create", audit::Object::database(&database), now).await?;
    Ok(database)
}

/// Changes a database's settings; a field that is left out keeps its value.
pub async fn update(
    app: &App,
    by: &Actor,
    database: &Database,
    input: &DatabaseInput,
) -> Result<Database> {
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    // As it is now: another change may have come in between.
    let database = &tx.database(database.id).await?.ok_or(Error::NotFound("database"))?;
    let before = open(app, database)?;
    let connection = connection::understand(input, Some(&before))?;
    if engine(&connection) != database.engine {
        return Err(Error::field(
            "engine",
            "the engine of a database stays; add another database instead",
        ));
    }
    let slug = match input.name.as_deref().map(str::trim) {
        None | Some("") => database.slug.clone(),
        Some(name) => name.parse().map_err(|error| Error::field("name", error))?,
    };
    if tx.database_by_slug(&slug).await?.is_some_and(|other| other.id != database.id) {
        return Err(Error::field("name", "another database has this short name"));
    }
    let update = DatabaseUpdate {
        slug,
        summary: connection::summary(&connection),
        settings: settings(&connection)?,
        sealed: seal(app, database.id, &connection),
    };
    tx.update_database(database.id, &update).await?;
    let changed = tx.database(database.id).await?.ok_or(Error::NotFound("database"))?;
    audit::record(&mut tx, by, "database.update", audit::Object::database(&changed), now).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Forgets a database. Its backups and their records stay.
pub async fn remove(app: &App, by: &Actor, database: &Database) -> Result<()> {
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    tx.remove_database(database.id, now).await?;
    audit::record(&mut tx, by, "database.delete", audit::Object::database(database), now).await?;
    tx.commit().await?;
    app.checks.lock().unwrap_or_else(PoisonError::into_inner).remove(&database.id);
    Ok(())
}

/// What a look at a database found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// When it ended.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What was found, or why it could not be looked at.
    pub found: std::result::Result<Preflight, Failure>,
    /// What was looked at.
    settings: String,
    sealed: Option<Vec<u8>>,
}

impl Checked {
    fn new(
        app: &App,
        database: &Database,
        took: Duration,
        found: std::result::Result<Preflight, Failure>,
    ) -> Self {
        let (settings, sealed) = (database.settings.clone(), database.sealed.clone());
        Self { at: app.now(), took, found, settings, sealed }
    }
}

/// Looks whether a backup would work now, and remembers what was found.
pub async fn check(app: &Arc<App>, database: &Database) -> Result<Checked> {
    check_within(app, database, CHECK_LIMIT).await
}

async fn check_within(app: &Arc<App>, database: &Database, limit: Duration) -> Result<Checked> {
    let begun = Instant::now();
    let found = match look(app, database, limit).await {
        Ok(found) => Ok(found),
        Err(Error::Failed(failure)) => Err(failure),
        Err(other) => return Err(other),
    };
    let checked = Checked::new(app, database, begun.elapsed(), found);
    app.checks.lock().unwrap_or_else(PoisonError::into_inner).insert(database.id, checked.clone());
    Ok(checked)
}

/// What the last look found, if there was one since the console started. One
/// at other settings, also one that ended after they were changed, says
/// nothing any more.
pub fn last_check(app: &App, database: &Database) -> Option<Checked> {
    let checks = app.checks.lock().unwrap_or_else(PoisonError::into_inner);
    let last = checks.get(&database.id);
    last.filter(|it| it.settings == database.settings && it.sealed == database.sealed).cloned()
}

async fn look(app: &Arc<App>, database: &Database, limit: Duration) -> Result<Preflight> {
    let until = tokio::time::Instant::now() + limit;
    let late = |text: &str, hint| {
        let text = format!("{text} within {} seconds", limit.as_secs());
        Error::from(Failure::new(FailureKind::Timeout, text).hint(hint))
    };
    let folder = tokio::time::timeout_at(until, app.folder()).await.map_err(|_| {
        late("the backup folder did not answer", "look whether its disk is there and answers")
    })??;
    tokio::time::timeout_at(until, survey(app, database, folder)).await.unwrap_or_else(|_| {
        Err(match database.engine {
            Engine::Postgres => late(
                "the server did not answer",
                "look whether host and port are right, the server is up, and no lock is held",
            ),
            Engine::Sqlite => late(
                "the file could not be read",
                "look whether its disk answers, and no program holds the database locked",
            ),
        })
    })
}

async fn survey(app: &Arc<App>, database: &Database, folder: Folder) -> Result<Preflight> {
    let connection = open(app, database)?;
    let control = Control::new();
    // Whoever asked may go away before the answer is there.
    let _watch = StopWhenDropped(control.clone());
    let app = app.clone();
    let work = tokio::task::spawn_blocking(move || {
        let keep_free = app.config.limits.keep_free_bytes;
        cofferdam_backup::check(&connection, &app.clients(), &folder, keep_free, &control)
    });
    Ok(work.await.map_err(|error| Error::Internal(error.into()))??)
}

struct StopWhenDropped(Control);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.cancel(cofferdam_backup::Stop::Cancelled);
    }
}

/// The connection with its secret, for the worker and the check only.
pub fn open(app: &App, database: &Database) -> Result<Connection> {
    let view =
        serde_json::from_str(&database.settings).map_err(|error| Error::Internal(error.into()))?;
    let password = match &database.sealed {
        Some(sealed) => Some(
            app.vault
                .unseal(&context(database.id), sealed)
                .map_err(|error| Error::Internal(error.into()))?,
        ),
        None => None,
    };
    Ok(connection::restore(database.engine, view, password))
}

fn engine(connection: &Connection) -> Engine {
    match connection {
        Connection::Postgres(_) => Engine::Postgres,
        Connection::Sqlite(_) => Engine::Sqlite,
    }
}

fn settings(connection: &Connection) -> Result<String> {
    serde_json::to_string(&connection::view(connection))
        .map_err(|error| Error::Internal(error.into()))
}

fn seal(app: &App, id: DatabaseId, connection: &Connection) -> Option<Vec<u8>> {
    let password: &Secret = connection::password(connection)?;
    Some(app.vault.seal(&context(id), password))
}

fn context(id: DatabaseId) -> String {
    format!("database {id}")
}
