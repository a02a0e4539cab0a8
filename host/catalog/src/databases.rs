//! Databases that can be backed up.

use cofferdam_model::{BackupId, BackupStatus, Database, DatabaseId, Engine, Slug, Timestamp};
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

/// One backup in few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastBackup {
    /// Which.
    pub id: BackupId,
    /// How far it has come.
    pub status: BackupStatus,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// The file's size.
    pub size_bytes: Option<u64>,
}

/// A database with what the overview says about its backups.
#[derive(Debug, Clone)]
pub struct DatabaseOverview {
    /// The database.
    pub database: Database,
    /// The newest backup, whatever became of it.
    pub latest: Option<LastBackup>,
    /// The newest completed backup whose file is present.
    pub last_completed: Option<LastBackup>,
    /// All backups.
    pub total: u64,
    /// Completed ones.
    pub completed: u64,
    /// Failed ones.
    pub failed: u64,
    /// Of the files that are present.
    pub total_bytes: u64,
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

const OVERVIEW: &str = "\
SELECT d.id, d.slug, d.engine, d.summary, d.settings, d.sealed, d.created_at,
  coalesce(t.total, 0) AS total, coalesce(t.completed, 0) AS completed,
  coalesce(t.failed, 0) AS failed, coalesce(t.total_bytes, 0) AS total_bytes,
  n.id AS n_id, n.status AS n_status, n.created_at AS n_created_at,
  n.completed_at AS n_completed_at, n.size_bytes AS n_size_bytes,
  c.id AS c_id, c.status AS c_status, c.created_at AS c_created_at,
  c.completed_at AS c_completed_at, c.size_bytes AS c_size_bytes
FROM databases d
LEFT JOIN (SELECT database_id, count(*) AS total,
  count(CASE WHEN status = 'completed' THEN 1 END) AS completed,
  count(CASE WHEN status = 'failed' THEN 1 END) AS failed,
  CAST(sum(CASE WHEN file_state = 'present' THEN size_bytes ELSE 0 END) AS BIGINT) AS total_bytes
  FROM backups GROUP BY database_id) t ON t.database_id = d.id
LEFT JOIN backups n ON n.id = (SELECT b.id FROM backups b WHERE b.database_id = d.id
  ORDER BY b.created_at DESC, b.id DESC LIMIT 1)
LEFT JOIN backups c ON c.id = (SELECT b.id FROM backups b WHERE b.database_id = d.id
  AND b.status = 'completed' AND b.file_state = 'present'
  ORDER BY b.created_at DESC, b.id DESC LIMIT 1)
WHERE d.removed_at IS NULL ORDER BY d.slug";

fn overview(row: &AnyRow) -> Result<DatabaseOverview> {
    let cells = Cells::new("databases", row);
    let last = |names: [&'static str; 5]| {
        let [id, status, created_at, completed_at, size_bytes] = names;
        let Some(id) = cells.opt_parse(id)? else { return Ok(None) };
        Ok::<_, Error>(Some(LastBackup {
            id,
            status: cells.parse(status)?,
            created_at: cells.time(created_at)?,
            completed_at: cells.opt_time(completed_at)?,
            size_bytes: cells.opt_size(size_bytes)?,
        }))
    };
    Ok(DatabaseOverview {
        database: database(row)?,
        latest: last(["n_id", "n_status", "n_created_at", "n_completed_at", "n_size_bytes"])?,
        last_completed: last([
            "c_id",
            "c_status",
            "c_created_at",
            "c_completed_at",
            "c_size_bytes",
        ])?,
        total: cells.size("total")?,
        completed: cells.size("completed")?,
        failed: cells.size("failed")?,
        total_bytes: cells.size("total_bytes")?,
    })
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

    /// The same with the facts of their backups, in one query.
    pub async fn databases_overview(&self) -> Result<Vec<DatabaseOverview>> {
        let rows = sqlx::query(OVERVIEW).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(overview).collect()
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
