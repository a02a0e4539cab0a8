//! Attempts: their begin, and the one way to their end.

use chrono::TimeDelta;
use cofferdam_model::{AttemptOutcome, DeliveryId, DeliveryStatus, Fence, LogLine, Timestamp};

use crate::{
    Error, Result, Tx,
    cells::{Cells, ms, stored, to_json},
};

/// The newest attempts of a delivery, which keep what was logged.
pub(super) const LOGS_KEPT: i64 = 20;
/// What waits for somebody for so long is told.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);

/// How an attempt ended, and what follows.
#[derive(Debug, Clone)]
pub struct AttemptEnd {
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// Bytes that went out.
    pub bytes: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// What was logged; the caller bounds it.
    pub log: Vec<LogLine>,
    /// What becomes of the delivery.
    pub next: Next,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It is done.
    Complete {
        /// Of a copy: where it is. A removal keeps what it had.
        location: Option<String>,
        /// Of a copy: how many bytes are there.
        bytes: Option<u64>,
        /// What the plugin said. A removal keeps the reason that it had.
        note: Option<String>,
        /// Of a copy: a mark of the settings that it was stored with.
        stored_with: Option<String>,
    },
    /// It is tried again, but not before this moment.
    Again(Timestamp),
    /// The same, but every planned try is over, so that notifiers hear of it.
    Endless(Timestamp),
    /// It is not tried again by itself. Notifiers hear of it, unless it was a
    /// notification.
    Fail,
    /// Somebody stopped it.
    Cancel,
}

impl Tx {
    /// Begins an attempt of a delivery that is held, and gives its number. Of
    /// old attempts the log goes: one that is tried for ever would fill the disk.
    pub async fn begin_attempt(
        &mut self,
        id: DeliveryId,
        fence: Fence,
        now: Timestamp,
    ) -> Result<u32> {
        let row = sqlx::query(
            "UPDATE deliveries SET attempts = attempts + 1, tries = tries + 1, error = NULL, \
             blocked_at = NULL WHERE id = $1 AND EXISTS (SELECT 1 FROM jobs WHERE delivery_id = $1 AND fence = $2 \
             AND worker IS NOT NULL) RETURNING attempts",
        )
        .bind(id.to_string())
        .bind(fence.0)
        .fetch_optional(self.conn())
        .await?;
        let Some(row) = row else { return Err(Error::LeaseLost) };
        let cells = Cells::new("deliveries", &row);
        let number = cells.int("attempts")?;
        sqlx::query(
            "INSERT INTO attempts (delivery_id, number, started_at, bytes, log) \
             VALUES ($1, $2, $3, 0, '[]')",
        )
        .bind(id.to_string())
        .bind(number)
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        sqlx::query(
            "UPDATE attempts SET log = '[]' \
             WHERE delivery_id = $1 AND number <= $2 AND log <> '[]'",
        )
        .bind(id.to_string())
        .bind(number - LOGS_KEPT)
        .execute(self.conn())
        .await?;
        u32::try_from(number).map_err(|error| cells.bad("attempts", error))
    }

