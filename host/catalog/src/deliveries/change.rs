//! What people do to deliveries: try one now, stop one, and what ends a wait.

use cofferdam_model::{
    BackupId, Delivery, DeliveryId, DeliveryStatus, DestinationId, PluginId, Purpose, Timestamp,
};

use sqlx::AssertSqlSafe;

use super::SWITCHED_OFF;
use crate::{Cancelled, Error, Result, Tx, cells::ms};

/// What is said of a copy that may be there without a receipt.
const NO_RECEIPT: &str = "the backup was deleted before a copy of it was confirmed; what was sent \
    there may have stayed, and the console does not know under which name";
/// What is said of a removal that nobody wants any more.
const KEPT: &str = "the backup was deleted, and its copies were to stay";

const FORGET_LOGS: &str = "UPDATE attempts SET log = '[]' WHERE (delivery_id, number) IN \
 (SELECT a.delivery_id, a.number FROM attempts a WHERE a.log <> '[]' AND a.ended_at < $1 \
  AND (SELECT v.status FROM deliveries v WHERE v.id = a.delivery_id) = 'completed' LIMIT $2)";

impl Tx {
    /// Tries a delivery at once, also one that was given up or cancelled. One
    /// that runs or is done, or whose backup or destination is gone:
    /// [`Error::Conflict`].
    pub async fn retry_delivery(&mut self, id: DeliveryId, now: Timestamp) -> Result<()> {
        let Some(delivery) = self.delivery(id).await? else {
            return Err(Error::NotFound("delivery"));
        };
        let conflict = |text: &str| Err(Error::Conflict(text.to_owned()));
        match self.destination(delivery.destination).await? {
            None => return conflict("its destination was removed"),
            Some(it) if !it.enabled => return conflict("its destination is switched off"),
            Some(_) => {}
        }
        if delivery.is_kept {
            return conflict(KEPT);
        }
        if delivery.purpose == Purpose::Store && self.backup(delivery.backup).await?.is_none() {
            return conflict("its backup was deleted");
        }
        match delivery.status {
            DeliveryStatus::Running => return conflict("it runs already"),
            DeliveryStatus::Completed => return conflict("it is done already"),
            DeliveryStatus::Failed | DeliveryStatus::Cancelled => {
                self.queue_job(id, delivery.destination, now).await?;
            }
            DeliveryStatus::Pending | DeliveryStatus::Retrying | DeliveryStatus::Blocked => {
                sqlx::query(
                    "UPDATE jobs SET not_before = $2, planned_at = $2 WHERE delivery_id = $1",
                )
                .bind(id.to_string())
                .bind(ms(now))
                .execute(self.conn())
                .await?;
            }
        }
        sqlx::query(
            "UPDATE deliveries SET status = 'pending', tries = 0, completed_at = NULL, \
             blocked_at = NULL WHERE id = $1",
        )
        .bind(id.to_string())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Stops a delivery: at once where it waits, else its worker hears of it
    /// with the next renewal. One that is over: [`Error::Conflict`].
    pub async fn cancel_delivery(&mut self, id: DeliveryId, now: Timestamp) -> Result<Cancelled> {
        let waiting = sqlx::query("DELETE FROM jobs WHERE delivery_id = $1 AND worker IS NULL")
            .bind(id.to_string())
            .execute(self.conn())
            .await?;
        if waiting.rows_affected() == 1 {
            self.stop_delivery(id, now).await?;
            return Ok(Cancelled::AtOnce);
        }
        let held = sqlx::query("UPDATE jobs SET cancel_requested = 1 WHERE delivery_id = $1")
            .bind(id.to_string())
            .execute(self.conn())
            .await?;
        if held.rows_affected() == 1 {
            return Ok(Cancelled::Requested);
        }
        match self.delivery(id).await? {
            None => Err(Error::NotFound("delivery")),
            Some(_) => Err(Error::Conflict("the delivery is over already".to_owned())),
        }
    }

    /// Has everything that waits for this plugin, or for a change of this
    /// destination, looked at again at once.
    pub async fn wake_deliveries(
        &mut self,
        plugin: Option<&PluginId>,
        destination: Option<DestinationId>,
        now: Timestamp,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE jobs SET not_before = $3, planned_at = $3 WHERE kind = 'delivery' AND worker IS NULL \
             AND destination_id IN (SELECT id FROM destinations WHERE plugin_id = $1 OR id = $2) \
             AND delivery_id IN (SELECT id FROM deliveries WHERE status = 'blocked')",
        )
        .bind(plugin.map(PluginId::as_str).unwrap_or_default())
        .bind(destination.map(|it| it.to_string()).unwrap_or_default())
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// What waits for a destination that is being switched off says so.
    pub(crate) async fn hold_deliveries(&mut self, destination: DestinationId) -> Result<()> {
        sqlx::query(
            "UPDATE deliveries SET status = 'blocked', error = $2 \
             WHERE destination_id = $1 AND status IN ('pending', 'retrying')",
        )
        .bind(destination.to_string())
        .bind(SWITCHED_OFF)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The copies of a backup that is being deleted stay: whatever would remove
    /// one for a policy, or would do so if it were tried again, is called off
    /// for good.
    pub(crate) async fn keep_copies(&mut self, backup: BackupId, now: Timestamp) -> Result<()> {
        let undone = "backup_id = $1 AND purpose = 'remove' AND status <> 'completed'";
        sqlx::query(AssertSqlSafe(format!(
            "DELETE FROM jobs WHERE delivery_id IN (SELECT id FROM deliveries WHERE {undone})"
        )))
        .bind(backup.to_string())
        .execute(self.conn())
        .await?;
        sqlx::query(AssertSqlSafe(format!(
            "UPDATE deliveries SET status = 'cancelled', completed_at = $2, error = $3, \
             left_there = 'kept' WHERE {undone}"
        )))
        .bind(backup.to_string())
        .bind(ms(now))
        .bind(KEPT)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Forgets the deliveries of a backup that is being deleted, and gives the
    /// copies that exist. One that has sent something and was never confirmed
    /// stays on record, cancelled. While one runs: [`Error::Conflict`].
    pub(crate) async fn forget_deliveries(
        &mut self,
        backup: BackupId,
        now: Timestamp,
    ) -> Result<Vec<Delivery>> {
        let rows = sqlx::query("SELECT id FROM deliveries WHERE backup_id = $1")
            .bind(backup.to_string())
            .fetch_all(self.conn())
            .await?;
        let mut copies = Vec::new();
        for row in &rows {
            let id = crate::cells::Cells::new("deliveries", row).parse("id")?;
            let Some(delivery) = self.delivery(id).await? else { continue };
            match (delivery.status, delivery.purpose) {
                (DeliveryStatus::Running, _) => {
                    return Err(Error::Conflict(
                        "a delivery of this backup runs; cancel it first, or wait".to_owned(),
                    ));
                }
                (DeliveryStatus::Completed, Purpose::Store)
                    if delivery.removal != Some(DeliveryStatus::Completed) =>
                {
                    copies.push(delivery);
                }
                _ => {}
            }
        }
        // An attempt that was cut off says nothing of how far it came.
        sqlx::query(
            "UPDATE deliveries SET status = 'cancelled', completed_at = $2, error = $3, \
             left_there = 'unconfirmed' WHERE backup_id = $1 AND purpose = 'store' AND status <> 'completed' \
             AND destination_id IN (SELECT id FROM destinations WHERE removed_at IS NULL) \
             AND EXISTS (SELECT 1 FROM attempts a WHERE a.delivery_id = deliveries.id \
              AND (a.bytes > 0 OR a.outcome = 'interrupted'))",
        )
        .bind(backup.to_string())
        .bind(ms(now))
        .bind(NO_RECEIPT)
        .execute(self.conn())
        .await?;
        sqlx::query(
            "DELETE FROM deliveries WHERE backup_id = $1 AND purpose <> 'remove' \
             AND left_there = ''",
        )
        .bind(backup.to_string())
        .execute(self.conn())
        .await?;
        sqlx::query(
            "DELETE FROM jobs WHERE delivery_id IN \
             (SELECT id FROM deliveries WHERE backup_id = $1 AND purpose = 'store')",
        )
        .bind(backup.to_string())
        .execute(self.conn())
        .await?;
        Ok(copies)
    }

    /// Forgets what was logged by attempts that ended before this moment, of
    /// deliveries that are done; a failure keeps it. So many attempts at a time,
    /// so that nobody waits long for the catalog. Says how many those were.
    pub async fn forget_logs(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        let done = sqlx::query(FORGET_LOGS)
            .bind(ms(before))
            .bind(i64::from(limit))
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected())
    }

    /// Forgets removals that are done or were stopped, and notifications that
    /// are over, of backups whose record is gone too, when they ended before
    /// this moment. Says how many.
    pub async fn forget_removals(&mut self, before: Timestamp) -> Result<u64> {
        let done = sqlx::query(
            "DELETE FROM deliveries WHERE completed_at < $1 \
             AND (purpose = 'notify' OR (purpose = 'remove' AND status IN ('completed', 'cancelled'))) \
             AND NOT EXISTS (SELECT 1 FROM backups b WHERE b.id = deliveries.backup_id)",
        )
        .bind(ms(before))
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Statement;

    /// A catalog holds many attempts, and of most the log is gone already.
    #[tokio::test]
    async fn logs_that_are_old_are_found_through_an_index() {
        let plan = Statement::new(FORGET_LOGS).plan().await;
        let found = |step: &String| step.contains("INDEX attempts_logged (ended_at<?)");
        assert!(plan.iter().any(found), "{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("SCAN")), "{plan:#?}");
    }
}
