//! Made-up records for the gallery and the tests.

use chrono::{Duration, TimeZone, Utc};
use cofferdam_model::{
    Backup, BackupId, BackupStatus, Database, DatabaseId, Engine, Failure, FailureKind, FileState,
    Format, Label, Level, LogLevel, LogLine, Phase, Progress, Role, Slug, TableFacts, Timestamp,
    Trigger,
};
use cofferdam_views::{
    BackupItem, Chrome, DatabaseCard, DatabaseChoice, FieldErrors, GenerateForm, Nav, Point,
    Viewer,
    pages::{
        account::SessionItem,
        backup::BackupPage,
        database::{Check, CheckPoint, Outcome},
    },
};

pub(crate) const NONCE: &str = "Z2FsbGVyeS1ub25jZQ";
pub(crate) const SHA: &str = "5f2b0c6a9d3e4f71b8a2c4d6e8f00112233445566778899aabbccddeeff00112";

pub(crate) fn now() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 21, 12, 9, 37).single().expect("a date")
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    now() - Duration::seconds(seconds)
}

fn seconds(count: usize) -> i64 {
    i64::try_from(count).expect("a small number")
}

pub(crate) fn chrome(nav: Option<Nav>) -> Chrome {
    Chrome {
        nonce: NONCE.into(),
        csrf: "c3JmLXRva2Vu".into(),
        viewer: Some(Viewer { name: "admin".into(), role: Role::Administrator }),
        version: "0.1.0".into(),
        asset_version: "1".into(),
        nav,
        live_url: Some("/events".into()),
        public_url: "https://backup.example".into(),
        now: now(),
        notice: None,
    }
}

pub(crate) fn viewer(nav: Option<Nav>) -> Chrome {
    Chrome { viewer: Some(Viewer { name: "kim".into(), role: Role::Viewer }), ..chrome(nav) }
}

pub(crate) fn nobody() -> Chrome {
    Chrome { viewer: None, live_url: None, ..chrome(None) }
}

pub(crate) fn database(slug: &str, engine: Engine) -> Database {
    Database {
        id: DatabaseId::new(),
        slug: Slug::from_name(slug),
        engine,
        summary: match engine {
            Engine::Postgres => format!("{slug} on db.example:5432 as backup"),
            Engine::Sqlite => format!("/var/lib/{slug}/{slug}.sqlite3"),
        },
        settings: "{}".into(),
        sealed: None,
        created_at: ago(90 * 86_400),
    }
}

/// A completed backup that ended so many seconds ago.
pub(crate) fn completed(database: &Database, seconds: i64, size: u64) -> Backup {
    let slug = database.slug.clone();
    let started = ago(seconds + 21);
    Backup {
        id: BackupId::new(),
        database_id: database.id,
        filename: Some(format!("backup_{slug}_{}.sql.gz", started.format("%Y%m%d_%H%M%S"))),
        database: slug,
        engine: database.engine,
        format: Format::Plain,
        level: Level::DEFAULT,
        trigger: Trigger::Manual,
        status: BackupStatus::Completed,
        file_state: Some(FileState::Present),
        description: String::new(),
        created_by: "admin".into(),
        created_at: ago(seconds + 22),
        started_at: Some(started),
        completed_at: Some(ago(seconds)),
        size_bytes: Some(size),
        raw_bytes: Some(size * 5),
        sha256: Some(SHA.into()),
        tool_version: Some("pg_dump (PostgreSQL) 15.18".into()),
        pinned: false,
        labels: Vec::new(),
        failure: None,
    }
}

pub(crate) fn labels(words: &[&str]) -> Vec<Label> {
    words.iter().map(|word| word.parse().expect("a label")).collect()
}

pub(crate) fn done(backup: Backup) -> BackupItem {
    BackupItem { backup, progress: None }
}

pub(crate) fn without_file(mut backup: Backup, status: BackupStatus) -> Backup {
    backup.status = status;
    backup.file_state = None;
    backup.filename = None;
    backup.size_bytes = None;
    backup.raw_bytes = None;
    backup.sha256 = None;
    backup
}

pub(crate) fn failed(database: &Database, seconds: i64) -> BackupItem {
    let mut backup = without_file(completed(database, seconds, 1), BackupStatus::Failed);
    backup.failure = Some(
        Failure::new(FailureKind::Connection, "the server closed the connection while public.orders was being read")
            .hint("look at the server's own log around this time; if it was restarted, try again")
            .detail("pg_dump: error: Dumping the contents of table \"orders\" failed: PQgetCopyData() failed.\npg_dump: detail: Error message from server: server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally before or while processing the request."),
    );
    done(backup)
}

pub(crate) fn cancelled(database: &Database, seconds: i64) -> BackupItem {
    done(without_file(completed(database, seconds, 1), BackupStatus::Cancelled))
}

pub(crate) fn pending(database: &Database) -> BackupItem {
    let mut backup = without_file(completed(database, 3, 1), BackupStatus::Pending);
    backup.started_at = None;
    backup.completed_at = None;
    backup.tool_version = None;
    BackupItem { backup, progress: Some(Progress::default()) }
}

pub(crate) fn running(database: &Database) -> BackupItem {
    let mut backup = without_file(completed(database, 8, 1), BackupStatus::Running);
    backup.completed_at = None;
    backup.description = "before the upgrade to 4.2".into();
    let progress = Progress {
        phase: Phase::Dumping,
        table: Some("public.order_lines".into()),
        tables_done: 12,
        tables_total: Some(31),
        raw_bytes: 1_284_000_000,
        written_bytes: 214_300_000,
        bytes_per_second: 83_000_000,
        percent: Some(46.3),
        seconds_left: Some(18),
    };
    BackupItem { backup, progress: Some(progress) }
}

