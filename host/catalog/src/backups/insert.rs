//! Asking for a backup: its record and its job.

use cofferdam_model::{
    Backup, BackupId, BackupOptions, DatabaseId, DestinationId, Engine, JobId, Label, Slug,
    Timestamp, Trigger,
};

use super::{change::tidy, search_text};
use crate::{
    Error, Result, Tx,
    cells::{ms, to_json},
};

/// A backup to be recorded and queued.
#[derive(Debug, Clone)]
pub struct NewBackup {
    /// Which database.
    pub database_id: DatabaseId,
    /// Its short name.
    pub database: Slug,
    /// What reads it.
    pub engine: Engine,
    /// What asked for it.
    pub trigger: Trigger,
    /// Description, level, format.
    pub options: BackupOptions,
    /// Who asked for it, by name.
    pub created_by: String,
    /// Its first labels.
    pub labels: Vec<Label>,
    /// Where it goes when it is completed; `None` for every enabled
    /// destination that its database has then.
    pub destinations: Option<Vec<DestinationId>>,
}

impl Tx {
    /// Records a pending backup and queues its job.
    pub async fn insert_backup(&mut self, new: &NewBackup, now: Timestamp) -> Result<Backup> {
        let id = BackupId::new();
        let labels = tidy(&new.labels);
        let description = new.options.description.as_str();
        sqlx::query(
            "INSERT INTO backups (id, database_id, database_slug, engine, format, level, \
             trigger_kind, status, description, created_by, created_at, pinned, labels, search, \
             destinations) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10, 0, $11, $12, $13)",
        )
        .bind(id.to_string())
        .bind(new.database_id.to_string())
        .bind(new.database.as_str())
        .bind(new.engine.as_str())
        .bind(new.options.format.as_str())
        .bind(i64::from(new.options.level))
        .bind(new.trigger.as_str())
        .bind(description)
        .bind(&new.created_by)
        .bind(ms(now))
        .bind(to_json(&labels)?)
        .bind(search_text(&new.database, None, &new.created_by, description, &labels))
        .bind(new.destinations.as_ref().map(to_json).transpose()?)
        .execute(self.conn())
        .await?;
        sqlx::query(
            "INSERT INTO jobs (id, kind, backup_id, database_id, created_at, not_before, fence, beats, \
             cancel_requested) VALUES ($1, 'backup', $2, $3, $4, 0, 0, 0, 0)",
        )
        .bind(JobId::new().to_string())
        .bind(id.to_string())
        .bind(new.database_id.to_string())
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        self.backup(id).await?.ok_or(Error::NotFound("backup"))
    }
}
