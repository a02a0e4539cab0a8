//! Backups: their records, and the only ways in which a status changes.

use cofferdam_model::{
    Backup, BackupId, BackupOptions, DatabaseId, Engine, Failure, FailureKind, Fence, FileState,
    JobId, Label, Level, Sidecar, Slug, SourceFacts, TableFacts, Timestamp, Trigger,
};
use sqlx::{AnyConnection, AssertSqlSafe, any::AnyRow};

use crate::{
    Catalog, Error, Result, Tx,
    cells::{Cells, ms, stored, to_json},
    tombstones,
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
}

/// What a backup's file holds, beside the record; read only where it is needed.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupFacts {
    /// The tables, in the order of the dump.
    pub tables: Vec<TableFacts>,
    /// What the dump leaves out.
    pub source: SourceFacts,
    /// Where the drop section ends in the uncompressed dump, if there is one.
    pub drop_section_end: Option<u64>,
}

/// What adopting a file did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopted {
    /// There was no record; there is one now.
    Inserted,
    /// The record said that the run did not finish; it says completed now.
    Completed,
    /// The record was complete already; its file is noted as present.
    Known,
}

pub(crate) const SELECT: &str = "SELECT id, database_id, database_slug, engine, filename, format, \
 level, trigger_kind, status, file_state, description, created_by, created_at, started_at, \
 completed_at, size_bytes, raw_bytes, sha256, tool_version, pinned, labels, failure_kind, \
 failure_message, failure_hint, failure_detail FROM backups";

pub(crate) fn backup(row: &AnyRow) -> Result<Backup> {
    let cells = Cells::new("backups", row);
    let level = Level::try_from(cells.int("level")?).map_err(|e| cells.bad("level", e))?;
    let failure = match cells.opt_parse::<FailureKind>("failure_kind")? {
        None => None,
        Some(kind) => Some(Failure {
            kind,
            message: cells.text("failure_message")?,
            hint: cells.opt_text("failure_hint")?,
            detail: cells.opt_text("failure_detail")?,
        }),
    };
    Ok(Backup {
        id: cells.parse("id")?,
        database_id: cells.parse("database_id")?,
        database: cells.parse("database_slug")?,
        engine: cells.parse("engine")?,
        filename: cells.opt_text("filename")?,
        format: cells.parse("format")?,
        level,
        trigger: cells.parse("trigger_kind")?,
        status: cells.parse("status")?,
        file_state: cells.opt_parse("file_state")?,
        description: cells.text("description")?,
        created_by: cells.text("created_by")?,
        created_at: cells.time("created_at")?,
        started_at: cells.opt_time("started_at")?,
        completed_at: cells.opt_time("completed_at")?,
        size_bytes: cells.opt_size("size_bytes")?,
        raw_bytes: cells.opt_size("raw_bytes")?,
        sha256: cells.opt_text("sha256")?,
        tool_version: cells.opt_text("tool_version")?,
        pinned: cells.flag("pinned")?,
        labels: cells.json("labels")?,
        failure,
    })
}

async fn by_id(conn: &mut AnyConnection, id: BackupId) -> Result<Option<Backup>> {
    let sql = AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    let row = sqlx::query(sql).bind(id.to_string()).fetch_optional(conn).await?;
    row.as_ref().map(backup).transpose()
}

/// What the text filter looks into, in lower case.
fn search_text(
    database: &Slug,
    filename: Option<&str>,
    created_by: &str,
    description: &str,
    labels: &[Label],
) -> String {
    // Line breaks keep a match from running over two fields; no field has one.
    let mut text =
        [database.as_str(), filename.unwrap_or_default(), created_by, description].join("\n");
    for label in labels {
        text.push('\n');
        text.push_str(label.as_str());
    }
    text.to_lowercase()
}

fn tidy(labels: &[Label]) -> Vec<Label> {
    let mut labels = labels.to_vec();
    labels.sort();
    labels.dedup();
    labels
}

impl Catalog {
    /// The backup with this identifier.
    pub async fn backup(&self, id: BackupId) -> Result<Option<Backup>> {
        by_id(&mut *self.reader().await?, id).await
    }

