//! The copies of backups that a destination keeps.

use cofferdam_model::{BackupId, DatabaseId, DestinationId, FileState, Timestamp};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{Catalog, Result, Tx, cells::Cells};

/// A completed backup's copy at a destination, which nobody has asked to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCopy {
    /// The backup.
    pub backup: BackupId,
    /// The short name that its database had then.
    pub database: String,
    /// Its file's name.
    pub filename: String,
    /// Where the copy is, in the plugin's words.
    pub location: String,
    /// When the backup was asked for.
    pub created_at: Timestamp,
    /// The file's size, as recorded and stored.
    pub size_bytes: u64,
    /// Whether the backup is never to be deleted.
    pub pinned: bool,
    /// What is known of the file on this machine.
    pub file_state: Option<FileState>,
}

/// The copies of one database. A removal that failed or was stopped has removed
/// nothing.
const SELECT: &str = "SELECT b.id, b.database_slug, b.filename, v.location, b.created_at, b.size_bytes, b.pinned, \
 b.file_state FROM deliveries v JOIN backups b ON b.id = v.backup_id \
 WHERE v.destination_id = $1 AND v.database_id = $2 \
 AND v.purpose = 'store' AND v.status = 'completed' AND b.status = 'completed' \
 AND NOT EXISTS (SELECT 1 FROM deliveries r WHERE r.backup_id = v.backup_id \
  AND r.destination_id = v.destination_id AND r.purpose = 'remove' \
  AND r.status NOT IN ('failed', 'cancelled')) \
 ORDER BY b.created_at DESC, b.id DESC";

/// The databases of which there are copies; those of deleted backups are forgotten.
const DATABASES: &str = "SELECT DISTINCT v.database_id FROM deliveries v \
 WHERE v.destination_id = $1 AND v.purpose = 'store' AND v.status = 'completed' \
 AND v.database_id <> '' ORDER BY v.database_id";

fn copy(row: &AnyRow) -> Result<StoredCopy> {
    let cells = Cells::new("deliveries", row);
    Ok(StoredCopy {
        backup: cells.parse("id")?,
        database: cells.text("database_slug")?,
        filename: cells.text("filename")?,
        location: cells.text("location")?,
        created_at: cells.time("created_at")?,
        size_bytes: cells.size("size_bytes")?,
        pinned: cells.flag("pinned")?,
        file_state: cells.opt_parse("file_state")?,
    })
}

async fn copies(
    conn: &mut AnyConnection,
    destination: DestinationId,
    database: DatabaseId,
) -> Result<Vec<StoredCopy>> {
    let query = sqlx::query(SELECT).bind(destination.to_string()).bind(database.to_string());
    query.fetch_all(conn).await?.iter().map(copy).collect()
}

impl Catalog {
    /// What a destination keeps of a database's backups, newest first.
    pub async fn copies(
        &self,
        destination: DestinationId,
        database: DatabaseId,
    ) -> Result<Vec<StoredCopy>> {
        copies(&mut *self.reader().await?, destination, database).await
    }

    /// Whether a destination keeps any copy, of whatever backup, that nobody has
    /// asked to remove.
    pub async fn has_copies(&self, destination: DestinationId) -> Result<bool> {
        let found = sqlx::query(
            "SELECT v.id FROM deliveries v \
             WHERE v.destination_id = $1 AND v.purpose = 'store' AND v.status = 'completed' \
             AND NOT EXISTS (SELECT 1 FROM deliveries r WHERE r.backup_id = v.backup_id \
              AND r.destination_id = v.destination_id AND r.purpose = 'remove' \
              AND r.status NOT IN ('failed', 'cancelled')) LIMIT 1",
        )
        .bind(destination.to_string())
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        Ok(found.is_some())
    }

    /// The databases of which a destination was ever given a copy. Their own
    /// records may be gone.
    pub async fn databases_at(&self, destination: DestinationId) -> Result<Vec<DatabaseId>> {
        let query = sqlx::query(DATABASES).bind(destination.to_string());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Cells::new("deliveries", row).parse("database_id")).collect()
    }
}

impl Tx {
    /// What a destination keeps of a database's backups, newest first, as this
    /// transaction sees it.
    pub async fn copies(
        &mut self,
        destination: DestinationId,
        database: DatabaseId,
    ) -> Result<Vec<StoredCopy>> {
        copies(self.conn(), destination, database).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Statement;

    /// Among a hundred thousand copies, those of one database are few; looking
    /// through all of them held the write lock for a third of a second.
    #[tokio::test]
    async fn the_copies_of_a_database_are_found_through_an_index() {
        for (sql, bound) in [
            (SELECT, "SEARCH v USING INDEX deliveries_copies (destination_id=? AND database_id=?)"),
            (DATABASES, "SEARCH v USING COVERING INDEX deliveries_copies (destination_id=?"),
        ] {
            let plan = Statement::new(sql).plan().await;
            assert!(plan.iter().any(|step| step.contains(bound)), "{plan:#?}");
            assert!(!plan.iter().any(|step| step.contains("SCAN")), "{plan:#?}");
        }
    }
}
