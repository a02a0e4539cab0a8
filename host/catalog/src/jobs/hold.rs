//! Holding a job: claiming, renewing, taking over, and letting go at the end.

use chrono::TimeDelta;
use cofferdam_model::{BackupId, Fence, Job, JobId, Progress, Timestamp};
use sqlx::AssertSqlSafe;

use super::{
    Lease,
    read::{LEASES, job, lease},
};
use crate::{
    Error, Result, Tx,
    backups::changed,
    cells::{Cells, ms, to_json},
};

/// What a renewal tells the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewed {
    /// The lease now ends here.
    pub expires_at: Timestamp,
    /// Somebody asked to cancel the run.
    pub cancel_requested: bool,
}

/// The oldest waiting job whose database has no held one, while fewer than $4
/// are held. On SQLite the write lock makes claims follow one another; on
/// PostgreSQL the inner SELECT ends in `FOR UPDATE SKIP LOCKED`, and this is
/// the only statement in which the two differ.
const CLAIM: &str = "UPDATE jobs SET worker = $1, fence = fence + 1, renewed_at = $2, expires_at = $3 \
 WHERE id = (SELECT j.id FROM jobs j WHERE j.kind = 'backup' AND j.worker IS NULL \
  AND (SELECT count(*) FROM jobs r WHERE r.kind = 'backup' AND r.worker IS NOT NULL) < $4 \
  AND NOT EXISTS (SELECT 1 FROM jobs r WHERE r.worker IS NOT NULL AND r.database_id = j.database_id) \
  AND ($5 = '' OR j.backup_id = $5) \
  ORDER BY j.created_at, j.id LIMIT 1) \
 RETURNING id, kind, backup_id, fence, expires_at";

impl Tx {
    /// Leases the oldest waiting job whose database has no run under way, if
    /// fewer than `max_running` are held in all, and marks its backup running.
    pub async fn lease_next(
        &mut self,
        worker: &str,
        now: Timestamp,
        lease: TimeDelta,
        max_running: u32,
    ) -> Result<Option<Job>> {
        self.claim(worker, now, lease, max_running, String::new()).await
    }

    /// The same for one certain backup: for a command line that runs its own.
    pub async fn lease_backup(
        &mut self,
        id: BackupId,
        worker: &str,
        now: Timestamp,
        lease: TimeDelta,
        max_running: u32,
    ) -> Result<Option<Job>> {
        self.claim(worker, now, lease, max_running, id.to_string()).await
    }

    async fn claim(
        &mut self,
        worker: &str,
        now: Timestamp,
        lease: TimeDelta,
        max_running: u32,
        only: String,
    ) -> Result<Option<Job>> {
        let row = sqlx::query(CLAIM)
            .bind(worker)
            .bind(ms(now))
            .bind(ms(now + lease))
            .bind(i64::from(max_running))
            .bind(only)
            .fetch_optional(self.conn())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let cells = Cells::new("jobs", &row);
        let (job, backup): (_, BackupId) = (job(&cells)?, cells.parse("backup_id")?);
        let done = sqlx::query(
            "UPDATE backups SET status = 'running', started_at = $2 \
             WHERE id = $1 AND status = 'pending'",
        )
        .bind(backup.to_string())
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        changed(done.rows_affected(), "the backup of this job does not wait")?;
        Ok(Some(job))
    }

    /// Extends a lease and records progress. With an old fence, or when the
    /// job is over: [`Error::LeaseLost`].
    pub async fn renew(
        &mut self,
        job: JobId,
        fence: Fence,
        now: Timestamp,
        lease: TimeDelta,
        progress: Option<&Progress>,
    ) -> Result<Renewed> {
        let expires_at = now + lease;
        let row = sqlx::query(
            "UPDATE jobs SET renewed_at = $3, expires_at = $4, beats = beats + 1, \
             progress = coalesce($5, progress) WHERE id = $1 AND fence = $2 AND worker IS NOT NULL \
             RETURNING cancel_requested, expires_at",
        )
        .bind(job.to_string())
        .bind(fence.0)
        .bind(ms(now))
        .bind(ms(expires_at))
        .bind(progress.map(to_json).transpose()?)
        .fetch_optional(self.conn())
        .await?;
        let Some(row) = row else { return Err(Error::LeaseLost) };
        let cells = Cells::new("jobs", &row);
        Ok(Renewed {
            expires_at: cells.time("expires_at")?,
            cancel_requested: cells.flag("cancel_requested")?,
        })
    }

    /// Takes a job over under a new fence, unless it was renewed, taken or
    /// ended since `seen` was read: then `None`. The caller decides what
    /// becomes of the backup: [`Tx::finish_completed`] if its file was
    /// published, [`Tx::finish_failed`] (interrupted) if not.
    pub async fn take_over(
        &mut self,
        seen: &Lease,
        worker: &str,
        now: Timestamp,
        lease: TimeDelta,
    ) -> Result<Option<Job>> {
        let row = sqlx::query(
            "UPDATE jobs SET worker = $4, fence = fence + 1, beats = beats + 1, \
             renewed_at = $5, expires_at = $6 \
             WHERE id = $1 AND fence = $2 AND beats = $3 AND worker IS NOT NULL \
             RETURNING id, kind, backup_id, fence, expires_at",
        )
        .bind(seen.job.id.to_string())
        .bind(seen.job.fence.0)
        .bind(seen.beats)
        .bind(worker)
        .bind(ms(now))
        .bind(ms(now + lease))
        .fetch_optional(self.conn())
        .await?;
        row.map(|row| job(&Cells::new("jobs", &row))).transpose()
    }

    /// Removes the job of a run that is over, if this fence holds it.
    pub(crate) async fn end_job(&mut self, id: BackupId, fence: Fence) -> Result<()> {
        let done = sqlx::query(
            "DELETE FROM jobs WHERE backup_id = $1 AND fence = $2 AND worker IS NOT NULL",
        )
        .bind(id.to_string())
        .bind(fence.0)
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Error::LeaseLost) }
    }

    /// Removes the job of a backup whose file was found whole, unless a
    /// living lease holds it.
    pub(crate) async fn drop_dead_job(&mut self, id: BackupId, now: Timestamp) -> Result<()> {
        let sql = AssertSqlSafe(format!("{LEASES} AND backup_id = $1"));
        let row = sqlx::query(sql).bind(id.to_string()).fetch_optional(self.conn()).await?;
        if let Some(row) = row
            && !lease(&row)?.is_expired(now)
        {
            return Err(Error::Conflict("the backup is being made".to_owned()));
        }
        sqlx::query("DELETE FROM jobs WHERE backup_id = $1")
            .bind(id.to_string())
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
