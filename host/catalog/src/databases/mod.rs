//! Databases that can be backed up.

mod overview;

pub use overview::{DatabaseOverview, LastBackup};

use cofferdam_model::{Database, DatabaseId, Engine, Slug, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe, any::AnyRow};

use crate::{
    Catalog, Error, Result, Tx,
    cells::{Cells, ms},
};

/// A database to be added.
#[derive(Debug, Clone)]
pub struct NewDatabase {
    /// The wished short name; `_2`, `_3` … is put behind it where it is taken.
    pub slug: Slug,
    /// What reads it.
    pub engine: Engine,
    /// Where it is, for people. No secret.
    pub summary: String,
    /// Its connection settings, without any secret, as JSON.
    pub settings: String,
    /// Its secret settings, encrypted.
    pub sealed: Option<Vec<u8>>,
}

/// New settings of a database; all are replaced.
#[derive(Debug, Clone)]
pub struct DatabaseUpdate {
    /// Its short name. One in use is refused, not numbered.
    pub slug: Slug,
    /// Where it is, for people. No secret.
    pub summary: String,
    /// Its connection settings, without any secret, as JSON.
    pub settings: String,
    /// Its secret settings, encrypted.
    pub sealed: Option<Vec<u8>>,
}

const SELECT: &str =
    "SELECT id, slug, engine, summary, settings, sealed, created_at FROM databases d";

fn database(row: &AnyRow) -> Result<Database> {
    let cells = Cells::new("databases", row);
    Ok(Database {
        id: cells.parse("id")?,
        slug: cells.parse("slug")?,
        engine: cells.parse("engine")?,
        summary: cells.text("summary")?,
        settings: cells.text("settings")?,
        sealed: cells.opt_bytes("sealed")?,
        created_at: cells.time("created_at")?,
    })
}

async fn by_id(conn: &mut AnyConnection, id: DatabaseId) -> Result<Option<Database>> {
    let sql = AssertSqlSafe(format!("{SELECT} WHERE id = $1 AND removed_at IS NULL"));
    let row = sqlx::query(sql).bind(id.to_string()).fetch_optional(conn).await?;
    row.as_ref().map(database).transpose()
}

async fn by_slug(conn: &mut AnyConnection, slug: &Slug) -> Result<Option<Database>> {
    let sql = AssertSqlSafe(format!("{SELECT} WHERE slug = $1 AND removed_at IS NULL"));
    let row = sqlx::query(sql).bind(slug.as_str()).fetch_optional(conn).await?;
    row.as_ref().map(database).transpose()
}

impl Catalog {
    /// The database with this identifier, unless it was removed.
    pub async fn database(&self, id: DatabaseId) -> Result<Option<Database>> {
        by_id(&mut *self.reader().await?, id).await
    }

    /// The database with this short name, unless it was removed.
    pub async fn database_by_slug(&self, slug: &Slug) -> Result<Option<Database>> {
        by_slug(&mut *self.reader().await?, slug).await
    }

    /// All databases that are not removed, by short name.
    pub async fn databases(&self) -> Result<Vec<Database>> {
        let sql = AssertSqlSafe(format!("{SELECT} WHERE removed_at IS NULL ORDER BY slug"));
        let rows = sqlx::query(sql).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(database).collect()
    }
}

impl Tx {
    /// Adds a database under the first free of `slug`, `slug_2`, `slug_3` …
    pub async fn insert_database(&mut self, new: &NewDatabase, now: Timestamp) -> Result<Database> {
        let mut slug = new.slug.clone();
        let mut number = 1;
        while by_slug(self.conn(), &slug).await?.is_some() {
            number += 1;
            slug = new.slug.numbered(number);
        }
        let id = DatabaseId::new();
        sqlx::query(
            "INSERT INTO databases (id, slug, engine, summary, settings, sealed, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.to_string())
        .bind(slug.as_str())
        .bind(new.engine.as_str())
        .bind(&new.summary)
        .bind(&new.settings)
        .bind(new.sealed.clone())
        .bind(ms(now))
        .execute(self.conn())
        .await
        .map_err(|error| Error::taken(error, "short name"))?;
        self.database(id).await?.ok_or(Error::NotFound("database"))
    }

    /// The database with this identifier, as this transaction sees it.
    pub async fn database(&mut self, id: DatabaseId) -> Result<Option<Database>> {
        by_id(self.conn(), id).await
    }

    /// The database with this short name, as this transaction sees it.
    pub async fn database_by_slug(&mut self, slug: &Slug) -> Result<Option<Database>> {
        by_slug(self.conn(), slug).await
    }

    /// Replaces a database's settings. A short name in use: [`Error::Taken`].
    /// Its earlier backups keep the name they were made under.
    pub async fn update_database(&mut self, id: DatabaseId, new: &DatabaseUpdate) -> Result<()> {
        let done = sqlx::query(
            "UPDATE databases SET slug = $2, summary = $3, settings = $4, sealed = $5 \
             WHERE id = $1 AND removed_at IS NULL",
        )
        .bind(id.to_string())
        .bind(new.slug.as_str())
        .bind(&new.summary)
        .bind(&new.settings)
        .bind(new.sealed.clone())
        .execute(self.conn())
        .await
        .map_err(|error| Error::taken(error, "short name"))?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound("database")) }
    }

    /// Removes a database from every list and forgets its secrets; its
    /// backups stay. Refused while one waits or runs: [`Error::Conflict`].
    pub async fn remove_database(&mut self, id: DatabaseId, now: Timestamp) -> Result<()> {
        let busy = sqlx::query("SELECT 1 AS one FROM jobs WHERE database_id = $1")
            .bind(id.to_string())
            .fetch_optional(self.conn())
            .await?;
        if busy.is_some() {
            return Err(Error::Conflict("a backup of this database waits or runs".to_owned()));
        }
        let done = sqlx::query(
            "UPDATE databases SET removed_at = $2, sealed = NULL \
             WHERE id = $1 AND removed_at IS NULL",
        )
        .bind(id.to_string())
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound("database")) }
    }
}
