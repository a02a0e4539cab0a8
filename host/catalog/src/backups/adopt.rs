//! Adopting files that explain themselves, for reconciliation and for
//! rebuilding a lost catalog.

use cofferdam_model::{BackupStatus, DatabaseId, FileState, Sidecar, Timestamp};

use crate::{Error, Result, Tx, cells::ms, tombstones};

/// What adopting a file did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopted {
    /// There was no record; there is one now. Nobody asked for deliveries of it.
    Inserted,
    /// The record said that the run did not finish; it says completed now, and
    /// its deliveries are queued.
    Completed,
    /// The record was complete already; its file is noted as present.
    Known,
}

impl Tx {
    /// Takes a file that explains itself into the catalog. Deleted before:
    /// [`Error::Tombstoned`]. A record that was cancelled, that failed for
    /// another reason than an interruption, or whose job is held under a
    /// living lease: [`Error::Conflict`].
    pub async fn adopt(&mut self, sidecar: &Sidecar, now: Timestamp) -> Result<Adopted> {
        let id = sidecar.id;
        if tombstones::of(self.conn(), id).await?.is_some() {
            return Err(Error::Tombstoned(id));
        }
        let Some(record) = self.backup(id).await? else {
            self.insert_adopted(sidecar).await?;
            return Ok(Adopted::Inserted);
        };
        if record.status == BackupStatus::Completed {
            if record.sha256.as_deref() != Some(&sidecar.sha256) {
                return Err(Error::Conflict("the record has another SHA-256".to_owned()));
            }
            self.set_file_state(id, FileState::Present).await?;
            return Ok(Adopted::Known);
        }
        self.drop_dead_job(id, now).await?;
        let from = "(status IN ('pending', 'running') \
                    OR (status = 'failed' AND failure_kind = 'interrupted'))";
        self.complete(sidecar, from).await?;
        self.queue_copies(id, now).await?;
        Ok(Adopted::Completed)
    }

    /// The database that an orphan belongs to. After the loss of a catalog the
    /// databases are entered again and get new identifiers; then the one with
    /// the same short name and engine takes the backup over.
    async fn database_of(&mut self, sidecar: &Sidecar) -> Result<DatabaseId> {
        let known = sqlx::query("SELECT 1 FROM databases WHERE id = $1")
            .bind(sidecar.database_id.to_string())
            .fetch_optional(self.conn())
            .await?;
        if known.is_some() {
            return Ok(sidecar.database_id);
        }
        let named = self.database_by_slug(&sidecar.database).await?;
        let same = named.filter(|it| it.engine == sidecar.engine);
        Ok(same.map_or(sidecar.database_id, |it| it.id))
    }

    async fn insert_adopted(&mut self, sidecar: &Sidecar) -> Result<()> {
        let database = self.database_of(sidecar).await?;
        sqlx::query(
            "INSERT INTO backups (id, database_id, database_slug, engine, format, level, \
             trigger_kind, status, description, created_by, created_at, started_at, pinned, labels, search) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', $8, $9, $10, $11, $12, '[]', '')",
        )
        .bind(sidecar.id.to_string())
        .bind(database.to_string())
        .bind(sidecar.database.as_str())
        .bind(sidecar.engine.as_str())
        .bind(sidecar.format.as_str())
        .bind(i64::from(sidecar.level))
        .bind(sidecar.trigger.as_str())
        .bind(&sidecar.description)
        .bind(&sidecar.created_by)
        .bind(ms(sidecar.created_at))
        .bind(ms(sidecar.started_at))
        .bind(i64::from(sidecar.pinned))
        .execute(self.conn())
        .await?;
        self.set_labels(sidecar.id, &sidecar.labels).await?;
        self.complete(sidecar, "status = 'running'").await
    }
}
