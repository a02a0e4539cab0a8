//! Leases of deliveries: the same as those of backups, but that several of one
//! destination may be held at once, and that a dead worker's goes back into
//! the queue: every delivery may be made twice without harm.

use chrono::TimeDelta;
use cofferdam_model::{BackupId, Delivery, DeliveryId, Fence, Job, JobId, JobKind, Timestamp};

use super::SWITCHED_OFF;
use crate::{
    Catalog, Error, Result, Tx,
    cells::{Cells, ms},
};

/// A delivery that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryLease {
    /// Its job.
    pub job: JobId,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Who holds it.
    pub worker: String,
    /// The holder's fence.
    pub fence: Fence,
    /// How often it was renewed.
    pub beats: i64,
    /// When it was last renewed, by the holder's clock.
    pub renewed_at: Timestamp,
    /// When it ends without renewal.
    pub expires_at: Timestamp,
}

impl DeliveryLease {
    /// Whether the lease has expired at `now`; see the top of `jobs`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        let length = self.expires_at - self.renewed_at;
        self.expires_at <= now || self.renewed_at > now + length
    }
}

/// The delivery that has been due for longest, of a destination that has room
/// for one more, while fewer than $4 are held in all.
const CLAIM: &str = "UPDATE jobs SET worker = $1, fence = fence + 1, renewed_at = $2, expires_at = $3 \
 WHERE id = (SELECT j.id FROM jobs j JOIN destinations d ON d.id = j.destination_id \
  WHERE j.kind = 'delivery' AND j.worker IS NULL AND j.not_before <= $2 AND d.enabled = 1 \
  AND (SELECT count(*) FROM jobs r WHERE r.kind = 'delivery' AND r.worker IS NOT NULL) < $4 \
  AND (SELECT count(*) FROM jobs r WHERE r.destination_id = j.destination_id \
   AND r.worker IS NOT NULL) < d.concurrency \
  AND ($5 = '' OR j.delivery_id IN (SELECT v.id FROM deliveries v WHERE v.backup_id = $5) \
   OR j.delivery_id IN (SELECT r.id FROM deliveries s JOIN deliveries r \
    ON r.destination_id = s.destination_id AND r.purpose = 'remove' \
    WHERE s.backup_id = $5 AND s.purpose = 'store' AND r.status <> 'blocked')) \
  ORDER BY j.not_before, j.created_at, j.id LIMIT 1) \
 RETURNING id, delivery_id, fence, expires_at";

impl Tx {
    /// Leases the delivery that has been due for longest, if there is room for
    /// it, and marks it running. With a backup, only one of that backup, or a
    /// removal at a destination that it goes to: for a command line that
    /// delivers its own, and has made another copy's time be over by that.
    pub async fn lease_delivery(
        &mut self,
        worker: &str,
        of: Option<BackupId>,
        now: Timestamp,
        lease: TimeDelta,
        max_running: u32,
    ) -> Result<Option<(Job, Delivery)>> {
        let row = sqlx::query(CLAIM)
            .bind(worker)
            .bind(ms(now))
            .bind(ms(now + lease))
            .bind(i64::from(max_running))
            .bind(of.map(|it| it.to_string()).unwrap_or_default())
            .fetch_optional(self.conn())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let cells = Cells::new("jobs", &row);
        let id: DeliveryId = cells.parse("delivery_id")?;
        let job = Job {
            id: cells.parse("id")?,
            kind: JobKind::Delivery(id),
            fence: Fence(cells.int("fence")?),
            expires_at: cells.time("expires_at")?,
        };
        sqlx::query("UPDATE deliveries SET status = 'running' WHERE id = $1")
            .bind(id.to_string())
            .execute(self.conn())
            .await?;
        let delivery = self.delivery(id).await?.ok_or(Error::NotFound("delivery"))?;
        Ok(Some((job, delivery)))
    }

    /// Puts a dead worker's delivery back into the queue, unless it was
    /// renewed, taken or ended since `seen` was read: then `false`.
    pub async fn requeue_delivery(&mut self, seen: &DeliveryLease, now: Timestamp) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE jobs SET worker = NULL, fence = fence + 1, not_before = $4 \
             WHERE id = $1 AND fence = $2 AND beats = $3 AND worker IS NOT NULL",
        )
        .bind(seen.job.to_string())
        .bind(seen.fence.0)
        .bind(seen.beats)
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "UPDATE deliveries SET status = 'pending' WHERE id = $1 AND destination_id IN \
             (SELECT id FROM destinations WHERE enabled = 1)",
        )
        .bind(seen.delivery.to_string())
        .execute(self.conn())
        .await?;
        sqlx::query(
            "UPDATE deliveries SET status = 'blocked', error = $2 \
             WHERE id = $1 AND status = 'running'",
        )
        .bind(seen.delivery.to_string())
        .bind(SWITCHED_OFF)
        .execute(self.conn())
        .await?;
        sqlx::query(
            "UPDATE attempts SET ended_at = $2, outcome = 'interrupted', \
             error = 'the console was stopped or killed while it ran' \
             WHERE delivery_id = $1 AND ended_at IS NULL",
        )
        .bind(seen.delivery.to_string())
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        Ok(true)
    }

    /// Lets the job go: over, or back into the queue until a moment.
    pub(super) async fn let_go(
        &mut self,
        id: DeliveryId,
        fence: Fence,
        again: Option<Timestamp>,
    ) -> Result<()> {
        let query = match again {
            None => sqlx::query(
                "DELETE FROM jobs WHERE delivery_id = $1 AND fence = $2 AND worker IS NOT NULL",
            ),
            Some(_) => sqlx::query(
                "UPDATE jobs SET worker = NULL, not_before = $3, cancel_requested = 0 \
                 WHERE delivery_id = $1 AND fence = $2 AND worker IS NOT NULL",
            ),
        };
        let query = query.bind(id.to_string()).bind(fence.0);
        let query = match again {
            Some(at) => query.bind(ms(at)),
            None => query,
        };
        let done = query.execute(self.conn()).await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Error::LeaseLost) }
    }
}

impl Catalog {
    /// All leases of deliveries, living and expired.
    pub async fn delivery_leases(&self) -> Result<Vec<DeliveryLease>> {
        let rows = sqlx::query(
            "SELECT id, delivery_id, worker, fence, beats, renewed_at, expires_at FROM jobs \
             WHERE kind = 'delivery' AND worker IS NOT NULL ORDER BY created_at, id",
        )
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let lease = |row| {
            let cells = Cells::new("jobs", row);
            Ok(DeliveryLease {
                job: cells.parse("id")?,
                delivery: cells.parse("delivery_id")?,
                worker: cells.text("worker")?,
                fence: Fence(cells.int("fence")?),
                beats: cells.int("beats")?,
                renewed_at: cells.time("renewed_at")?,
                expires_at: cells.time("expires_at")?,
            })
        };
        rows.iter().map(lease).collect()
    }
}