    /// The newest completed backup whose file has this name.
    pub async fn backup_by_filename(&self, filename: &str) -> Result<Option<Backup>> {
        let sql = AssertSqlSafe(format!(
            "{SELECT} WHERE filename = $1 ORDER BY created_at DESC, id DESC LIMIT 1"
        ));
        let row =
            sqlx::query(sql).bind(filename).fetch_optional(&mut *self.reader().await?).await?;
        row.as_ref().map(backup).transpose()
    }

    /// Up to `limit` completed backups after this identifier, in the order of
    /// identifiers: for walking over all files in bounded memory.
    pub async fn completed_after(
        &self,
        after: Option<BackupId>,
        limit: u32,
    ) -> Result<Vec<Backup>> {
        let sql = AssertSqlSafe(format!(
            "{SELECT} WHERE status = 'completed' AND id > $1 ORDER BY id LIMIT $2"
        ));
        let rows = sqlx::query(sql)
            .bind(after.map_or_else(String::new, |id| id.to_string()))
            .bind(i64::from(limit))
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(backup).collect()
    }

    /// Completed backups whose file is missing or corrupt, newest first.
    pub async fn damaged(&self, limit: u32) -> Result<Vec<Backup>> {
        let sql = AssertSqlSafe(format!(
            "{SELECT} WHERE status = 'completed' AND file_state IN ('missing', 'corrupt') \
             ORDER BY created_at DESC, id DESC LIMIT $1"
        ));
        let rows =
            sqlx::query(sql).bind(i64::from(limit)).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(backup).collect()
    }

    /// What a completed backup's file holds.
    pub async fn backup_facts(&self, id: BackupId) -> Result<Option<BackupFacts>> {
        let row = sqlx::query(
            "SELECT tables, source, drop_section_end FROM backup_facts WHERE backup_id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let cells = Cells::new("backup_facts", &row);
        Ok(Some(BackupFacts {
            tables: cells.json("tables")?,
            source: cells.json("source")?,
            drop_section_end: cells.opt_size("drop_section_end")?,
        }))
    }
}

impl Tx {
    /// The backup with this identifier, as this transaction sees it.
    pub async fn backup(&mut self, id: BackupId) -> Result<Option<Backup>> {
        by_id(self.conn(), id).await
    }

