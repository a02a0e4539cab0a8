//! Backups of SQLite files.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    sync::Mutex,
    thread,
    time::Duration,
};

use chrono::Utc;
use cofferdam_artifact::{Folder, digest, gzip};
use cofferdam_backup::{
    Clients, Control, Limits, Observer, ProblemKind, Run, Stop, check, end_backends, run,
};
use cofferdam_model::{
    BackupId, BackupOptions, Connection, DatabaseId, Failure, FailureKind, Format, LogLevel,
    LogLine, Phase, Progress, Sidecar, SqliteConnection, Trigger,
};
use rusqlite::Connection as Sqlite;
use tempfile::TempDir;

/// Remembers progress and log; may cancel when the dump begins.
#[derive(Default)]
struct Listener {
    progress: Mutex<Vec<Progress>>,
    log: Mutex<Vec<String>>,
    errors: Mutex<Vec<String>>,
    cancel: Option<Control>,
}

impl Observer for Listener {
    fn progress(&self, progress: &Progress) {
        if progress.raw_bytes > 0
            && let Some(control) = &self.cancel
        {
            control.cancel(Stop::Cancelled);
        }
        self.progress.lock().expect("no panic").push(progress.clone());
    }

    fn log(&self, line: LogLine) {
        if line.level == LogLevel::Error {
            self.errors.lock().expect("no panic").push(line.text.clone());
        }
        self.log.lock().expect("no panic").push(line.text);
    }

    fn before_publish(&self) -> Result<(), Failure> {
        Ok(())
    }
}

struct Place {
    root: TempDir,
    folder: Folder,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let (folder, _) = Folder::create(&root.path().join("backups")).expect("a backup folder");
        Self { root, folder }
    }

    fn database(&self, sql: &str) -> (Sqlite, Connection) {
        let path = self.root.path().join("a ' b;c.db");
        let sqlite = Sqlite::open(&path).expect("a database");
        sqlite.execute_batch(sql).expect("the SQL is good");
        (sqlite, connection(&path))
    }

    fn run(
        &self,
        connection: &Connection,
        format: Format,
        listener: &Listener,
    ) -> Result<Sidecar, Failure> {
        let run_ = Run {
            id: BackupId::new(),
            database_id: DatabaseId::new(),
            database: "notes".parse().expect("a slug"),
            connection,
            options: BackupOptions { format, ..BackupOptions::default() },
            trigger: Trigger::Cli,
            created_by: "anna".to_owned(),
            created_at: Utc::now(),
            pinned: true,
            labels: vec!["first".parse().expect("a label")],
            limits: Limits { whole: None, stall: Duration::from_secs(30), keep_free_bytes: 0 },
        };
        let control = listener.cancel.clone().unwrap_or_default();
        run(&run_, &self.folder, &Clients::default(), &control, listener)
    }

    fn text(&self, sidecar: &Sidecar) -> String {
        let file = self.folder.open_artifact(&sidecar.filename).expect("it is there");
        let mut text = String::new();
        let mut reader = gzip::Reader::new(file).expect("it begins as gzip");
        reader.read_to_string(&mut text).expect("it is gzip");
        text
    }

    /// What is in the folder besides its marker.
    fn files(&self) -> usize {
        fs::read_dir(self.folder.path()).expect("it is there").count() - 1
    }
}

fn connection(path: &Path) -> Connection {
    Connection::Sqlite(SqliteConnection { path: path.to_owned() })
}

fn restored(text: &str) -> Sqlite {
    let sqlite = Sqlite::open_in_memory().expect("a database");
    sqlite.execute_batch(text).expect("the dump is good SQL");
    sqlite
}

fn count(sqlite: &Sqlite, table: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let count: i64 = sqlite.query_row(&sql, [], |row| row.get(0)).expect("it counts");
    count.unsigned_abs()
}

#[test]
fn a_backup_comes_back_while_the_application_writes() {
    let place = Place::new();
    let (sqlite, connection) = place.database(
        "PRAGMA journal_mode = WAL; CREATE TABLE \"no\"\"tes\" (id INTEGER PRIMARY KEY, t TEXT); \
         CREATE TABLE other (x); INSERT INTO other VALUES (1), (NULL), (x'00ff'); \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
         INSERT INTO \"no\"\"tes\" SELECT i, 'line ' || i || char(10) FROM n;",
    );
    let writing = thread::spawn(move || {
        for _ in 0..200 {
            // Both tables in one transaction: no backup may see one without the other.
            let write = "BEGIN IMMEDIATE; INSERT INTO \"no\"\"tes\" (t) VALUES ('x'); \
                         INSERT INTO other VALUES (2); COMMIT;";
            sqlite.execute_batch(write).expect("writing goes on");
        }
    });
    let listener = Listener::default();
    let sidecar = place.run(&connection, Format::Plain, &listener).expect("it succeeds");
    writing.join().expect("no panic");
    let text = place.text(&sidecar);
    assert_eq!(sidecar.raw_bytes, text.len() as u64);
    let file = digest(place.folder.open_artifact(&sidecar.filename).expect("it is there"));
    let file: cofferdam_artifact::Digest = file.expect("it is readable");
    assert_eq!((file.size_bytes, &file.sha256), (sidecar.size_bytes, &sidecar.sha256));
    let back = restored(&text);
    let (notes, other) = (count(&back, "\"no\"\"tes\""), count(&back, "other"));
    assert_eq!(notes - 20_000, other - 3);
    let facts: Vec<(&str, u64)> =
        sidecar.tables.iter().map(|t| (t.name.as_str(), t.rows)).collect();
    assert_eq!(facts, [("\"no\"\"tes\"", notes), ("\"other\"", other)]);
    let first = &sidecar.tables[0];
    let from = usize::try_from(first.offset).expect("it fits");
    let to = from + usize::try_from(first.length).expect("it fits");
    assert!(text[from..to].starts_with("INSERT INTO "));
    assert_eq!(text[from..to].matches("line ").count(), 20_000);
    assert!(sidecar.filename.starts_with("backup_notes_") && sidecar.filename.ends_with(".sql.gz"));
    assert!(sidecar.pinned && sidecar.labels.len() == 1);
    let progress = listener.progress.lock().expect("no panic");
    assert!(progress.iter().filter_map(|p| p.percent).is_sorted());
    assert_eq!(progress.last().map(|p| (p.phase, p.percent)), Some((Phase::Done, Some(100.0))));
}

