//! Figures over all backups.

use chrono::TimeDelta;
use cofferdam_model::{BackupId, BackupStatus, DatabaseId, Slug, Timestamp};
use sqlx::any::AnyRow;

use crate::{
    Catalog, LastBackup, Result,
    cells::{Cells, ms},
};

/// The figures of the overview.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupStats {
    /// All records.
    pub total: u64,
    /// Completed ones.
    pub completed: u64,
    /// Waiting or running ones.
    pub active: u64,
    /// Completed ones that were asked for in the last 30 days.
    pub completed_recently: u64,
    /// Failed ones that were asked for in the last 30 days.
    pub failed_recently: u64,
    /// Completed over completed and failed, of the last 30 days, 0 to 1;
    /// nothing where neither happened.
    pub success_rate: Option<f64>,
    /// Of the files that are present.
    pub total_bytes: u64,
    /// The newest record.
    pub latest: Option<LastBackup>,
    /// The newest completed record whose file is present.
    pub last_success: Option<LastBackup>,
}

/// One point of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesPoint {
    /// Which backup.
    pub id: BackupId,
    /// Of which database.
    pub database: Slug,
    /// Completed or failed.
    pub status: BackupStatus,
    /// When it ended.
    pub completed_at: Timestamp,
    /// The file's size; 0 where there is none.
    pub size_bytes: u64,
    /// From the run's begin to its end.
    pub duration_ms: u64,
}

fn last(row: &AnyRow) -> Result<LastBackup> {
    let cells = Cells::new("backups", row);
    Ok(LastBackup {
        id: cells.parse("id")?,
        status: cells.parse("status")?,
        created_at: cells.time("created_at")?,
        completed_at: cells.opt_time("completed_at")?,
        size_bytes: cells.opt_size("size_bytes")?,
    })
}

// All but the last 30 days is counted already; those are a range of an index.
const COUNTS: &str = "SELECT CAST(coalesce(sum(backups), 0) AS BIGINT) AS total, \
 CAST(coalesce(sum(CASE WHEN status = 'completed' THEN backups END), 0) AS BIGINT) AS completed, \
 CAST(coalesce(sum(CASE WHEN status IN ('pending', 'running') THEN backups END), 0) AS BIGINT) \
  AS active, \
 CAST(coalesce(sum(CASE WHEN file_state = 'present' THEN bytes END), 0) AS BIGINT) \
  AS total_bytes, \
 (SELECT count(*) FROM backups WHERE status = 'completed' AND created_at >= $1) \
  AS completed_recently, \
 (SELECT count(*) FROM backups WHERE status = 'failed' AND created_at >= $1) \
  AS failed_recently FROM backup_counts";

const LATEST: &str = "SELECT id, status, created_at, completed_at, size_bytes FROM backups \
 ORDER BY created_at DESC, id DESC LIMIT 1";

const LAST_SUCCESS: &str = "SELECT id, status, created_at, completed_at, size_bytes FROM backups \
 WHERE status = 'completed' AND file_state = 'present' ORDER BY created_at DESC, id DESC LIMIT 1";

impl Catalog {
    /// The figures, as of `now`.
    pub async fn backup_stats(&self, now: Timestamp) -> Result<BackupStats> {
        let mut conn = self.reader().await?;
        let row =
            sqlx::query(COUNTS).bind(ms(now - TimeDelta::days(30))).fetch_one(&mut *conn).await?;
        let cells = Cells::new("backups", &row);
        let latest = sqlx::query(LATEST).fetch_optional(&mut *conn).await?;
        let last_success = sqlx::query(LAST_SUCCESS).fetch_optional(&mut *conn).await?;
        let completed_recently = cells.size("completed_recently")?;
        let failed_recently = cells.size("failed_recently")?;
        let ended = completed_recently + failed_recently;
        Ok(BackupStats {
            total: cells.size("total")?,
            completed: cells.size("completed")?,
            active: cells.size("active")?,
            completed_recently,
            failed_recently,
            success_rate: (ended > 0).then(|| completed_recently as f64 / ended as f64),
            total_bytes: cells.size("total_bytes")?,
            latest: latest.as_ref().map(last).transpose()?,
            last_success: last_success.as_ref().map(last).transpose()?,
        })
    }

    /// The newest `limit` backups of a database that completed or failed, the oldest first:
    /// size and duration over time.
    pub async fn series(&self, database: DatabaseId, limit: u32) -> Result<Vec<SeriesPoint>> {
        let rows = sqlx::query(
            "SELECT id, database_slug, status, started_at, completed_at, size_bytes \
             FROM backups WHERE database_id = $1 AND status IN ('completed', 'failed') \
             AND completed_at IS NOT NULL \
             ORDER BY created_at DESC, id DESC LIMIT $2",
        )
        .bind(database.to_string())
        .bind(i64::from(limit))
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().rev().map(point).collect()
    }
}

fn point(row: &AnyRow) -> Result<SeriesPoint> {
    let cells = Cells::new("backups", row);
    let completed_at = cells.time("completed_at")?;
    let ran = completed_at - cells.opt_time("started_at")?.unwrap_or(completed_at);
    Ok(SeriesPoint {
        id: cells.parse("id")?,
        database: cells.parse("database_slug")?,
        status: cells.parse("status")?,
        completed_at,
        size_bytes: cells.opt_size("size_bytes")?.unwrap_or(0),
        // A clock that was set back during the run makes it negative.
        duration_ms: u64::try_from(ran.num_milliseconds()).unwrap_or(0),
    })
}
