//! What is true of SQLite alone: the file, its locks, its damage. A second
//! connection plays the other process.

use std::{
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use cofferdam_catalog::{BackupFilter, Catalog, CatalogOptions, Error};
use cofferdam_model::{BackupId, Failure, FailureKind, FileState, Sidecar};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};

use crate::{
    audit,
    deliveries::{PLACES, claim},
    support::{
        LEASE, at, completed, database, destination, fresh, lease, pending, running, sidecar,
    },
};

/// Bytes of a page.
const PAGE: usize = 8192;

async fn other(address: &str) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{address}")).await.unwrap()
}

/// Does as somebody would who wants to rewrite the log.
async fn tamper(address: &str, sql: &'static str) {
    let mut conn = other(address).await;
    conn.execute("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_shortened")
        .await
        .unwrap();
    conn.execute(sql).await.unwrap();
    conn.close().await.unwrap();
}

#[tokio::test]
async fn the_log_refuses_to_be_changed_or_shortened() {
    let fresh = fresh().await;
    audit::write(&fresh.catalog, 3).await;
    let mut conn = other(&fresh.address).await;
    for sql in
        ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit", "DELETE FROM audit WHERE seq = 3"]
    {
        let refused = conn.execute(sql).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[tokio::test]
async fn every_kind_of_tampering_with_the_log_is_found_at_its_place() {
    for (sql, seq, reason) in [
        ("UPDATE audit SET actor = 'eve' WHERE seq = 5", 5, "the entry was changed"),
        ("UPDATE audit SET details = '{}' WHERE seq = 1", 1, "the entry was changed"),
        ("UPDATE audit SET remote = NULL WHERE seq = 9", 9, "the entry was changed"),
        ("DELETE FROM audit WHERE seq = 4", 4, "an entry is missing"),
        ("DELETE FROM audit WHERE seq = 1", 1, "an entry is missing"),
        (
            "UPDATE audit SET hash = x'00' || substr(hash, 2) WHERE seq = 6",
            6,
            "the entry is unreadable",
        ),
        (
            "UPDATE audit SET prev_hash = (SELECT hash FROM audit WHERE seq = 2) WHERE seq = 7",
            7,
            "the entry does not follow the one before it",
        ),
        ("UPDATE audit SET outcome = 'maybe' WHERE seq = 3", 3, "the entry is unreadable"),
    ] {
        let fresh = fresh().await;
        audit::write(&fresh.catalog, 10).await;
        tamper(&fresh.address, sql).await;
        let fault = fresh.catalog.verify_audit().await.unwrap().fault.unwrap();
        assert_eq!(fault.seq, seq, "{sql}");
        assert!(fault.reason.starts_with(reason), "{sql}: {fault:?}");
    }
}

/// What is counted as it changes, beside what counting anew gives.
async fn counted(address: &str) -> [Vec<(String, i64, i64)>; 2] {
    let mut conn = other(address).await;
    let key = "database_id || ' ' || database_slug || ' ' || trigger_kind || ' ' || status || ' '";
    let kept = format!(
        "SELECT {key} || file_state, backups, bytes FROM backup_counts \
         WHERE backups <> 0 OR bytes <> 0 ORDER BY 1"
    );
    let anew = format!(
        "SELECT {key} || coalesce(file_state, ''), count(*), coalesce(sum(size_bytes), 0) \
         FROM backups GROUP BY 1 ORDER BY 1"
    );
    [
        sqlx::query_as(AssertSqlSafe(kept)).fetch_all(&mut conn).await.unwrap(),
        sqlx::query_as(AssertSqlSafe(anew)).fetch_all(&mut conn).await.unwrap(),
    ]
}

#[tokio::test]
async fn what_is_counted_is_what_is_there_after_every_kind_of_change() {
    let fresh = fresh().await;
    let (_, failing, job) = running(&fresh.catalog, "wiki").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let failure = Failure::new(FailureKind::Interrupted, "the console stopped");
    tx.finish_failed(failing.id, job.fence, &failure, at(9)).await.unwrap();
    tx.commit().await.unwrap();
    let done = completed(&fresh.catalog, "shop").await;
    let gone = completed(&fresh.catalog, "mail").await;
    let crm = database(&fresh.catalog, "crm").await;
    let waiting = pending(&fresh.catalog, &crm, at(3)).await;
    let cancelled = pending(&fresh.catalog, &crm, at(4)).await;
    let [kept, anew] = counted(&fresh.address).await;
    assert_eq!((kept.len(), &kept), (4, &anew));

    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.set_file_state(done.id, FileState::Corrupt).await.unwrap();
    tx.set_labels(done.id, &["kept".parse().unwrap()]).await.unwrap();
    tx.delete_backup(gone.id, false, "anna", at(20)).await.unwrap();
    tx.request_cancel(cancelled.id, at(20)).await.unwrap();
    tx.adopt(&sidecar(&failing), at(20)).await.unwrap();
    let orphan = Sidecar { id: BackupId::new(), ..sidecar(&waiting) };
    tx.adopt(&orphan, at(20)).await.unwrap();
    tx.commit().await.unwrap();
    let [kept, anew] = counted(&fresh.address).await;
    assert_eq!((kept.len(), &kept), (5, &anew));

    // And what was taken back was never counted.
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.delete_backup(done.id, false, "anna", at(30)).await.unwrap();
    drop(tx);
    assert_eq!(counted(&fresh.address).await, [kept, anew]);
}

#[tokio::test]
async fn the_file_and_its_write_ahead_log_are_private() {
    let fresh = fresh().await;
    database(&fresh.catalog, "shop").await;
    for ending in ["", "-wal", "-shm"] {
        let meta = std::fs::metadata(format!("{}{ending}", fresh.address)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{ending}");
    }
    assert_eq!(fresh.catalog.backup_path().to_str(), Some(fresh.address.as_str()));
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let fresh = fresh().await;
    let sidecar = completed(&fresh.catalog, "shop").await;
    let (_, _, job) = running(&fresh.catalog, "wiki").await;
    audit::write(&fresh.catalog, 5).await;
    fresh.catalog.close().await;
    let catalog = Catalog::open(&fresh.address).await.unwrap();
    assert!(catalog.backup(sidecar.id).await.unwrap().is_some());
    assert_eq!(catalog.leases().await.unwrap()[0].job, job);
    assert_eq!(catalog.verify_audit().await.unwrap().checked, 5);
    catalog.check_integrity().await.unwrap();
    catalog.checkpoint().await.unwrap();
}

#[tokio::test]
async fn two_programs_may_open_the_same_catalog_for_the_first_time_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let address = folder.path().join("catalog.db").to_str().unwrap().to_owned();
    let opening = (0..6).map(|_| {
        let address = address.clone();
        tokio::spawn(async move { Catalog::open(&address).await })
    });
    for opened in opening.collect::<Vec<_>>() {
        opened.await.unwrap().unwrap().health().await.unwrap();
    }
}

#[tokio::test]
async fn unusual_characters_in_the_path_mean_themselves() {
    let fresh = fresh().await;
    let path = fresh.folder.path().join("100% sure?#ü.db");
    let catalog = Catalog::open(path.to_str().unwrap()).await.unwrap();
    database(&catalog, "shop").await;
    assert!(path.metadata().unwrap().len() > 0 && catalog.backup_path() == path);
    let by_url = Catalog::open(&format!("sqlite:{}", path.display())).await.unwrap();
    assert_eq!(by_url.databases().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_waits_while_another_process_holds_the_lock_and_then_succeeds() {
    let fresh = fresh().await;
    let shop = database(&fresh.catalog, "shop").await;
    let mut conn = other(&fresh.address).await;
    conn.execute("BEGIN IMMEDIATE").await.unwrap();
    let held = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        conn.execute("COMMIT").await.unwrap();
    });
    let started = Instant::now();
    // Reading goes on meanwhile.
    fresh.catalog.health().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1));
    pending(&fresh.catalog, &shop, at(1)).await;
    assert!(started.elapsed() >= Duration::from_secs(2));
    held.await.unwrap();
    assert!(lease(&fresh.catalog, "w", at(2)).await.is_some());
}

