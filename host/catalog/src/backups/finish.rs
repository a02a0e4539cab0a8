//! The end of a run. Each way to it also ends the run's job, and is refused
//! to whoever no longer holds that job.

use cofferdam_model::{BackupId, EventKind, Failure, Fence, Sidecar, Timestamp};
use sqlx::AssertSqlSafe;

use super::{changed, search_text};
use crate::{
    Error, Result, Tx,
    cells::{ms, stored, to_json},
};

impl Tx {
    /// A running backup is whole: the record takes what its sidecar says, and
    /// the job is over; its deliveries are queued. An old fence:
    /// [`Error::LeaseLost`]. Asked to cancel or not, a file that has its name
    /// is a completed backup.
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
        self.complete(sidecar, from).await?;
        self.queue_copies(id, sidecar.completed_at).await
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
        changed(done.rows_affected(), "the backup is not running")?;
        self.queue_word(id, EventKind::BackupFailed, now).await
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
        changed(done.rows_affected(), "the backup is not running")?;
        self.queue_word(id, EventKind::BackupCancelled, now).await
    }

    /// The one place where a record becomes completed. `from` says which
    /// records may.
    pub(super) async fn complete(&mut self, sidecar: &Sidecar, from: &'static str) -> Result<()> {
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