    /// Ends the attempt that runs. Whatever follows, but for success, gives way
    /// to a cancel that was asked for meanwhile. An attempt that was interrupted
    /// is none of the planned tries. An old fence: [`Error::LeaseLost`].
    pub async fn end_attempt(
        &mut self,
        id: DeliveryId,
        fence: Fence,
        end: &AttemptEnd,
        now: Timestamp,
    ) -> Result<()> {
        let again = match end.next {
            Next::Again(at) | Next::Endless(at) => Some(at),
            _ => None,
        };
        let stopped = self.let_go(id, fence, again, now).await?;
        let next = match &end.next {
            done @ Next::Complete { .. } => done,
            _ if stopped => &Next::Cancel,
            other => other,
        };
        sqlx::query(
            "UPDATE attempts SET ended_at = $2, outcome = $3, bytes = $4, error = $5, log = $6 \
             WHERE delivery_id = $1 AND ended_at IS NULL",
        )
        .bind(id.to_string())
        .bind(ms(now))
        .bind(end.outcome.as_str())
        .bind(stored(end.bytes)?)
        .bind(end.error.as_deref())
        .bind(to_json(&end.log)?)
        .execute(self.conn())
        .await?;
        if end.outcome == AttemptOutcome::Interrupted {
            sqlx::query("UPDATE deliveries SET tries = tries - 1 WHERE id = $1 AND tries > 0")
                .bind(id.to_string())
                .execute(self.conn())
                .await?;
        }
        match next {
            Next::Complete { location, bytes, note, stored_with } => {
                sqlx::query(
                    "UPDATE deliveries SET status = 'completed', completed_at = $2, \
                     location = coalesce($3, location), bytes = $4, note = coalesce($5, note), \
                     stored_with = coalesce($6, stored_with), error = NULL \
                     WHERE id = $1",
                )
                .bind(id.to_string())
                .bind(ms(now))
                .bind(location.as_deref())
                .bind(bytes.map(stored).transpose()?)
                .bind(note.as_deref())
                .bind(stored_with.as_deref())
                .execute(self.conn())
                .await?;
                Ok(())
            }
            Next::Again(_) => self.set_status(id, DeliveryStatus::Retrying, end, None).await,
            Next::Endless(_) => {
                self.set_status(id, DeliveryStatus::Retrying, end, None).await?;
                self.tell_of(id, now).await
            }
            Next::Cancel => self.set_status(id, DeliveryStatus::Cancelled, end, Some(now)).await,
            Next::Fail => {
                self.set_status(id, DeliveryStatus::Failed, end, Some(now)).await?;
                self.tell_of(id, now).await
            }
        }
    }

    /// A delivery that is held cannot be tried now, for a reason that no
    /// attempt would change; it is looked at again at `again`. The reason is one
    /// of its destination, so whatever is due there by then waits with it, and
    /// is not looked at one by one. Notifiers hear of what has waited for 15
    /// minutes: of each database, of the oldest. One that somebody has asked to
    /// cancel meanwhile is cancelled.
    pub async fn block_delivery(
        &mut self,
        id: DeliveryId,
        fence: Fence,
        why: &str,
        again: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        if self.let_go(id, fence, Some(again), now).await? {
            return self.stop_delivery(id, now).await;
        }
        let Some(delivery) = self.delivery(id).await? else {
            return Err(Error::NotFound("delivery"));
        };
        let destination = delivery.destination.to_string();
        // A moment of the future is one of a clock that was set back since.
        sqlx::query(
            "UPDATE deliveries SET status = 'blocked', error = $3, \
             blocked_at = CASE WHEN blocked_at <= $4 THEN blocked_at ELSE $4 END \
             WHERE id IN (SELECT delivery_id FROM jobs \
              WHERE destination_id = $1 AND worker IS NULL AND (not_before <= $2 OR planned_at > $4)) \
             AND (status <> 'blocked' OR error <> $3 OR blocked_at IS NULL OR blocked_at > $4)",
        )
        .bind(&destination)
        .bind(ms(again))
        .bind(why)
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        sqlx::query(
            "UPDATE jobs SET not_before = $2, planned_at = $3 WHERE destination_id = $1 \
             AND worker IS NULL AND (not_before < $2 OR planned_at > $3)",
        )
        .bind(&destination)
        .bind(ms(again))
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        let waiting = sqlx::query(
            "SELECT min(id) AS id FROM deliveries WHERE destination_id = $1 \
             AND status = 'blocked' AND purpose <> 'notify' AND blocked_at <= $2 \
             GROUP BY database_id",
        )
        .bind(&destination)
        .bind(ms(now - PATIENCE))
        .fetch_all(self.conn())
        .await?;
        for row in &waiting {
            self.tell_of(Cells::new("deliveries", row).parse("id")?, now).await?;
        }
        Ok(())
    }

    /// A delivery without a job is one that somebody has stopped.
    pub(super) async fn stop_delivery(&mut self, id: DeliveryId, now: Timestamp) -> Result<()> {
        sqlx::query("UPDATE deliveries SET status = 'cancelled', completed_at = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(ms(now))
            .execute(self.conn())
            .await?;
        Ok(())
    }

    async fn set_status(
        &mut self,
        id: DeliveryId,
        status: DeliveryStatus,
        end: &AttemptEnd,
        over: Option<Timestamp>,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE deliveries SET status = $2, error = $3, completed_at = $4 WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(status.as_str())
        .bind(end.error.as_deref())
        .bind(over.map(ms))
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
