//! Asking a run to end early.

use cofferdam_model::{BackupId, EventKind, Timestamp};

use crate::{Error, Result, Tx, backups::changed, cells::ms};

/// What asking to cancel did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not begun, and is cancelled.
    AtOnce,
    /// It runs; its worker hears of it with the next renewal.
    Requested,
}

impl Tx {
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
            self.queue_word(id, EventKind::BackupCancelled, now).await?;
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
}
