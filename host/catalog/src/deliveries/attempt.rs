//! Attempts: their begin, and the one way to their end.

use cofferdam_model::{
    AttemptOutcome, DeliveryId, DeliveryStatus, EventKind, Fence, LogLine, Purpose, Timestamp,
};

use crate::{
    Error, Result, Tx,
    cells::{Cells, ms, stored, to_json},
};

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
    },
    /// It is tried again, but not before this moment.
    Again(Timestamp),
    /// It is not tried again by itself. Notifiers hear of it, unless it was a
    /// notification.
    Fail,
    /// Somebody stopped it.
    Cancel,
}

impl Tx {
    /// Begins an attempt of a delivery that is held, and gives its number.
    pub async fn begin_attempt(
        &mut self,
        id: DeliveryId,
        fence: Fence,
        now: Timestamp,
    ) -> Result<u32> {
        let row = sqlx::query(
            "UPDATE deliveries SET attempts = attempts + 1, tries = tries + 1, error = NULL \
             WHERE id = $1 AND EXISTS (SELECT 1 FROM jobs WHERE delivery_id = $1 AND fence = $2 \
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
        u32::try_from(number).map_err(|error| cells.bad("attempts", error))
    }

    /// Ends the attempt that runs. An old fence: [`Error::LeaseLost`].
    pub async fn end_attempt(
        &mut self,
        id: DeliveryId,
        fence: Fence,
        end: &AttemptEnd,
        now: Timestamp,
    ) -> Result<()> {
        let again = match end.next {
            Next::Again(at) => Some(at),
            _ => None,
        };
        self.let_go(id, fence, again).await?;
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
        match &end.next {
            Next::Complete { location, bytes, note } => {
                sqlx::query(
                    "UPDATE deliveries SET status = 'completed', completed_at = $2, \
                     location = coalesce($3, location), bytes = $4, note = coalesce($5, note), \
                     error = NULL \
                     WHERE id = $1",
                )
                .bind(id.to_string())
                .bind(ms(now))
                .bind(location.as_deref())
                .bind(bytes.map(stored).transpose()?)
                .bind(note.as_deref())
                .execute(self.conn())
                .await?;
                Ok(())
            }
            Next::Again(_) => self.set_status(id, DeliveryStatus::Retrying, end, None).await,
            Next::Cancel => self.set_status(id, DeliveryStatus::Cancelled, end, Some(now)).await,
            Next::Fail => {
                self.set_status(id, DeliveryStatus::Failed, end, Some(now)).await?;
                match self.delivery(id).await? {
                    Some(failed) if failed.purpose != Purpose::Notify => {
                        let event = EventKind::DeliveryFailed;
                        self.queue_word(failed.backup, event, Some(id), now).await
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// A delivery that is held cannot be tried now, for a reason that no
    /// attempt would change; it is looked at again at `again`.
    pub async fn block_delivery(
        &mut self,
        id: DeliveryId,
        fence: Fence,
        why: &str,
        again: Timestamp,
    ) -> Result<()> {
        self.let_go(id, fence, Some(again)).await?;
        sqlx::query("UPDATE deliveries SET status = 'blocked', error = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(why)
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
