//! The source: what may be opened, what a busy one does, and that it is left
//! as it was.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use cofferdam_sqlite_dump::{DumpError, DumpObserver, Snapshot, Unobserved};
use rusqlite::Connection;

use crate::common::{Source, dump, restore};

#[test]
fn a_file_that_does_not_exist_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    assert!(matches!(Snapshot::open(&path), Err(DumpError::NotFound { .. })));
    assert!(!path.exists());
    assert!(matches!(Snapshot::open(Path::new(":memory:")), Err(DumpError::NotFound { .. })));
    assert!(matches!(Snapshot::open(folder.path()), Err(DumpError::NotAFile { .. })));
    assert!(matches!(Snapshot::open(Path::new("/dev/null")), Err(DumpError::NotAFile { .. })));
}

#[test]
fn other_files_are_refused_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("junk.db");
    for junk in
        [b"hello".repeat(1000), vec![0xa7; 8192], b"SQLite format 2\0".repeat(512), vec![0; 4096]]
    {
        fs::write(&path, &junk).unwrap();
        let error = Snapshot::open(&path).map(|_| ()).unwrap_err();
        assert!(matches!(error, DumpError::NotADatabase { .. }), "{error:?}");
    }
}

#[test]
fn names_that_mean_something_to_sqlite_are_names_of_files() {
    let source = Source::new("CREATE TABLE t(a); INSERT INTO t VALUES(1);");
    for name in ["file:x?mode=memory", ":memory:", "-x.db", "a b%20c.db"] {
        let path = source.folder.path().join(name);
        fs::copy(&source.path, &path).unwrap();
        let (text, _) = dump(&path).unwrap();
        assert!(text.contains("CREATE TABLE t(a);"));
    }
}

#[test]
fn a_locked_database_is_waited_for_and_then_reported() {
    let source = Source::new("CREATE TABLE t(a);");
    let writer = Connection::open(&source.path).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let began = Instant::now();
    let error =
        Snapshot::open_within(&source.path, Duration::from_millis(400)).map(|_| ()).unwrap_err();
    assert!(matches!(error, DumpError::Locked { .. }), "{error:?}");
    assert!(
        began.elapsed() >= Duration::from_millis(300) && began.elapsed() < Duration::from_secs(5)
    );

    let waiting = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        writer.execute_batch("COMMIT").unwrap();
    });
    Snapshot::open(&source.path).unwrap();
    waiting.join().unwrap();
}

fn accounts(journal: &str) -> Source {
    Source::with(|connection| {
        connection.pragma_update(None, "journal_mode", journal).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE a(id INTEGER PRIMARY KEY, amount INT); CREATE TABLE b(id INTEGER PRIMARY KEY, amount INT);
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                 INSERT INTO a SELECT i, 100 FROM n; INSERT INTO b SELECT id, 100 FROM a;",
            )
            .unwrap();
    })
}

fn total(path: &Path) -> i64 {
    let sum = "SELECT (SELECT sum(amount) FROM a) + (SELECT sum(amount) FROM b)";
    Connection::open(path).unwrap().query_row(sum, [], |row| row.get(0)).unwrap()
}

/// Stops the writer however the test ends, or it would be waited for forever.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_dump_made_while_the_application_writes_is_of_one_moment() {
    for journal in ["wal", "delete"] {
        let source = accounts(journal);
        let stop = AtomicBool::new(false);
        let transfers = AtomicU32::new(0);
        thread::scope(|scope| {
            let _stop = StopAtEnd(&stop);
            scope.spawn(|| {
                let writer = Connection::open(&source.path).unwrap();
                writer.busy_timeout(Duration::from_secs(20)).unwrap();
                for n in (1..=20_000).cycle() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let transfer = format!(
                        "BEGIN IMMEDIATE; UPDATE a SET amount = amount - 7 WHERE id = {n};
                         UPDATE b SET amount = amount + 7 WHERE id = 20001 - {n}; COMMIT"
                    );
                    writer.execute_batch(&transfer).unwrap();
                    transfers.fetch_add(1, Ordering::SeqCst);
                }
            });
            while transfers.load(Ordering::SeqCst) < 5 {
                thread::sleep(Duration::from_millis(5));
            }
            for round in 0..3 {
                struct Slow<'a>(&'a AtomicU32, u32, Duration);
                impl DumpObserver for Slow<'_> {
                    fn table_finished(&mut self, name: &str, _: u64, _: u64) {
                        // In WAL mode the writer goes on between two tables.
                        let before = self.0.load(Ordering::SeqCst);
                        let until = Instant::now() + self.2;
                        while name == "a" && Instant::now() < until && self.1 == 0 {
                            self.1 = self.0.load(Ordering::SeqCst) - before;
                            thread::sleep(Duration::from_millis(1));
                        }
                    }
                }
                let limit = if journal == "wal" { 20_000 } else { 100 };
                let mut slow = Slow(&transfers, 0, Duration::from_millis(limit));
                let mut out = Vec::new();
                Snapshot::open(&source.path).unwrap().dump(&mut out, &mut slow).unwrap();
                assert!(slow.1 > 0 || journal != "wal", "the writer was held up");
                let restored = source.folder.path().join(format!("{journal}{round}.db"));
                restore(&String::from_utf8(out).unwrap(), &restored);
                assert_eq!(total(&restored), 4_000_000);
            }
        });
    }
}

