//! Idempotency keys: a request that is sent twice is done once.

use chrono::TimeDelta;
use cofferdam_model::{BackupId, Timestamp, UserId};

use crate::{
    Digest, Error, Result, Tx,
    cells::{Cells, ms},
};

/// For how long a key is remembered.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

impl Tx {
    /// What an earlier request under this key made. The same key with another
    /// request: [`Error::KeyReused`]. `None`: do it, then call
    /// [`Tx::remember_request`] in this same transaction.
    pub async fn earlier_request(
        &mut self,
        user: UserId,
        key: &str,
        request: Digest,
        now: Timestamp,
    ) -> Result<Option<BackupId>> {
        sqlx::query("DELETE FROM idempotency_keys WHERE expires_at <= $1")
            .bind(ms(now))
            .execute(self.conn())
            .await?;
        let row = sqlx::query(
            "SELECT request_digest, backup_id FROM idempotency_keys \
             WHERE user_id = $1 AND request_key = $2",
        )
        .bind(user.to_string())
        .bind(key)
        .fetch_optional(self.conn())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let cells = Cells::new("idempotency_keys", &row);
        if cells.bytes("request_digest")? != request.as_bytes() {
            return Err(Error::KeyReused);
        }
        cells.parse("backup_id").map(Some)
    }

    /// Remembers for 24 hours what a request under this key made.
    pub async fn remember_request(
        &mut self,
        user: UserId,
        key: &str,
        request: Digest,
        backup: BackupId,
        now: Timestamp,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO idempotency_keys (user_id, request_key, request_digest, backup_id, expires_at) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(user.to_string())
        .bind(key)
        .bind(request.as_bytes().as_slice())
        .bind(backup.to_string())
        .bind(ms(now + REMEMBERED))
        .execute(self.conn())
        .await
        .map_err(|error| match Error::taken(error, "idempotency key") {
            Error::Taken(_) => Error::KeyReused,
            other => other,
        })?;
        Ok(())
    }
}
