//! Figures over all backups.

use std::collections::HashMap;

use chrono::TimeDelta;
use cofferdam_model::{BackupId, BackupStatus, DatabaseId, Slug, Timestamp};
use sqlx::any::AnyRow;

use crate::{
    Catalog, LastBackup, Result,
    cells::{Cells, ms},
    sql::Statement,
};

/// The figures of the overview.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupStats {
    /// All records.
    pub total: u64,
    /// Completed ones.
    pub completed: u64,
    /// Failed ones.
    pub failed: u64,
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
 CAST(coalesce(sum(CASE WHEN status = 'failed' THEN backups END), 0) AS BIGINT) AS failed, \
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
            failed: cells.size("failed")?,
            active: cells.size("active")?,
            completed_recently,
            failed_recently,
            success_rate: (ended > 0).then(|| completed_recently as f64 / ended as f64),
            total_bytes: cells.size("total_bytes")?,
            latest: latest.as_ref().map(last).transpose()?,
            last_success: last_success.as_ref().map(last).transpose()?,
        })
    }

    /// The newest `limit` backups of each database that completed or failed,
    /// the oldest first: size and duration over time. A database without any
    /// is left out.
    pub async fn series(
        &self,
        databases: &[DatabaseId],
        limit: u32,
    ) -> Result<HashMap<DatabaseId, Vec<SeriesPoint>>> {
        let mut series: HashMap<_, Vec<_>> = HashMap::new();
        if databases.is_empty() || limit == 0 {
            return Ok(series);
        }
        let rows = series_of(databases, limit).all(&mut *self.reader().await?).await?;
        for row in &rows {
            let database = Cells::new("backups", row).parse("database_id")?;
            series.entry(database).or_default().push(point(row)?);
        }
        for points in series.values_mut() {
            // Several that were asked for in one millisecond may be more.
            let surplus = points.len().saturating_sub(limit as usize);
            points.drain(..surplus);
        }
        Ok(series)
    }
}

/// From the `limit`th newest on, which an index finds for each database.
fn series_of(databases: &[DatabaseId], limit: u32) -> Statement {
    let mut statement = Statement::new(
        "SELECT b.database_id, b.id, b.database_slug, b.status, b.started_at, b.completed_at, \
         b.size_bytes FROM databases d JOIN backups b ON b.database_id = d.id \
         AND b.created_at >= coalesce((SELECT n.created_at FROM backups n \
         WHERE n.database_id = d.id AND n.status IN ('completed', 'failed') \
         ORDER BY n.created_at DESC, n.id DESC LIMIT 1 OFFSET ",
    );
    statement.int(i64::from(limit) - 1).push("), -1)");
    let ids: Vec<String> = databases.iter().map(DatabaseId::to_string).collect();
    statement.condition("d.id IN ").texts(ids.iter().map(String::as_str));
    statement.condition("b.status IN ('completed', 'failed') AND b.completed_at IS NOT NULL");
    statement.push(" ORDER BY b.created_at, b.id");
    statement
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_points_of_all_databases_are_found_in_indexes() {
        let plan = series_of(&[DatabaseId::new(), DatabaseId::new()], 30).plan().await;
        assert!(!plan.iter().any(|step| step.starts_with("SCAN")), "{plan:#?}");
    }
}
