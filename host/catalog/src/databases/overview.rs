//! Databases with the facts of their backups.

use cofferdam_model::{BackupId, BackupStatus, Database, Timestamp};
use sqlx::any::AnyRow;

use super::database;
use crate::{Catalog, Error, Result, cells::Cells};

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

const OVERVIEW: &str = "\
SELECT d.id, d.slug, d.engine, d.summary, d.settings, d.sealed, d.created_at,
  coalesce(t.total, 0) AS total, coalesce(t.completed, 0) AS completed,
  coalesce(t.failed, 0) AS failed, coalesce(t.total_bytes, 0) AS total_bytes,
  n.id AS n_id, n.status AS n_status, n.created_at AS n_created_at,
  n.completed_at AS n_completed_at, n.size_bytes AS n_size_bytes,
  c.id AS c_id, c.status AS c_status, c.created_at AS c_created_at,
  c.completed_at AS c_completed_at, c.size_bytes AS c_size_bytes
FROM databases d
LEFT JOIN (SELECT database_id, CAST(sum(backups) AS BIGINT) AS total,
  CAST(sum(CASE WHEN status = 'completed' THEN backups ELSE 0 END) AS BIGINT) AS completed,
  CAST(sum(CASE WHEN status = 'failed' THEN backups ELSE 0 END) AS BIGINT) AS failed,
  CAST(sum(CASE WHEN file_state = 'present' THEN bytes ELSE 0 END) AS BIGINT) AS total_bytes
  FROM backup_counts GROUP BY database_id) t ON t.database_id = d.id
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
    /// All databases that are not removed, by short name, with the facts of
    /// their backups.
    pub async fn databases_overview(&self) -> Result<Vec<DatabaseOverview>> {
        let rows = sqlx::query(OVERVIEW).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(overview).collect()
    }
}