#[tokio::test]
async fn a_lock_that_is_held_for_too_long_is_an_error_that_says_so() {
    let fresh = fresh().await;
    let options = CatalogOptions { busy_limit: Duration::from_secs(2), readers: 2 };
    let catalog = Catalog::open_with(&fresh.address, options).await.unwrap();
    let mut conn = other(&fresh.address).await;
    conn.execute("BEGIN IMMEDIATE").await.unwrap();
    let started = Instant::now();
    assert!(matches!(catalog.begin().await, Err(Error::Busy)));
    assert!(started.elapsed() < Duration::from_secs(10));
    conn.execute("COMMIT").await.unwrap();
    catalog.begin().await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_catalog_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let junk = b"this is not a database, and longer than a header of one ".repeat(200);
    std::fs::write(&path, &junk).unwrap();
    let refused = Catalog::open(path.to_str().unwrap()).await;
    assert!(matches!(refused, Err(Error::Damaged(_))), "{refused:?}");
    assert_eq!(std::fs::read(&path).unwrap(), junk);
}

#[tokio::test]
async fn broken_pages_are_refused_at_the_start_and_left_as_they_were() {
    let fresh = fresh().await;
    for name in ["a", "b", "c", "d"] {
        completed(&fresh.catalog, name).await;
    }
    fresh.catalog.close().await;
    let mut bytes = std::fs::read(&fresh.address).unwrap();
    for byte in bytes.iter_mut().skip(PAGE) {
        *byte ^= 0x5a;
    }
    std::fs::write(&fresh.address, &bytes).unwrap();
    let refused = Catalog::open(&fresh.address).await;
    assert!(matches!(refused, Err(Error::Damaged(_))), "{refused:?}");
    assert_eq!(std::fs::read(&fresh.address).unwrap(), bytes);
}