    /// Records a pending backup and queues its job.
    pub async fn insert_backup(&mut self, new: &NewBackup, now: Timestamp) -> Result<Backup> {
        let id = BackupId::new();
        let labels = tidy(&new.labels);
        let description = new.options.description.as_str();
        sqlx::query(
            "INSERT INTO backups (id, database_id, database_slug, engine, format, level, \
             trigger_kind, status, description, created_by, created_at, pinned, labels, search) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10, 0, $11, $12)",
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
        .execute(self.conn())
        .await?;
        sqlx::query(
            "INSERT INTO jobs (id, kind, backup_id, database_id, created_at, fence, beats, cancel_requested) \
             VALUES ($1, 'backup', $2, $3, $4, 0, 0, 0)",
        )
        .bind(JobId::new().to_string())
        .bind(id.to_string())
        .bind(new.database_id.to_string())
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        self.backup(id).await?.ok_or(Error::NotFound("backup"))
    }

    /// A running backup is whole: the record takes what its sidecar says, and
    /// the job is over. An old fence: [`Error::LeaseLost`]. Asked to cancel or
    /// not, a file that has its name is a completed backup.
    pub async fn finish_completed(
        &mut self,
        id: BackupId,
        fence: Fence,
        sidecar: &Sidecar,
    ) -> Result<()> {
        if sidecar.id != id {
            return Err(Error::Conflict("the sidecar is of another backup".to_owned()));
        }
        self.end_job(id, fence).await?;
        let from = "status = 'running'";
        self.complete(sidecar, from).await
    }

    /// A running backup has failed, and its job is over.
    pub async fn finish_failed(
        &mut self,
        id: BackupId,
        fence: Fence,
        failure: &Failure,
        now: Timestamp,
    ) -> Result<()> {
        self.end_job(id, fence).await?;
        let done = sqlx::query(
            "UPDATE backups SET status = 'failed', completed_at = $2, failure_kind = $3, \
             failure_message = $4, failure_hint = $5, failure_detail = $6, \
             duration_order = $2 - coalesce(started_at, $2) \
             WHERE id = $1 AND status = 'running'",
        )
        .bind(id.to_string())
        .bind(ms(now))
        .bind(failure.kind.as_str())
        .bind(&failure.message)
        .bind(failure.hint.as_deref())
        .bind(failure.detail.as_deref())
        .execute(self.conn())
        .await?;
        changed(done.rows_affected(), "the backup is not running")
    }

    /// A running backup was cancelled, and its job is over.
    pub async fn finish_cancelled(
        &mut self,
        id: BackupId,
        fence: Fence,
        now: Timestamp,
    ) -> Result<()> {
        self.end_job(id, fence).await?;
        let done = sqlx::query(
            "UPDATE backups SET status = 'cancelled', completed_at = $2, \
             duration_order = $2 - coalesce(started_at, $2) WHERE id = $1 AND status = 'running'",
        )
        .bind(id.to_string())
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        changed(done.rows_affected(), "the backup is not running")
    }

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
    /// deleted so that the caller removes the files after the commit. Pinned:
    /// [`Error::Pinned`]; waiting or running: [`Error::Conflict`].
    pub async fn delete_backup(
        &mut self,
        id: BackupId,
        deleted_by: &str,
        now: Timestamp,
    ) -> Result<Backup> {
        let Some(record) = self.backup(id).await? else { return Err(Error::NotFound("backup")) };
        if record.pinned {
            return Err(Error::Pinned(id));
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
        if record.status == cofferdam_model::BackupStatus::Completed {
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
        Ok(Adopted::Completed)
    }

    async fn insert_adopted(&mut self, sidecar: &Sidecar) -> Result<()> {
        sqlx::query(
            "INSERT INTO backups (id, database_id, database_slug, engine, format, level, \
             trigger_kind, status, description, created_by, created_at, started_at, pinned, labels, search) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', $8, $9, $10, $11, $12, '[]', '')",
        )
        .bind(sidecar.id.to_string())
        .bind(sidecar.database_id.to_string())
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

    /// The one place where a record becomes completed. `from` says which
    /// records may.
    async fn complete(&mut self, sidecar: &Sidecar, from: &'static str) -> Result<()> {
        let Some(record) = self.backup(sidecar.id).await? else {
            return Err(Error::NotFound("backup"));
        };
        let size = stored(sidecar.size_bytes)?;
        let ran = ms(sidecar.completed_at) - ms(sidecar.started_at);
        let search = search_text(
            &record.database,
            Some(&sidecar.filename),
            &record.created_by,
            &record.description,
            &record.labels,
        );
        let sql = AssertSqlSafe(format!(
            "UPDATE backups SET status = 'completed', file_state = 'present', filename = $2, \
             started_at = $3, completed_at = $4, size_bytes = $5, size_order = $5, raw_bytes = $6, \
             sha256 = $7, tool_version = $8, duration_order = $9, search = $10, \
             failure_kind = NULL, failure_message = NULL, failure_hint = NULL, failure_detail = NULL \
             WHERE id = $1 AND {from}"
        ));
        let done = sqlx::query(sql)
            .bind(sidecar.id.to_string())
            .bind(&sidecar.filename)
            .bind(ms(sidecar.started_at))
            .bind(ms(sidecar.completed_at))
            .bind(size)
            .bind(stored(sidecar.raw_bytes)?)
            .bind(&sidecar.sha256)
            .bind(sidecar.tool_version.as_deref())
            .bind(ran)
            .bind(search)
            .execute(self.conn())
            .await?;
        changed(done.rows_affected(), "the backup is over already")?;
        sqlx::query(
            "INSERT INTO backup_facts (backup_id, tables, source, drop_section_end) \
             VALUES ($1, $2, $3, $4)",
        )
        .bind(sidecar.id.to_string())
        .bind(to_json(&sidecar.tables)?)
        .bind(to_json(&sidecar.source)?)
        .bind(sidecar.drop_section_end.map(stored).transpose()?)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

/// One row changed, or the record's status did not allow it.
pub(crate) fn changed(rows: u64, reason: &str) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(Error::Conflict(reason.to_owned())) }
}
