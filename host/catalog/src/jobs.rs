//! The queue: jobs under leases.
//!
//! A job waits until a worker leases it, is held as long as the worker renews
//! the lease, and is gone when it is over. Every lease has a higher fence than
//! the one before; whatever comes with an older one is refused, so a worker
//! that slept past its lease changes nothing.
//!
//! Clocks: a lease stores when it was last renewed and when it expires, by its
//! holder's clock. It counts as expired when its end has passed, and also when
//! its last renewal lies further in the future than a whole lease: then the
//! clock was set back, and without this rule a dead worker's job would wait
//! for as long as the clock jumped. A clock that jumps forward makes living
//! leases look expired until their next renewal. So expiry alone takes
//! nothing: [`Tx::take_over`] takes a job only as it was when it was looked at
//! ([`Catalog::expired_jobs`]), and a caller who waits for one renewal between
//! the two never takes a living one, whatever the clocks do. Renewing works
//! as long as nobody took over, even late.

use chrono::TimeDelta;
use cofferdam_model::{BackupId, DatabaseId, Fence, Job, JobId, JobKind, Progress, Timestamp};
use sqlx::any::AnyRow;

use crate::{
    Catalog, Error, Result, Tx,
    backups::changed,
    cells::{Cells, ms, to_json},
};

/// A job that somebody holds.
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

/// What a renewal tells the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewed {
    /// The lease now ends here.
    pub expires_at: Timestamp,
    /// Somebody asked to cancel the run.
    pub cancel_requested: bool,
}

/// What asking to cancel did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not begun, and is cancelled.
    AtOnce,
    /// It runs; its worker hears of it with the next renewal.
    Requested,
}

const LEASES: &str = "SELECT id, kind, backup_id, database_id, worker, fence, beats, renewed_at, \
 expires_at, cancel_requested FROM jobs WHERE worker IS NOT NULL";

fn job(cells: &Cells<'_>) -> Result<Job> {
    let kind = match cells.text("kind")?.as_str() {
        "backup" => JobKind::Backup(cells.parse("backup_id")?),
        other => return Err(cells.bad("kind", format_args!("unknown kind {other:?}"))),
    };
    Ok(Job {
        id: cells.parse("id")?,
        kind,
        fence: Fence(cells.int("fence")?),
        expires_at: cells.time("expires_at")?,
    })
}

fn lease(row: &AnyRow) -> Result<Lease> {
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
    /// All leases, living and expired, the oldest job first.
    pub async fn leases(&self) -> Result<Vec<Lease>> {
        let sql = sqlx::AssertSqlSafe(format!("{LEASES} ORDER BY created_at, id"));
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

    /// How many jobs wait, and how many are held.
    pub async fn queue_length(&self) -> Result<(u64, u64)> {
        let row = sqlx::query("SELECT count(*) AS jobs, count(worker) AS held FROM jobs")
            .fetch_one(&mut *self.reader().await?)
            .await?;
        let cells = Cells::new("jobs", &row);
        let held = cells.size("held")?;
        Ok((cells.size("jobs")? - held, held))
    }
}

/// The oldest waiting job whose database has no held one, while fewer than $4
/// are held. On SQLite the write lock makes claims follow one another; on
/// PostgreSQL the inner SELECT ends in `FOR UPDATE SKIP LOCKED`, and this is
/// the only statement in which the two differ.
const CLAIM: &str = "UPDATE jobs SET worker = $1, fence = fence + 1, renewed_at = $2, expires_at = $3 \
 WHERE id = (SELECT j.id FROM jobs j WHERE j.worker IS NULL \
  AND (SELECT count(*) FROM jobs r WHERE r.worker IS NOT NULL) < $4 \
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
        let job = job(&Cells::new("jobs", &row))?;
        let JobKind::Backup(backup) = job.kind;
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

    /// Asks to cancel a backup. One that has not begun is cancelled at once.
    /// One that is over: [`Error::Conflict`].
    pub async fn request_cancel(&mut self, id: BackupId, now: Timestamp) -> Result<Cancelled> {
        let waiting = sqlx::query("DELETE FROM jobs WHERE backup_id = $1 AND worker IS NULL")
            .bind(id.to_string())
            .execute(self.conn())
            .await?;
        if waiting.rows_affected() == 1 {
            let done = sqlx::query(
                "UPDATE backups SET status = 'cancelled', completed_at = $2 \
                 WHERE id = $1 AND status = 'pending'",
            )
            .bind(id.to_string())
            .bind(ms(now))
            .execute(self.conn())
            .await?;
            changed(done.rows_affected(), "the backup does not wait")?;
            return Ok(Cancelled::AtOnce);
        }
        let held = sqlx::query("UPDATE jobs SET cancel_requested = 1 WHERE backup_id = $1")
            .bind(id.to_string())
            .execute(self.conn())
            .await?;
        if held.rows_affected() == 1 {
            return Ok(Cancelled::Requested);
        }
        match self.backup(id).await? {
            None => Err(Error::NotFound("backup")),
            Some(_) => Err(Error::Conflict("the backup is over already".to_owned())),
        }
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
        let sql = sqlx::AssertSqlSafe(format!("{LEASES} AND backup_id = $1"));
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