#[tokio::test]
async fn one_lost_page_anywhere_is_found_at_the_start() {
    let fresh = fresh().await;
    completed(&fresh.catalog, "shop").await;
    fresh.catalog.close().await;
    let whole = std::fs::read(&fresh.address).unwrap();
    let pages = whole.len() / PAGE;
    assert!(pages > 30 && whole.len() % PAGE == 0, "{pages} pages");
    for page in 1..pages {
        let mut bytes = whole.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        std::fs::write(&fresh.address, &bytes).unwrap();
        let refused = Catalog::open(&fresh.address).await;
        assert!(matches!(refused, Err(Error::Damaged(_))), "page {page}: {refused:?}");
    }
    for missing in [1, PAGE - 1, PAGE, PAGE + 1, 10 * PAGE] {
        std::fs::write(&fresh.address, &whole[..whole.len() - missing]).unwrap();
        let refused = Catalog::open(&fresh.address).await;
        assert!(matches!(refused, Err(Error::Damaged(_))), "{missing} bytes less: {refused:?}");
    }
    std::fs::write(&fresh.address, &whole).unwrap();
    assert_eq!(Catalog::open(&fresh.address).await.unwrap().databases().await.unwrap().len(), 1);
}

#[tokio::test]
async fn after_a_stop_that_was_not_clean_everything_is_there_or_the_damage_is_found() {
    let fresh = fresh().await;
    let first = completed(&fresh.catalog, "shop").await;
    fresh.catalog.checkpoint().await.unwrap();
    let second = completed(&fresh.catalog, "wiki").await;
    // What a power loss leaves: both files as they are, and nobody who has them open.
    let image = fresh.folder.path().join("image.db");
    let image_log = fresh.folder.path().join("image.db-wal");
    let mut bytes = std::fs::read(&fresh.address).unwrap();
    let log = std::fs::read(format!("{}-wal", fresh.address)).unwrap();
    assert!(!log.is_empty());
    std::fs::write(&image, &bytes).unwrap();
    std::fs::write(&image_log, &log).unwrap();
    let catalog = Catalog::open(image.to_str().unwrap()).await.unwrap();
    for id in [first.id, second.id] {
        assert!(catalog.backup(id).await.unwrap().is_some());
    }
    catalog.close().await;
    assert!(!image_log.exists());
    // The table of settings is not in the log, so the log does not heal it.
    let mut conn = other(&fresh.address).await;
    let root: i64 =
        sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'settings'")
            .fetch_one(&mut conn)
            .await
            .unwrap();
    let start = (usize::try_from(root).unwrap() - 1) * PAGE;
    bytes[start..start + PAGE].fill(0);
    std::fs::write(&image, &bytes).unwrap();
    std::fs::write(&image_log, &log).unwrap();
    let refused = Catalog::open(image.to_str().unwrap()).await;
    assert!(matches!(refused, Err(Error::Damaged(_))), "{refused:?}");
}

