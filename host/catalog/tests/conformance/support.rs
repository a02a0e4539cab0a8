//! A fresh catalog for each test, and records to put into it.

use chrono::{DateTime, TimeDelta, Utc};
use cofferdam_catalog::{Catalog, DestinationFields, NewBackup, NewDatabase, NewUser, Tx};
use cofferdam_model::{
    Backup, BackupOptions, Database, Destination, DestinationId, Engine, EventKind, Format, Job,
    Level, Role, Roles, SIDECAR_VERSION, Sidecar, Slug, SourceFacts, TableFacts, Timestamp,
    Trigger, UserId,
};

pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(30);

/// An empty catalog, and the folder that goes with the test.
pub(crate) struct Fresh {
    pub(crate) catalog: Catalog,
    pub(crate) address: String,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let address = folder.path().join("catalog.db").to_str().unwrap().to_owned();
    let catalog = Catalog::open(&address).await.unwrap();
    Fresh { catalog, address, folder }
}

/// A moment, `seconds` after the one at which every test begins.
pub(crate) fn at(seconds: i64) -> Timestamp {
    DateTime::<Utc>::from_timestamp_millis(1_790_000_000_123).unwrap() + TimeDelta::seconds(seconds)
}

pub(crate) async fn database(catalog: &Catalog, name: &str) -> Database {
    let mut tx = catalog.begin().await.unwrap();
    let made = tx.insert_database(&new_database(name), at(0)).await.unwrap();
    tx.commit().await.unwrap();
    made
}

pub(crate) fn new_database(name: &str) -> NewDatabase {
    NewDatabase {
        slug: Slug::from_name(name),
        engine: Engine::Postgres,
        summary: format!("{name} on db.example"),
        settings: r#"{"host":"db.example"}"#.to_owned(),
        sealed: Some(vec![0, 1, 255]),
    }
}

pub(crate) fn new_backup(database: &Database) -> NewBackup {
    NewBackup {
        database_id: database.id,
        database: database.slug.clone(),
        engine: database.engine,
        trigger: Trigger::Manual,
        options: BackupOptions::default(),
        created_by: "anna".to_owned(),
        labels: Vec::new(),
        destinations: None,
    }
}

pub(crate) async fn pending(catalog: &Catalog, database: &Database, now: Timestamp) -> Backup {
    let mut tx = catalog.begin().await.unwrap();
    let made = tx.insert_backup(&new_backup(database), now).await.unwrap();
    tx.commit().await.unwrap();
    made
}

/// Leases the next job, with room for many.
pub(crate) async fn lease(catalog: &Catalog, worker: &str, now: Timestamp) -> Option<Job> {
    let mut tx = catalog.begin().await.unwrap();
    let job = tx.lease_next(worker, now, LEASE, 100).await.unwrap();
    tx.commit().await.unwrap();
    job
}

/// A backup that runs under a lease.
pub(crate) async fn running(catalog: &Catalog, name: &str) -> (Database, Backup, Job) {
    let database = database(catalog, name).await;
    let backup = pending(catalog, &database, at(1)).await;
    let job = lease(catalog, "w1", at(2)).await.unwrap();
    let backup = catalog.backup(backup.id).await.unwrap().unwrap();
    (database, backup, job)
}

pub(crate) async fn completed(catalog: &Catalog, name: &str) -> Sidecar {
    let (_, backup, job) = running(catalog, name).await;
    let sidecar = sidecar(&backup);
    let mut tx = catalog.begin().await.unwrap();
    tx.finish_completed(backup.id, job.fence, &sidecar).await.unwrap();
    tx.commit().await.unwrap();
    sidecar
}

pub(crate) fn sidecar(backup: &Backup) -> Sidecar {
    Sidecar {
        format_version: SIDECAR_VERSION,
        id: backup.id,
        database_id: backup.database_id,
        database: backup.database.clone(),
        engine: backup.engine,
        filename: format!("backup_{}_{}.sql.gz", backup.database, backup.id),
        format: Format::Plain,
        level: Level::DEFAULT,
        trigger: backup.trigger,
        description: backup.description.clone(),
        created_by: backup.created_by.clone(),
        created_at: backup.created_at,
        started_at: backup.created_at + TimeDelta::seconds(1),
        completed_at: backup.created_at + TimeDelta::seconds(13),
        size_bytes: 4711,
        raw_bytes: 81_111,
        sha256: "0f".repeat(32),
        tool_version: Some("pg_dump (PostgreSQL) 15.18".to_owned()),
        pinned: backup.pinned,
        labels: backup.labels.clone(),
        drop_section_end: Some(99),
        tables: vec![TableFacts {
            name: "public.\"Order\"".to_owned(),
            rows: 12,
            offset: 100,
            length: 2000,
        }],
        source: SourceFacts {
            server_version: Some("PostgreSQL 15.18".to_owned()),
            document: serde_json::json!({"owners": [1, 2]}),
        },
    }
}

pub(crate) async fn user(catalog: &Catalog, name: &str, role: Role) -> UserId {
    let mut tx = catalog.begin().await.unwrap();
    let id = add_user(&mut tx, name, role).await.unwrap();
    tx.commit().await.unwrap();
    id
}

pub(crate) async fn add_user(
    tx: &mut Tx,
    name: &str,
    role: Role,
) -> cofferdam_catalog::Result<UserId> {
    tx.insert_user(&new_user(name, role), at(0)).await
}

pub(crate) fn new_user(name: &str, role: Role) -> NewUser {
    NewUser {
        username: name.parse().unwrap(),
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
        role,
    }
}

/// A storage destination for everything.
pub(crate) fn fields(name: &str) -> DestinationFields {
    DestinationFields {
        name: name.parse().unwrap(),
        roles: Roles { storage: true, ..Roles::default() },
        settings: r#"{"bucket":"backups"}"#.to_owned(),
        sealed: None,
        enabled: true,
        databases: None,
        events: EventKind::ALL.to_vec(),
        concurrency: 1,
        keep_going: false,
    }
}

pub(crate) async fn destination(catalog: &Catalog, name: &str) -> Destination {
    add_destination(catalog, &fields(name)).await
}

pub(crate) async fn add_destination(catalog: &Catalog, fields: &DestinationFields) -> Destination {
    let mut tx = catalog.begin().await.unwrap();
    let plugin = "s3".parse().unwrap();
    let made = tx.insert_destination(DestinationId::new(), &plugin, fields, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    made
}
