//! Reading records.

use cofferdam_model::{
    Backup, BackupId, Failure, FailureKind, FileState, Level, SourceFacts, TableFacts,
};
use sqlx::{AnyConnection, AssertSqlSafe, any::AnyRow};

use crate::{Catalog, Result, Tx, cells::Cells, sql::Statement};

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

/// What the record of a completed backup says about its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFile {
    /// Whose it is.
    pub id: BackupId,
    /// Its name in the backup folder.
    pub filename: String,
    /// Its size.
    pub size_bytes: u64,
    /// What the last look found.
    pub state: FileState,
}

/// All of it is in one index; no record is read. Completed ones, and only
/// they, have a state of their file.
fn files_after(after: Option<BackupId>, limit: u32) -> Statement {
    let mut statement = Statement::new(
        "SELECT id, filename, size_bytes, file_state FROM backups \
         WHERE file_state IS NOT NULL AND id > ",
    );
    statement.text(after.map_or_else(String::new, |id| id.to_string()));
    statement.push(" ORDER BY id LIMIT ").int(limit.into());
    statement
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

impl Catalog {
    /// The backup with this identifier.
    pub async fn backup(&self, id: BackupId) -> Result<Option<Backup>> {
        by_id(&mut *self.reader().await?, id).await
    }

    /// Up to `limit` backups whose identifier begins or ends with this text,
    /// newest first. The text holds hexadecimal digits and hyphens only.
    pub async fn backups_by_part(&self, part: &str, limit: u32) -> Result<Vec<Backup>> {
        let sql = AssertSqlSafe(format!(
            "{SELECT} WHERE id LIKE $1 OR id LIKE $2 ORDER BY id DESC LIMIT $3"
        ));
        let rows = sqlx::query(sql)
            .bind(format!("{part}%"))
            .bind(format!("%{part}"))
            .bind(i64::from(limit))
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(backup).collect()
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

    /// The files of up to `limit` completed backups after this identifier, in
    /// the order of identifiers: for walking over all of them in bounded memory.
    pub async fn files_after(
        &self,
        after: Option<BackupId>,
        limit: u32,
    ) -> Result<Vec<RecordedFile>> {
        let rows = files_after(after, limit).all(&mut *self.reader().await?).await?;
        let file = |row| {
            let cells = Cells::new("backups", row);
            Ok(RecordedFile {
                id: cells.parse("id")?,
                filename: cells.text("filename")?,
                size_bytes: cells.size("size_bytes")?,
                state: cells.parse("file_state")?,
            })
        };
        rows.iter().map(file).collect()
    }

    /// The backups with these identifiers, in no order. One that does not
    /// exist is left out.
    pub async fn backups_by_id(&self, ids: &[BackupId]) -> Result<Vec<Backup>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = ids.iter().map(BackupId::to_string).collect();
        let mut statement = Statement::new(SELECT);
        statement.condition("id IN ").texts(ids.iter().map(String::as_str));
        let rows = statement.all(&mut *self.reader().await?).await?;
        rows.iter().map(backup).collect()
    }

    /// The newest backups in short: how each stands. For who looks often
    /// whether something changed.
    pub async fn newest_backups(&self, limit: u32) -> Result<Vec<(BackupId, String)>> {
        let rows = sqlx::query("SELECT id, status FROM backups ORDER BY id DESC LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(&mut *self.reader().await?)
            .await?;
        let mark = |row| {
            let cells = Cells::new("backups", row);
            Ok((cells.parse("id")?, cells.text("status")?))
        };
        rows.iter().map(mark).collect()
    }

    /// Completed backups whose file is missing or corrupt, newest first.
    pub async fn damaged(&self, limit: u32) -> Result<Vec<Backup>> {
        let sql = AssertSqlSafe(format!(
            "{SELECT} WHERE file_state IN ('missing', 'corrupt') \
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn walking_over_all_files_reads_one_index_and_no_record() {
        let plan = files_after(None, 500).plan().await;
        assert_eq!(plan, ["SEARCH backups USING COVERING INDEX backups_with_file (id>?)"]);
    }
}
