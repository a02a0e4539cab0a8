//! Looking at the queue.

use cofferdam_model::{BackupId, DatabaseId, Fence, Job, JobKind, Progress, Timestamp};
use sqlx::{AssertSqlSafe, any::AnyRow};

use crate::{Catalog, Result, cells::Cells};

/// The job of a backup that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job, with the holder's fence.
    pub job: Job,
    /// The backup it makes.
    pub backup_id: BackupId,
    /// Of which database.
    pub database_id: DatabaseId,
    /// Who holds it.
    pub worker: String,
    /// When it was last renewed, by the holder's clock.
    pub renewed_at: Timestamp,
    /// How often it was renewed.
    pub beats: i64,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
}

pub(super) const LEASES: &str = "SELECT id, kind, backup_id, database_id, worker, fence, beats, renewed_at, \
 expires_at, cancel_requested FROM jobs WHERE kind = 'backup' AND worker IS NOT NULL";

pub(super) fn job(cells: &Cells<'_>) -> Result<Job> {
    Ok(Job {
        id: cells.parse("id")?,
        kind: JobKind::Backup(cells.parse("backup_id")?),
        fence: Fence(cells.int("fence")?),
        expires_at: cells.time("expires_at")?,
    })
}

pub(super) fn lease(row: &AnyRow) -> Result<Lease> {
    let cells = Cells::new("jobs", row);
    Ok(Lease {
        job: job(&cells)?,
        backup_id: cells.parse("backup_id")?,
        database_id: cells.parse("database_id")?,
        worker: cells.text("worker")?,
        renewed_at: cells.time("renewed_at")?,
        beats: cells.int("beats")?,
        cancel_requested: cells.flag("cancel_requested")?,
    })
}

impl Lease {
    /// Whether the lease has expired at `now`; see the top of this module.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        let length = self.job.expires_at - self.renewed_at;
        self.job.expires_at <= now || self.renewed_at > now + length
    }
}

impl Catalog {
    /// All leases of backups, living and expired, the oldest job first.
    pub async fn leases(&self) -> Result<Vec<Lease>> {
        let sql = AssertSqlSafe(format!("{LEASES} ORDER BY created_at, id"));
        let rows = sqlx::query(sql).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(lease).collect()
    }

    /// The leases that have expired at `now`. Look, wait for one renewal, then
    /// [`Tx::take_over`]; see the top of this module.
    pub async fn expired_jobs(&self, now: Timestamp) -> Result<Vec<Lease>> {
        let mut leases = self.leases().await?;
        leases.retain(|lease| lease.is_expired(now));
        Ok(leases)
    }

    /// The last progress that a backup's worker recorded. `None` where it is
    /// over, or has recorded none.
    pub async fn progress(&self, id: BackupId) -> Result<Option<Progress>> {
        let row =
            sqlx::query("SELECT progress FROM jobs WHERE backup_id = $1 AND progress IS NOT NULL")
                .bind(id.to_string())
                .fetch_optional(&mut *self.reader().await?)
                .await?;
        row.map(|row| Cells::new("jobs", &row).json("progress")).transpose()
    }

    /// How many backups wait, and how many are held.
    pub async fn queue_length(&self) -> Result<(u64, u64)> {
        let row = sqlx::query(
            "SELECT count(*) AS jobs, count(worker) AS held FROM jobs WHERE kind = 'backup'",
        )
        .fetch_one(&mut *self.reader().await?)
        .await?;
        let cells = Cells::new("jobs", &row);
        let held = cells.size("held")?;
        Ok((cells.size("jobs")? - held, held))
    }
}
