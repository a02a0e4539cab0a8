//! What the last test of each destination found.

use std::collections::HashMap;

use cofferdam_model::{DestinationId, Timestamp};
use serde_json::Value;

use crate::{
    Catalog, Result, Tx,
    cells::{Cells, ms},
};

impl Catalog {
    /// When each destination was last tested, and what was found; the caller
    /// knows what that looks like.
    pub async fn checks(&self) -> Result<HashMap<DestinationId, (Timestamp, Value)>> {
        let rows = sqlx::query("SELECT destination_id, checked_at, found FROM destination_checks")
            .fetch_all(&mut *self.reader().await?)
            .await?;
        let read = |row| {
            let cells = Cells::new("destination_checks", row);
            Ok((cells.parse("destination_id")?, (cells.time("checked_at")?, cells.json("found")?)))
        };
        rows.iter().map(read).collect()
    }
}

impl Tx {
    /// Notes what a test of a destination has found, in place of the one before.
    pub async fn note_check(
        &mut self,
        id: DestinationId,
        found: &Value,
        now: Timestamp,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO destination_checks (destination_id, checked_at, found) \
             VALUES ($1, $2, $3) ON CONFLICT (destination_id) DO UPDATE \
             SET checked_at = excluded.checked_at, found = excluded.found",
        )
        .bind(id.to_string())
        .bind(ms(now))
        .bind(found.to_string())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Forgets the test of a destination: its settings are other ones.
    pub async fn forget_check(&mut self, id: DestinationId) -> Result<()> {
        sqlx::query("DELETE FROM destination_checks WHERE destination_id = $1")
            .bind(id.to_string())
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
