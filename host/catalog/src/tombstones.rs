//! What remains of deleted backups, so that reconciliation does not bring them back.

use cofferdam_model::{BackupId, Timestamp};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{Catalog, Result, cells::Cells};

/// A deleted backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Which backup.
    pub id: BackupId,
    /// Its file's name, if it had one.
    pub filename: Option<String>,
    /// Its file's SHA-256, if it had one.
    pub sha256: Option<String>,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// By whom.
    pub deleted_by: String,
}

fn tombstone(row: &AnyRow) -> Result<Tombstone> {
    let cells = Cells::new("tombstones", row);
    Ok(Tombstone {
        id: cells.parse("backup_id")?,
        filename: cells.opt_text("filename")?,
        sha256: cells.opt_text("sha256")?,
        deleted_at: cells.time("deleted_at")?,
        deleted_by: cells.text("deleted_by")?,
    })
}

pub(crate) async fn of(conn: &mut AnyConnection, id: BackupId) -> Result<Option<Tombstone>> {
    let row = sqlx::query(
        "SELECT backup_id, filename, sha256, deleted_at, deleted_by FROM tombstones \
         WHERE backup_id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(tombstone).transpose()
}

impl Catalog {
    /// The tombstone of a backup, if it was deleted.
    pub async fn tombstone(&self, id: BackupId) -> Result<Option<Tombstone>> {
        of(&mut *self.reader().await?, id).await
    }
}
