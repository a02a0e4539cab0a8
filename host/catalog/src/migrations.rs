//! The catalog's tables, and how they come to be.

use sqlx::{
    AnyConnection, Connection as _, SqlSafeStr as _,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use crate::{Error, Result};

/// Every migration for SQLite, oldest first. A test compares this with the folder.
pub(crate) const SQLITE: &[(i64, &str, &str)] = &[
    (1, "initial", include_str!("../../../migrations/sqlite/0001_initial.sql")),
    (2, "plugins", include_str!("../../../migrations/sqlite/0002_plugins.sql")),
    (3, "deliveries", include_str!("../../../migrations/sqlite/0003_deliveries.sql")),
];

fn migrator() -> Migrator {
    let list = SQLITE.iter().map(|&(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(list.collect())
}

/// Brings the catalog to this program's version. All steps are one
/// transaction under the write lock, so that two processes starting at the
/// same moment do not meet, and a step that fails leaves the catalog as it was.
pub(crate) async fn run(conn: &mut AnyConnection) -> Result<()> {
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    migrator().run_direct(None, &mut *tx, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => Error::Newer { version },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMismatch(version) => {
            Error::Damaged(format!("migration {version} is not the one that was applied"))
        }
        other => Error::Damaged(other.to_string()),
    })?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_of_the_folder_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let listed: Vec<String> =
            SQLITE.iter().map(|(number, name, _)| format!("{number:04}_{name}.sql")).collect();
        assert_eq!(names, listed);
    }
}
