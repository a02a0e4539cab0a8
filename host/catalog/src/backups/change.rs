//! What may still change once a record is there: what is known of its file,
//! its pin, its labels, and whether it is kept.

use cofferdam_model::{Backup, BackupId, FileState, Label, Timestamp};

use super::{changed, search_text};
use crate::{
    Error, Result, Tx,
    cells::{ms, to_json},
};

/// Labels as they are kept: sorted, each once.
pub(super) fn tidy(labels: &[Label]) -> Vec<Label> {
    let mut labels = labels.to_vec();
    labels.sort();
    labels.dedup();
    labels
}

impl Tx {
    /// Notes what is known of a completed backup's file.
    pub async fn set_file_state(&mut self, id: BackupId, state: FileState) -> Result<()> {
        let done = sqlx::query(
            "UPDATE backups SET file_state = $2 WHERE id = $1 AND status = 'completed'",
        )
        .bind(id.to_string())
        .bind(state.as_str())
        .execute(self.conn())
        .await?;
        changed(done.rows_affected(), "only a completed backup has a file")
    }

    /// Pins a backup, or releases it.
    pub async fn set_pinned(&mut self, id: BackupId, pinned: bool) -> Result<()> {
        let done = sqlx::query("UPDATE backups SET pinned = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(i64::from(pinned))
            .execute(self.conn())
            .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound("backup")) }
    }

    /// Replaces a backup's labels; they are sorted, and doubles taken out.
    pub async fn set_labels(&mut self, id: BackupId, labels: &[Label]) -> Result<()> {
        let Some(record) = self.backup(id).await? else { return Err(Error::NotFound("backup")) };
        let labels = tidy(labels);
        let search = search_text(
            &record.database,
            record.filename.as_deref(),
            &record.created_by,
            &record.description,
            &labels,
        );
        sqlx::query("UPDATE backups SET labels = $2, search = $3 WHERE id = $1")
            .bind(id.to_string())
            .bind(to_json(&labels)?)
            .bind(search)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Deletes a record that is over, leaves a tombstone, and returns what was
    /// deleted so that the caller removes the files after the commit. Its
    /// copies are queued for removal, unless `keep_remote`. Pinned:
    /// [`Error::Pinned`]; waiting, running or being delivered: [`Error::Conflict`].
    pub async fn delete_backup(
        &mut self,
        id: BackupId,
        keep_remote: bool,
        deleted_by: &str,
        now: Timestamp,
    ) -> Result<Backup> {
        let Some(record) = self.backup(id).await? else { return Err(Error::NotFound("backup")) };
        if record.pinned {
            return Err(Error::Pinned(id));
        }
        let copies = self.forget_deliveries(id, now).await?;
        if keep_remote {
            self.keep_copies(id, now).await?;
        } else {
            self.queue_removals(&copies, now).await?;
        }
        let done = sqlx::query(
            "DELETE FROM backups WHERE id = $1 AND pinned = 0 \
             AND status IN ('completed', 'failed', 'cancelled')",
        )
        .bind(id.to_string())
        .execute(self.conn())
        .await?;
        changed(done.rows_affected(), "the backup waits or runs")?;
        sqlx::query(
            "INSERT INTO tombstones (backup_id, filename, sha256, deleted_at, deleted_by) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id.to_string())
        .bind(record.filename.as_deref())
        .bind(record.sha256.as_deref())
        .bind(ms(now))
        .bind(deleted_by)
        .execute(self.conn())
        .await?;
        Ok(record)
    }
}