#[test]
fn what_is_still_in_the_wal_is_dumped_and_the_file_stays_as_it_was() {
    let source =
        Source::new("PRAGMA journal_mode=wal; CREATE TABLE t(a); INSERT INTO t VALUES(1);");
    let writer = Connection::open(&source.path).unwrap();
    writer.execute_batch("PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES(2);").unwrap();
    let before = fs::read(&source.path).unwrap();
    let (text, summary) = dump(&source.path).unwrap();
    assert_eq!(summary.rows, 2, "{text}");
    assert!(before == fs::read(&source.path).unwrap());
    writer.execute_batch("INSERT INTO t VALUES(3);").unwrap();
}

#[test]
fn a_rollback_database_gets_no_files_beside_it() {
    let source = Source::new("CREATE TABLE t(a); INSERT INTO t VALUES(1);");
    let before =
        (fs::read(&source.path).unwrap(), fs::metadata(&source.path).unwrap().modified().unwrap());
    dump(&source.path).unwrap();
    let after =
        (fs::read(&source.path).unwrap(), fs::metadata(&source.path).unwrap().modified().unwrap());
    assert!(before == after);
    assert_eq!(fs::read_dir(source.folder.path()).unwrap().count(), 1);
}

#[test]
fn an_interrupted_transaction_asks_for_recovery() {
    let source = Source::new("CREATE TABLE t(a); INSERT INTO t VALUES(1);");
    let writer = Connection::open(&source.path).unwrap();
    // A small cache makes SQLite write into the file before the commit.
    writer
        .execute_batch(
            "PRAGMA cache_size=1; BEGIN;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO t SELECT i FROM n;",
        )
        .unwrap();
    // What a power cut leaves: the file and its journal, and no writer.
    let copy = source.folder.path().join("copy.db");
    fs::copy(&source.path, &copy).unwrap();
    fs::copy(
        source.folder.path().join("source.db-journal"),
        source.folder.path().join("copy.db-journal"),
    )
    .unwrap();
    let error = dump(&copy).map(|_| ()).unwrap_err();
    assert!(matches!(error, DumpError::NeedsRecovery { .. }), "{error:?}");
    assert!(error.hint().is_some());
}

/// Set for the copy of this test program that runs as another user.
const AS_NOBODY: &str = "DUMP_AS_NOBODY";

#[test]
fn a_user_who_could_lock_the_application_out_is_refused() {
    if let Some(path) = std::env::var_os(AS_NOBODY) {
        let said = match dump(Path::new(&path)) {
            Ok((_, summary)) => format!("dumped {} rows", summary.rows),
            Err(DumpError::WalNotReadable { .. }) => "wal not readable".to_owned(),
            Err(DumpError::CannotOpen { .. }) => "cannot open".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        fs::write(std::env::var_os("DUMP_SAID").unwrap(), said).unwrap();
        return;
    }
    let me = fs::metadata("/proc/self").unwrap();
    if std::os::unix::fs::MetadataExt::uid(&me) != 0 {
        return; // Only root can become another user.
    }
    let source =
        Source::new("PRAGMA journal_mode=wal; CREATE TABLE t(a); INSERT INTO t VALUES(1);");
    let said = tempfile::NamedTempFile::new().unwrap();
    let allow =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    allow(said.path(), 0o666);
    let program = source.folder.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let as_nobody = || {
        let run = Command::new(&program)
            .args(["--exact", "source::a_user_who_could_lock_the_application_out_is_refused"])
            .env(AS_NOBODY, &source.path)
            .env("DUMP_SAID", said.path())
            .current_dir("/")
            .uid(65534)
            .gid(65534)
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        fs::read_to_string(said.path()).unwrap()
    };

    // In a folder where files could be made, but would be the wrong user's.
    allow(source.folder.path(), 0o777);
    assert_eq!(as_nobody(), "wal not readable");
    assert_eq!(fs::read_dir(source.folder.path()).unwrap().count(), 2);
    // In a folder where none can be made.
    allow(&source.path, 0o664);
    allow(source.folder.path(), 0o755);
    assert_eq!(as_nobody(), "wal not readable");
    // While the application has it open, its files serve.
    let application = Connection::open(&source.path).unwrap();
    application.execute_batch("INSERT INTO t VALUES(2);").unwrap();
    assert_eq!(as_nobody(), "dumped 2 rows");
    // Without the permission to read.
    allow(&source.path, 0o600);
    assert_eq!(as_nobody(), "cannot open");
}

struct Full;
impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_output_that_fails_is_reported_as_such() {
    let source = accounts("delete");
    let error = Snapshot::open(&source.path).unwrap().dump(&mut Full, &mut Unobserved).unwrap_err();
    assert!(matches!(error, DumpError::Write(_)), "{error:?}");
}

#[test]
fn errors_are_said_in_one_plain_sentence() {
    let said = [
        (DumpError::NotFound { path: "/srv/a.db".into() }, "there is no file /srv/a.db"),
        (
            DumpError::Locked { waited: Duration::from_secs(10) },
            "the database stayed locked by another program for 10 s",
        ),
        (
            DumpError::Corrupt { detail: "page 7 is never used".to_owned() },
            "the database is damaged: page 7 is never used",
        ),
        (
            DumpError::NotADatabase { path: "/srv/a.db".into() },
            "/srv/a.db is not an SQLite database, or it is encrypted",
        ),
    ];
    for (error, message) in said {
        assert_eq!(error.to_string(), message);
        assert!(error.hint().is_some_and(|hint| !hint.ends_with('.')));
    }
}

#[test]
fn a_snapshot_can_be_handed_to_another_thread() {
    let source = accounts("wal");
    let snapshot = Snapshot::open(&source.path).unwrap();
    let dumped = thread::spawn(move || snapshot.dump(&mut std::io::sink(), &mut Unobserved));
    assert_eq!(dumped.join().unwrap().unwrap().rows, 40_000);
}