#[test]
fn what_a_restore_must_allow_is_in_the_facts() {
    let place = Place::new();
    let (sqlite, connection) = place.database("CREATE TABLE a (x);");
    let facts = |connection| {
        let sidecar = place.run(connection, Format::Plain, &Listener::default());
        sidecar.expect("it succeeds").source.document
    };
    assert!(facts(&connection).is_null());
    sqlite.execute_batch("CREATE VIRTUAL TABLE words USING fts5(w)").expect("the SQL is good");
    assert_eq!(facts(&connection)["edits_schema"], true);
}

#[test]
fn a_look_tells_size_and_tables() {
    let place = Place::new();
    let (_sqlite, connection) = place.database("CREATE TABLE a (x); CREATE TABLE b (x);");
    let found = check(&connection, &Clients::default(), &place.folder, 0, &Control::new());
    let found = found.expect("it can be looked at");
    assert_eq!(found.tables, 2);
    assert!(found.size_bytes >= 8192 && found.is_clear());
    assert!(found.server_version.is_some_and(|version| version.starts_with("SQLite 3.")));
    assert_eq!(found.role_sql, None);
}

#[test]
fn a_look_and_a_run_refuse_the_same_want_of_room() {
    let place = Place::new();
    let (_sqlite, connection) = place.database("CREATE TABLE a (x);");
    let keep_free = place.folder.free_bytes().expect("the room") - 1000;
    let found = check(&connection, &Clients::default(), &place.folder, keep_free, &Control::new());
    let found = found.expect("it can be looked at");
    assert!(!found.is_clear());
    assert_eq!(found.problems[0].kind, ProblemKind::Space);
}

#[test]
fn a_cancelled_backup_leaves_nothing() {
    let place = Place::new();
    let (_sqlite, connection) = place.database(
        "CREATE TABLE big (t); \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
         INSERT INTO big SELECT hex(randomblob(20000)) FROM n;",
    );
    let listener = Listener { cancel: Some(Control::new()), ..Listener::default() };
    let failure = place.run(&connection, Format::Plain, &listener).expect_err("it was cancelled");
    assert_eq!(failure.kind, FailureKind::Cancelled);
    assert_eq!(place.files(), 0);
    let said = listener.log.lock().expect("no panic").clone();
    assert_eq!(said.last(), Some(&failure.message));
    let errors = listener.errors.lock().expect("no panic").clone();
    assert!(errors.is_empty(), "what somebody wished is no error: {errors:?}");
}

#[test]
fn what_is_no_database_is_named() {
    let place = Place::new();
    let at = |name: &str| place.root.path().join(name);
    fs::write(at("text"), "this is not a database, although it is long enough for one".repeat(100))
        .expect("it is written");
    fs::create_dir(at("folder")).expect("it is made");
    File::create(at("private")).expect("it is made");
    for (path, kind, message) in [
        (
            at("missing"),
            FailureKind::Settings,
            format!("there is no file {}", at("missing").display()),
        ),
        (
            at("folder"),
            FailureKind::Settings,
            format!("{} is not a regular file", at("folder").display()),
        ),
        (
            at("text"),
            FailureKind::Settings,
            format!("{} is not an SQLite database, or it is encrypted", at("text").display()),
        ),
        ("data.db".into(), FailureKind::Settings, "the path data.db is not absolute".to_owned()),
        (":memory:".into(), FailureKind::Settings, "the path :memory: is not absolute".to_owned()),
    ] {
        let connection = connection(&path);
        let failure = place.run(&connection, Format::Plain, &Listener::default());
        let failure = failure.expect_err("it is refused");
        assert_eq!((failure.kind, &failure.message), (kind, &message));
        assert!(failure.hint.is_some());
        let found = check(&connection, &Clients::default(), &place.folder, 0, &Control::new());
        assert_eq!(found.err().map(|failure| failure.message), Some(message));
    }
    assert_eq!(place.files(), 0);
}

#[test]
fn the_custom_format_is_refused() {
    let place = Place::new();
    let (_sqlite, connection) = place.database("CREATE TABLE a (x)");
    let failure =
        place.run(&connection, Format::Custom, &Listener::default()).expect_err("refused");
    assert_eq!(failure.kind, FailureKind::Settings);
    assert_eq!(failure.message, "an SQLite database is backed up in the plain format only");
    assert_eq!(end_backends(&connection, &Clients::default(), BackupId::new()), Ok(0));
}
