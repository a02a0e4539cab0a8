//! Destinations: configured instances of plugins.

use cofferdam_model::{
    DatabaseId, Destination, DestinationId, EventKind, PluginId, Roles, Slug, Timestamp,
};
use sqlx::{AnyConnection, AssertSqlSafe, any::AnyRow};

use crate::{
    Catalog, Error, Result, Tx,
    cells::{Cells, ms, to_json},
    deliveries::REMOVED,
};

/// What may be set of a destination; a change replaces all of it.
#[derive(Debug, Clone)]
pub struct DestinationFields {
    /// Its short name. One in use is refused.
    pub name: Slug,
    /// What its component can be.
    pub roles: Roles,
    /// Its settings without any secret, a JSON object.
    pub settings: String,
    /// Its secret settings, encrypted.
    pub sealed: Option<Vec<u8>>,
    /// While false, nothing is sent there.
    pub enabled: bool,
    /// Only backups of these databases go there; `None` for all.
    pub databases: Option<Vec<DatabaseId>>,
    /// What a notifier tells of.
    pub events: Vec<EventKind>,
    /// How many deliveries run at once, at least 1.
    pub concurrency: u32,
    /// Whether failed deliveries are tried for ever.
    pub keep_going: bool,
}

pub(crate) const SELECT: &str = "SELECT id, name, plugin_id, stores, notifies, retains, settings, sealed, enabled, \
 databases, events, concurrency, keep_going, created_at FROM destinations";

pub(crate) fn destination(row: &AnyRow) -> Result<Destination> {
    let cells = Cells::new("destinations", row);
    let databases = match cells.opt_text("databases")? {
        Some(_) => Some(cells.json("databases")?),
        None => None,
    };
    Ok(Destination {
        id: cells.parse("id")?,
        name: cells.parse("name")?,
        plugin: cells.parse("plugin_id")?,
        roles: Roles {
            storage: cells.flag("stores")?,
            notifier: cells.flag("notifies")?,
            retention: cells.flag("retains")?,
        },
        settings: cells.text("settings")?,
        sealed: cells.opt_bytes("sealed")?,
        enabled: cells.flag("enabled")?,
        databases,
        events: cells.json("events")?,
        concurrency: u32::try_from(cells.int("concurrency")?)
            .map_err(|error| cells.bad("concurrency", error))?,
        keep_going: cells.flag("keep_going")?,
        created_at: cells.time("created_at")?,
    })
}

async fn one(
    conn: &mut AnyConnection,
    condition: &'static str,
    value: String,
) -> Result<Option<Destination>> {
    let sql = AssertSqlSafe(format!("{SELECT} WHERE {condition} AND removed_at IS NULL"));
    let row = sqlx::query(sql).bind(value).fetch_optional(conn).await?;
    row.as_ref().map(destination).transpose()
}

async fn all(conn: &mut AnyConnection) -> Result<Vec<Destination>> {
    let sql = AssertSqlSafe(format!("{SELECT} WHERE removed_at IS NULL ORDER BY name"));
    let rows = sqlx::query(sql).fetch_all(conn).await?;
    rows.iter().map(destination).collect()
}

impl Catalog {
    /// The destination with this identifier, unless it was removed.
    pub async fn destination(&self, id: DestinationId) -> Result<Option<Destination>> {
        one(&mut *self.reader().await?, "id = $1", id.to_string()).await
    }

    /// The destination with this short name, unless it was removed.
    pub async fn destination_by_name(&self, name: &Slug) -> Result<Option<Destination>> {
        one(&mut *self.reader().await?, "name = $1", name.to_string()).await
    }

    /// All destinations that are not removed, by name.
    pub async fn destinations(&self) -> Result<Vec<Destination>> {
        all(&mut *self.reader().await?).await
    }
}

impl Tx {
    /// The destination with this identifier, as this transaction sees it.
    pub async fn destination(&mut self, id: DestinationId) -> Result<Option<Destination>> {
        one(self.conn(), "id = $1", id.to_string()).await
    }

    /// The destination with this short name, as this transaction sees it.
    pub async fn destination_by_name(&mut self, name: &Slug) -> Result<Option<Destination>> {
        one(self.conn(), "name = $1", name.to_string()).await
    }

