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

/// What is said of a delivery whose worker has died.
const CUT_OFF: &str = "the console was stopped or killed while it ran";
/// What is said of one whose worker lives and could not write down how it ended.
const NOT_RECORDED: &str = "what became of it could not be recorded in the catalog";

/// How many deliveries may be held at once. One destination gets at most half
/// of the places of each kind, rounded up, whatever it allows itself, so that a
/// slow one never holds up all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Of copies and removals.
    pub copies: u32,
    /// Of notifications.
    pub words: u32,
}

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
/// for one more, while fewer than $4 copies and removals, or fewer than $6
/// notifications, are held in all. One whose wait was planned in the future has
/// waited since before the clock was set back, and is due.
const CLAIM: &str = "UPDATE jobs SET worker = $1, fence = fence + 1, renewed_at = $2, expires_at = $3 \
 WHERE id = (SELECT j.id FROM jobs j JOIN destinations d ON d.id = j.destination_id \
  WHERE j.kind = 'delivery' AND j.worker IS NULL AND d.enabled = 1 \
  AND (j.not_before <= $2 OR j.planned_at > $2) \
  AND (j.is_word = 1 OR (SELECT count(*) FROM jobs h WHERE h.kind = 'delivery' \
   AND h.is_word = 0 AND h.worker IS NOT NULL) < $4) \
  AND (j.is_word = 0 OR (SELECT count(*) FROM jobs h WHERE h.kind = 'delivery' \
   AND h.is_word = 1 AND h.worker IS NOT NULL) < $6) \
  AND (SELECT count(*) FROM jobs r WHERE r.destination_id = j.destination_id \
   AND r.worker IS NOT NULL) < d.concurrency \
  AND (SELECT count(*) FROM jobs r WHERE r.destination_id = j.destination_id \
   AND r.worker IS NOT NULL AND r.is_word = j.is_word) \
   < CASE j.is_word WHEN 1 THEN $8 ELSE $7 END \
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
        places: Places,
    ) -> Result<Option<(Job, Delivery)>> {
        let row = sqlx::query(CLAIM)
            .bind(worker)
            .bind(ms(now))
            .bind(ms(now + lease))
            .bind(i64::from(places.copies))
            .bind(of.map(|it| it.to_string()).unwrap_or_default())
            .bind(i64::from(places.words))
            .bind(i64::from(places.copies.div_ceil(2)))
            .bind(i64::from(places.words.div_ceil(2)))
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

    /// Puts a dead worker's delivery back into the queue until `again`, or gives
    /// it up where there is no such moment; one that somebody has asked to
    /// cancel is cancelled. The attempt says that its worker died, unless that
    /// was `by`, who asks: then that its end could not be recorded. Unless it
    /// was renewed, taken or ended since `seen` was read: then `false`.
    pub async fn requeue_delivery(
        &mut self,
        seen: &DeliveryLease,
        again: Option<Timestamp>,
        by: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let why = if seen.worker == by { NOT_RECORDED } else { CUT_OFF };
        let row = sqlx::query(
            "UPDATE jobs SET worker = NULL, fence = fence + 1, not_before = $4, planned_at = $5 \
             WHERE id = $1 AND fence = $2 AND beats = $3 AND worker IS NOT NULL \
             RETURNING cancel_requested",
        )
        .bind(seen.job.to_string())
        .bind(seen.fence.0)
        .bind(seen.beats)
        .bind(ms(again.unwrap_or(now)))
        .bind(ms(now))
        .fetch_optional(self.conn())
        .await?;
        let Some(row) = row else { return Ok(false) };
        let stopped = Cells::new("jobs", &row).flag("cancel_requested")?;
        sqlx::query(
            "UPDATE attempts SET ended_at = $2, outcome = 'interrupted', error = $3 \
             WHERE delivery_id = $1 AND ended_at IS NULL",
        )
        .bind(seen.delivery.to_string())
        .bind(ms(now))
        .bind(why)
        .execute(self.conn())
        .await?;
        if stopped || again.is_none() {
            sqlx::query("DELETE FROM jobs WHERE id = $1")
                .bind(seen.job.to_string())
                .execute(self.conn())
                .await?;
        }
        if stopped {
            self.stop_delivery(seen.delivery, now).await?;
            return Ok(true);
        }
        sqlx::query(
            "UPDATE deliveries SET status = CASE \
              WHEN $4 = 1 THEN 'failed' \
              WHEN d.enabled = 1 THEN 'retrying' ELSE 'blocked' END, \
             error = CASE WHEN $4 = 1 OR d.enabled = 1 THEN $2 ELSE $3 END, \
             completed_at = $5 \
             FROM destinations d WHERE deliveries.id = $1 AND d.id = deliveries.destination_id",
        )
        .bind(seen.delivery.to_string())
        .bind(why)
        .bind(SWITCHED_OFF)
        .bind(i64::from(again.is_none()))
        .bind(again.is_none().then_some(ms(now)))
        .execute(self.conn())
        .await?;
        if again.is_none() {
            self.tell_of(seen.delivery, now).await?;
        }
        Ok(true)
    }

    /// Lets the job go: over, or back into the queue until a moment. Where
    /// somebody has asked to cancel it, it is over in any case: then `true`.
    pub(super) async fn let_go(
        &mut self,
        id: DeliveryId,
        fence: Fence,
        again: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool> {
        let row = sqlx::query(
            "UPDATE jobs SET worker = NULL, not_before = coalesce($3, not_before), \
             planned_at = $4 WHERE delivery_id = $1 AND fence = $2 AND worker IS NOT NULL \
             RETURNING cancel_requested",
        )
        .bind(id.to_string())
        .bind(fence.0)
        .bind(again.map(ms))
        .bind(ms(now))
        .fetch_optional(self.conn())
        .await?;
        let Some(row) = row else { return Err(Error::LeaseLost) };
        let stopped = Cells::new("jobs", &row).flag("cancel_requested")?;
        if stopped || again.is_none() {
            sqlx::query("DELETE FROM jobs WHERE delivery_id = $1")
                .bind(id.to_string())
                .execute(self.conn())
                .await?;
        }
        Ok(stopped)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Statement;

    /// For each one that waits, only those of its destination that are held are
    /// counted: with thousands waiting, anything else takes seconds.
    #[tokio::test]
    async fn claiming_counts_what_is_held_through_an_index() {
        let plan = Statement::new(CLAIM).plan().await;
        let counts = |step: &&String| {
            step.contains("SEARCH r USING") && step.contains("(destination_id=? AND worker>?)")
        };
        assert_eq!(plan.iter().filter(counts).count(), 2, "{plan:#?}");
        let held = |step: &&String| step.contains("SEARCH h USING INDEX jobs_held");
        assert_eq!(plan.iter().filter(held).count(), 2, "{plan:#?}");
        // What is held in all is counted once, not for each one that waits.
        let again = |step: &&String| step.contains("CORRELATED SCALAR SUBQUERY");
        assert_eq!(plan.iter().filter(again).count(), 2, "{plan:#?}");
        let waiting = |step: &&String| step.contains("SEARCH j USING INDEX jobs_by_kind (kind=?)");
        assert!(plan.iter().any(|step| waiting(&step)), "{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:#?}");
    }
}
