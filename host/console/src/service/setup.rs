//! The first start: the first administrator, the first database, the backup folder.

use std::sync::Arc;

use anyhow::bail;
use chrono::TimeDelta;
use cofferdam_catalog::{Digest, NewUser};
use cofferdam_model::{
    Connection, Database, FailureKind, Role, Secret, SqliteConnection, UserId, Username,
};

use super::{Actor, Error, Result, audit, connection, databases};
use crate::{
    app::{App, keys},
    password, token,
};

/// Takes the environment over, once, and makes what every start needs.
/// Afterwards the environment changes nothing any more. Gives the database
/// that the environment named, if it was added now.
pub async fn first_start(app: &App) -> anyhow::Result<Option<Database>> {
    first_administrator(app).await?;
    backup_folder(app).await?;
    let named = app.config.first_start.database.as_ref();
    if app.catalog.setting(keys::IMPORTED).await?.is_none() {
        let added = first_database(app).await?;
        return Ok(named.map(|_| added));
    }
    if let Some(named) = named
        && !is_listed(app, named).await?
    {
        tracing::warn!(
            "there is a catalog already, so DATABASE_URL and POSTGRES_* are not read; \
             add the database on the page or with `cofferdam database add`"
        );
    }
    Ok(None)
}

async fn is_listed(app: &App, connection: &Connection) -> anyhow::Result<bool> {
    let all = app.catalog.databases().await?;
    let same = |other: Connection| connection::same_place(&other, connection);
    Ok(all.iter().any(|it| databases::open(app, it).is_ok_and(same)))
}

/// Tells the log whether the database that the environment named answers.
pub async fn look_at_first(app: Arc<App>, database: Database) {
    let name = database.slug.as_str();
    let advice =
        |hint: Option<&String>| hint.map_or_else(String::new, |it| format!("; HINT: {it}"));
    match databases::first_look(&app, &database).await.found {
        Ok(found) => {
            for problem in &found.problems {
                let hint = advice(problem.hint.as_ref());
                tracing::warn!("the first database, {name}: {}{hint}", problem.text);
            }
        }
        Err(failure) => {
            let hint = advice(failure.hint.as_ref());
            tracing::warn!(
                "the first database, {name}, cannot be looked at: {}{hint}",
                failure.message
            );
        }
    }
}

async fn first_administrator(app: &App) -> anyhow::Result<()> {
    let Some((name, secret)) = &app.config.first_start.admin else { return Ok(()) };
    if app.catalog.user_count().await? > 0 {
        return Ok(());
    }
    password::check_new(secret, name.as_str())
        .map_err(|weak| anyhow::anyhow!("COFFERDAM_ADMIN_PASSWORD is refused: {weak}"))?;
    let new = NewUser {
        username: name.clone(),
        password_hash: app.passwords.hash(secret.clone()).await,
        role: Role::Administrator,
    };
    let mut tx = app.catalog.begin().await?;
    let id = tx.insert_first_administrator(&new, app.now()).await?;
    audit::record(
        &mut tx,
        &Actor::system(),
        "user.create",
        audit::Object::user(id, name),
        app.now(),
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

/// The folder's marker is made once, together with its entry in the catalog.
/// A folder that already has a marker, and a catalog that has never seen it,
/// is somebody's older folder: it is taken over with its backups, unless
/// somebody uses it.
async fn backup_folder(app: &App) -> anyhow::Result<()> {
    if app.catalog.setting(keys::FOLDER).await?.is_some() {
        // A folder that is not there may come back; one in use is refused at once.
        return match app.folder().await {
            Err(failure) if failure.kind == FailureKind::Settings => {
                let hint = failure.hint.as_deref().unwrap_or_default();
                bail!("{failure}\nHINT: {hint}")
            }
            _ => Ok(()),
        };
    }
    let id = app.make_folder()?;
    let mut tx = app.catalog.begin().await?;
    tx.set_setting(keys::FOLDER, &id.to_string()).await?;
    tx.commit().await?;
    Ok(())
}

/// The database that the settings name, or the console's own catalog, so that
/// Generate Backup works with nothing else installed.
async fn first_database(app: &App) -> anyhow::Result<Database> {
    let own = || Connection::Sqlite(SqliteConnection { path: app.config.catalog.clone() });
    let connection = app.config.first_start.database.clone().unwrap_or_else(own);
    let name = match &app.config.first_start.database {
        Some(connection) => connection::natural_name(connection),
        None => "cofferdam".to_owned(),
    };
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    let added = databases::insert(app, &mut tx, &Actor::system(), &name, &connection, now).await?;
    tx.set_setting(keys::IMPORTED, &now.to_rfc3339()).await?;
    tx.commit().await?;
    Ok(added)
}

/// Whether the first administrator is still to be made.
pub async fn is_open(app: &App) -> Result<bool> {
    Ok(app.catalog.user_count().await? == 0)
}

/// A fresh set-up link's secret while there is no user; earlier links end.
pub async fn link(app: &App) -> Result<Option<Secret>> {
    if !is_open(app).await? {
        return Ok(None);
    }
    let secret = token::random();
    let mut tx = app.catalog.begin().await?;
    tx.insert_setup_token(Digest::of(secret.expose()), app.now() + TimeDelta::hours(24)).await?;
    tx.commit().await?;
    Ok(Some(secret))
}

/// Whether a link could be used now.
pub async fn link_is_valid(app: &App, secret: &str) -> Result<bool> {
    Ok(app.catalog.setup_token_is_valid(Digest::of(secret), app.now()).await?)
}

/// Uses the link up: the first administrator.
pub async fn use_link(
    app: &App,
    link: &str,
    name: &str,
    password: Secret,
    again: &Secret,
) -> Result<UserId> {
    if !link_is_valid(app, link).await? {
        return Err(Error::NotFound("set-up link"));
    }
    let mut wrong = Vec::new();
    let mut refuse = |field: &'static str, message: String| {
        wrong.push(super::FieldError::new(field, message));
    };
    let username =
        name.parse::<Username>().map_err(|error| refuse("username", error.to_string())).ok();
    if let Err(weak) = password::check_new(&password, name) {
        refuse("password", weak.to_string());
    } else if password.expose() != again.expose() {
        refuse("password_again", "the two passwords differ".to_owned());
    }
    let Some(username) = username.filter(|_| wrong.is_empty()) else {
        return Err(Error::Invalid(wrong));
    };
    let new = NewUser {
        username: username.clone(),
        password_hash: app.passwords.hash(password).await,
        role: Role::Administrator,
    };
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    let id = match tx.consume_setup_token(Digest::of(link), &new, now).await {
        Err(cofferdam_catalog::Error::SetupRefused) => return Err(Error::NotFound("set-up link")),
        other => other?,
    };
    audit::record(
        &mut tx,
        &Actor::system(),
        "user.create",
        audit::Object::user(id, &username),
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(id)
}
