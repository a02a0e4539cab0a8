//! A catalog that the first version has left, opened by this one.

use cofferdam_catalog::{BackupFilter, Catalog};
use cofferdam_model::{BackupId, BackupStatus, DatabaseId, FileState, JobId};
use sqlx::{
    Connection as _, Executor as _, SqlSafeStr as _, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::support::{LEASE, at, lease};

const FIRST: &str = include_str!("../../../../migrations/sqlite/0001_initial.sql");

/// A catalog of the first version: one database, a completed backup with its
/// log, one that runs, and one that waits.
async fn first_version(address: &str, database: DatabaseId, backups: [BackupId; 3]) {
    let mut conn =
        SqliteConnection::connect(&format!("sqlite://{address}?mode=rwc")).await.unwrap();
    conn.execute("PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON")
        .await
        .unwrap();
    let first =
        Migration::new(1, "initial".into(), MigrationType::Simple, FIRST.into_sql_str(), false);
    Migrator::with_migrations(vec![first]).run_direct(None, &mut conn, false).await.unwrap();
    let now = at(0).timestamp_millis();
    let database = database.to_string();
    sqlx::query(
        "INSERT INTO databases (id, slug, engine, summary, settings, sealed, created_at) \
         VALUES ($1, 'shop', 'postgres', 'shop on db', '{}', x'00ff', $2)",
    )
    .bind(&database)
    .bind(now)
    .execute(&mut conn)
    .await
    .unwrap();
    for (place, id) in backups.iter().enumerate() {
        let status = ["completed", "running", "pending"][place];
        let done = status == "completed";
        sqlx::query(
            "INSERT INTO backups (id, database_id, database_slug, engine, filename, format, level, \
             trigger_kind, status, file_state, description, created_by, created_at, started_at, \
             completed_at, size_bytes, sha256, pinned, labels, search) VALUES ($1, $2, 'shop', \
             'postgres', $3, 'plain', 3, 'manual', $4, $5, 'a note', 'anna', $6, $6, $7, $8, $9, 1, \
             '[\"kept\"]', 'shop')",
        )
        .bind(id.to_string())
        .bind(&database)
        .bind(done.then_some("backup_shop_20260101_000000.sql.gz"))
        .bind(status)
        .bind(done.then_some("present"))
        .bind(now + i64::try_from(place).unwrap())
        .bind(done.then_some(now))
        .bind(done.then_some(4711_i64))
        .bind(done.then(|| "0f".repeat(32)))
        .execute(&mut conn)
        .await
        .unwrap();
        sqlx::query("INSERT INTO backup_logs VALUES ($1, 1, $2, 'info', 'began')")
            .bind(id.to_string())
            .bind(now)
            .execute(&mut conn)
            .await
            .unwrap();
        if !done {
            let held = status == "running";
            sqlx::query(
                "INSERT INTO jobs (id, kind, backup_id, database_id, created_at, worker, fence, \
                 beats, renewed_at, expires_at, cancel_requested, progress) \
                 VALUES ($1, 'backup', $2, $3, $4, $5, 7, 3, $6, $7, 0, NULL)",
            )
            .bind(JobId::new().to_string())
            .bind(id.to_string())
            .bind(&database)
            .bind(now)
            .bind(held.then_some("console-1"))
            .bind(held.then_some(now))
            .bind(held.then_some(now + 30_000))
            .execute(&mut conn)
            .await
            .unwrap();
        }
    }
    conn.close().await.unwrap();
}

#[tokio::test]
async fn a_catalog_of_the_first_version_keeps_its_rows_its_queue_and_its_counts() {
    let folder = tempfile::tempdir().unwrap();
    let address = folder.path().join("catalog.db").to_str().unwrap().to_owned();
    let (database, backups) = (DatabaseId::new(), [(); 3].map(|()| BackupId::new()));
    first_version(&address, database, backups).await;

    let catalog = Catalog::open(&address).await.unwrap();
    let [done, running, waiting] = backups;
    let kept = catalog.backup(done).await.unwrap().unwrap();
    assert_eq!((kept.status, kept.file_state), (BackupStatus::Completed, Some(FileState::Present)));
    assert_eq!((kept.pinned, kept.labels.len(), kept.description.as_str()), (true, 1, "a note"));
    assert_eq!(catalog.log(done, 0, 9).await.unwrap().len(), 1);
    assert_eq!(catalog.backups(&BackupFilter::default()).await.unwrap().total, 3);
    assert_eq!(catalog.queue_length().await.unwrap(), (1, 1));
    let [held] = &catalog.leases().await.unwrap()[..] else { panic!("one lease") };
    assert_eq!((held.backup_id, held.worker.as_str(), held.job.fence.0), (running, "console-1", 7));

    // Its database is busy; once that run is over, the one that waits has its turn.
    assert!(lease(&catalog, "w", at(1)).await.is_none());
    let mut tx = catalog.begin().await.unwrap();
    let job = tx.take_over(held, "w", at(60), LEASE).await.unwrap().unwrap();
    tx.finish_cancelled(running, job.fence, at(61)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(lease(&catalog, "w", at(62)).await.is_some());
    let waits = catalog.backup(waiting).await.unwrap().unwrap();
    assert_eq!(waits.status, BackupStatus::Running);

    // What came with this version is empty and usable.
    assert!(catalog.destinations().await.unwrap().is_empty());
    assert!(catalog.components().await.unwrap().is_empty());
    assert!(catalog.checks().await.unwrap().is_empty());
    assert!(catalog.deliveries_of(&backups).await.unwrap().is_empty());
    drop(catalog);
    Catalog::open(&address).await.unwrap();
}