#[tokio::test]
async fn a_catalog_that_is_open_elsewhere_opens_without_waiting() {
    let fresh = fresh().await;
    completed(&fresh.catalog, "shop").await;
    let started = Instant::now();
    let beside = Catalog::open(&fresh.address).await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(900));
    database(&beside, "wiki").await;
    database(&fresh.catalog, "crm").await;
    assert_eq!(beside.databases().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_catalog_of_a_newer_version_is_refused() {
    let fresh = fresh().await;
    fresh.catalog.close().await;
    let mut conn = other(&fresh.address).await;
    conn.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', 1, x'00', 0)",
    )
    .await
    .unwrap();
    conn.close().await.unwrap();
    let refused = Catalog::open(&fresh.address).await;
    assert!(matches!(refused, Err(Error::Newer { version: 9999 })), "{refused:?}");
}

#[tokio::test]
async fn a_row_that_does_not_convert_is_an_error_that_names_its_place() {
    let fresh = fresh().await;
    let sidecar = completed(&fresh.catalog, "shop").await;
    let mut conn = other(&fresh.address).await;
    conn.execute("UPDATE backups SET trigger_kind = 'whim'").await.unwrap();
    let refused = fresh.catalog.backup(sidecar.id).await;
    assert!(
        matches!(refused, Err(Error::Row { table: "backups", column: "trigger_kind", .. })),
        "{refused:?}"
    );
    assert!(fresh.catalog.backups(&BackupFilter::default()).await.is_err());
}

#[tokio::test]
async fn an_address_that_cannot_be_opened_says_why() {
    for bad in ["postgres://db/x", "", "sqlite:", "/nowhere/at/all/catalog.db"] {
        let refused = Catalog::open(bad).await;
        assert!(matches!(refused, Err(Error::Address(_))), "{bad}: {refused:?}");
    }
}

/// Without the index for it, this took seconds at some thousands.
#[tokio::test]
async fn ten_thousand_that_wait_for_one_destination_are_claimed_and_blocked_quickly() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    completed(&fresh.catalog, "shop").await;
    let mut conn = other(&fresh.address).await;
    let copy = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) ";
    for sql in [
        format!(
            "INSERT INTO deliveries (id, backup_id, destination_id, purpose, event, about, status, \
             attempts, tries, created_at) {copy} SELECT 'd' || i, 'b' || i, '{}', 'store', '', '', \
             'pending', 0, 0, 0 FROM n",
            cellar.id
        ),
        format!(
            "INSERT INTO jobs (id, kind, delivery_id, destination_id, created_at, not_before, \
             fence, beats, cancel_requested) {copy} SELECT 'j' || i, 'delivery', 'd' || i, '{}', \
             {at}, {at}, 0, 0, 0 FROM n",
            cellar.id,
            at = at(500).timestamp_millis()
        ),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    }
    let (job, held) = claim(&fresh.catalog, 900).await.unwrap();
    let begun = Instant::now();
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(tx.lease_delivery("w", None, at(900), LEASE, PLACES).await.unwrap().is_none());
    drop(tx);
    let claimed = begun.elapsed();
    // All of them are put off with the first one.
    let begun = Instant::now();
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.block_delivery(held.id, job.fence, "no", at(1_200), at(900)).await.unwrap();
    tx.commit().await.unwrap();
    let blocked = begun.elapsed();
    assert_eq!(fresh.catalog.deliveries_due(at(1_199)).await.unwrap(), 0);
    assert_eq!(fresh.catalog.deliveries_due(at(1_200)).await.unwrap(), 10_001);
    assert!(claimed < Duration::from_millis(300), "{claimed:?}");
    assert!(blocked < Duration::from_secs(5), "{blocked:?}");
}