    /// All destinations that are not removed, by name, as this transaction sees them.
    pub async fn destinations(&mut self) -> Result<Vec<Destination>> {
        all(self.conn()).await
    }

    /// Adds a destination under an identifier that the caller chose, because
    /// its secrets are sealed for it. A name in use: [`Error::Taken`].
    pub async fn insert_destination(
        &mut self,
        id: DestinationId,
        plugin: &PluginId,
        fields: &DestinationFields,
        now: Timestamp,
    ) -> Result<Destination> {
        sqlx::query(
            "INSERT INTO destinations (id, plugin_id, created_at, name, stores, notifies, retains, \
             settings, sealed, enabled, databases, events, concurrency, keep_going) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(id.to_string())
        .bind(plugin.as_str())
        .bind(ms(now))
        .bind(fields.name.as_str())
        .bind(i64::from(fields.roles.storage))
        .bind(i64::from(fields.roles.notifier))
        .bind(i64::from(fields.roles.retention))
        .bind(&fields.settings)
        .bind(fields.sealed.clone())
        .bind(i64::from(fields.enabled))
        .bind(fields.databases.as_ref().map(to_json).transpose()?)
        .bind(to_json(&fields.events)?)
        .bind(i64::from(fields.concurrency.max(1)))
        .bind(i64::from(fields.keep_going))
        .execute(self.conn())
        .await
        .map_err(|error| Error::taken(error, "short name"))?;
        self.destination(id).await?.ok_or(Error::NotFound("destination"))
    }

    /// Replaces a destination's settings. A name in use: [`Error::Taken`].
    pub async fn update_destination(
        &mut self,
        id: DestinationId,
        fields: &DestinationFields,
    ) -> Result<()> {
        let done = sqlx::query(
            "UPDATE destinations SET name = $2, stores = $3, notifies = $4, retains = $5, \
             settings = $6, sealed = $7, enabled = $8, databases = $9, events = $10, \
             concurrency = $11, keep_going = $12 WHERE id = $1 AND removed_at IS NULL",
        )
        .bind(id.to_string())
        .bind(fields.name.as_str())
        .bind(i64::from(fields.roles.storage))
        .bind(i64::from(fields.roles.notifier))
        .bind(i64::from(fields.roles.retention))
        .bind(&fields.settings)
        .bind(fields.sealed.clone())
        .bind(i64::from(fields.enabled))
        .bind(fields.databases.as_ref().map(to_json).transpose()?)
        .bind(to_json(&fields.events)?)
        .bind(i64::from(fields.concurrency.max(1)))
        .bind(i64::from(fields.keep_going))
        .execute(self.conn())
        .await
        .map_err(|error| Error::taken(error, "short name"))?;
        if done.rows_affected() != 1 {
            return Err(Error::NotFound("destination"));
        }
        if fields.enabled { Ok(()) } else { self.hold_deliveries(id).await }
    }

    /// Removes a destination from every list, forgets its secrets, and cancels
    /// what waits to go there. What it keeps stays there. Refused while a
    /// delivery runs: [`Error::Conflict`].
    pub async fn remove_destination(&mut self, id: DestinationId, now: Timestamp) -> Result<()> {
        let running = sqlx::query(
            "SELECT 1 AS one FROM jobs WHERE destination_id = $1 AND worker IS NOT NULL",
        )
        .bind(id.to_string())
        .fetch_optional(self.conn())
        .await?;
        if running.is_some() {
            return Err(Error::Conflict("a delivery to this destination runs".to_owned()));
        }
        self.forget_check(id).await?;
        sqlx::query("DELETE FROM jobs WHERE destination_id = $1")
            .bind(id.to_string())
            .execute(self.conn())
            .await?;
        sqlx::query(
            "UPDATE deliveries SET status = 'cancelled', completed_at = $2, \
             error = $3 \
             WHERE destination_id = $1 AND status IN ('pending', 'retrying', 'blocked')",
        )
        .bind(id.to_string())
        .bind(ms(now))
        .bind(REMOVED)
        .execute(self.conn())
        .await?;
        let done = sqlx::query(
            "UPDATE destinations SET removed_at = $2, sealed = NULL, enabled = 0 \
             WHERE id = $1 AND removed_at IS NULL",
        )
        .bind(id.to_string())
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound("destination")) }
    }
}