pub(crate) fn preparing(database: &Database) -> BackupItem {
    let mut item = running(database);
    item.progress = Some(Progress { phase: Phase::Preparing, ..Progress::default() });
    item
}

pub(crate) fn history(runs: usize, size: u64) -> Vec<Point> {
    (0..runs)
        .map(|run| {
            let good = run % 11 != 7;
            Point {
                at: ago(seconds((runs - run) * 86_400)),
                bytes: if good { size * (70 + run as u64 + (run as u64 * 7) % 9) / 100 } else { 0 },
                millis: 20_000 + run as u64 * 130,
                good,
            }
        })
        .collect()
}

pub(crate) fn card(
    database: &Database,
    last: Option<BackupItem>,
    good: Option<Backup>,
    runs: usize,
) -> DatabaseCard {
    let size = good.as_ref().and_then(|backup| backup.size_bytes).unwrap_or(0);
    DatabaseCard {
        database: database.clone(),
        last,
        last_good: good,
        history: history(runs, size),
        count: runs as u64,
        total_bytes: size * runs as u64,
    }
}

pub(crate) fn generate(databases: &[&Database]) -> GenerateForm {
    GenerateForm::new(
        databases
            .iter()
            .map(|database| DatabaseChoice {
                id: database.id,
                slug: database.slug.to_string(),
                engine: database.engine,
            })
            .collect(),
    )
}

pub(crate) fn log(lines: usize) -> Vec<LogLine> {
    let texts = [
        (LogLevel::Info, "the server is PostgreSQL 15.18; pg_dump 15.18 is used"),
        (LogLevel::Info, "31 tables, 1.28 GB before compression; 88.4 GB are free"),
        (LogLevel::Warning, "the client is below the floor against hostile servers (15.20)"),
        (LogLevel::Info, "dumping contents of table \"public.customers\""),
        (LogLevel::Info, "dumping contents of table \"public.order_lines\""),
        (LogLevel::Error, "server closed the connection unexpectedly"),
    ];
    (0..lines)
        .map(|line| {
            let (level, text) = texts[line % texts.len()];
            LogLine { at: ago(seconds(lines - line)), level, text: text.into() }
        })
        .collect()
}

pub(crate) fn tables() -> Vec<TableFacts> {
    [
        ("customers", 48_211),
        ("orders", 1_204_441),
        ("order_lines", 4_911_200),
        ("\"Order Notes\"", 0),
        ("products", 3_120),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, (name, rows))| TableFacts {
        name: format!("public.{name}"),
        rows,
        offset: index as u64 * 1000,
        length: rows * 118,
    })
    .collect()
}

pub(crate) fn backup_page(item: BackupItem) -> BackupPage {
    BackupPage {
        item,
        log: log(5),
        log_more: true,
        tables: Vec::new(),
        server_version: Some("PostgreSQL 15.18".into()),
        deliveries: Vec::new(),
        edits_schema: false,
        database_known: true,
        label_errors: FieldErrors::new(),
        labels_typed: None,
    }
}

fn point(
    outcome: Outcome,
    name: &str,
    text: &str,
    hint: Option<&str>,
    detail: Option<&str>,
) -> CheckPoint {
    CheckPoint {
        outcome,
        name: name.into(),
        text: text.into(),
        hint: hint.map(Into::into),
        detail: detail.map(Into::into),
    }
}

pub(crate) fn check(bad: bool) -> Check {
    let mut points = vec![
        point(Outcome::Good, "Connects", "PostgreSQL 15.18, TLS 1.3, in 12 ms", None, None),
        point(Outcome::Good, "Client", "pg_dump 15.18 from /usr/lib/postgresql/15/bin", None, None),
        point(Outcome::Good, "Room", "88.4 GB free, about 260 MB needed", None, None),
    ];
    if bad {
        points.push(point(
            Outcome::Bad,
            "Reads every table",
            "2 of 31 tables cannot be read by this role",
            Some("run the SQL beside this as the owner"),
            Some("public.salaries\npublic.secret_notes"),
        ));
        points.push(point(
            Outcome::Warning,
            "Row security",
            "1 table has policies; the role does not pass them by",
            None,
            None,
        ));
    } else {
        points.push(point(Outcome::Good, "Reads every table", "31 of 31 tables", None, None));
    }
    Check { at: ago(95), millis: 840, points, failure: None, role_sql: Some(ROLE_SQL.into()) }
}

pub(crate) fn sessions(count: usize) -> Vec<SessionItem> {
    (0..count)
        .map(|index| SessionItem {
            id: cofferdam_model::SessionId::new(),
            current: index == 0,
            created_at: ago(seconds(3600 * (index * 40 + 1))),
            seen_at: ago(seconds(index * 5000)),
            address: Some(format!("192.0.2.{}", index + 10)),
            agent: (index != 2).then(|| {
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".into()
            }),
        })
        .collect()
}

pub(crate) const ROLE_SQL: &str = "CREATE ROLE backup LOGIN PASSWORD 'choose one';\nGRANT CONNECT ON DATABASE shop TO backup;\nGRANT pg_read_all_data TO backup;\nALTER ROLE backup SET default_transaction_read_only = on;";
