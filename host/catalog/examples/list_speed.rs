//! Measures the list of backups at 100,000 rows: prints median, 99th
//! percentile and worst of many runs for each kind of page, and the processor
//! time of one, which other programs on the machine do not change.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for people at a terminal")]

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use cofferdam_catalog::{BackupFilter, BackupSort, Catalog, Direction, NewBackup, NewDatabase};
use cofferdam_model::{
    BackupId, BackupOptions, BackupStatus, DatabaseId, Engine, Failure, FailureKind, Format, Level,
    SIDECAR_VERSION, Sidecar, Slug, SourceFacts, TableFacts, Timestamp, Trigger,
};

const ROWS: usize = 100_000;
const RUNS: usize = 200;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    // A path given on the command line keeps the catalog for further runs.
    let path = std::env::args_os()
        .nth(1)
        .map_or_else(|| folder.path().join("catalog.db"), std::path::PathBuf::from);
    let catalog = Catalog::open(path.to_str().unwrap()).await.unwrap();
    let base: Timestamp = DateTime::<Utc>::from_timestamp_millis(1_700_000_000_000).unwrap();
    let started = Instant::now();
    let kept = catalog.databases().await.unwrap();
    let databases = if kept.is_empty() {
        fill(&catalog, base).await
    } else {
        kept.into_iter().map(|database| (database.id, database.slug)).collect()
    };
    println!("{ROWS} rows in {:.1} s", started.elapsed().as_secs_f64());

    println!(
        "{:<28} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "", "median", "p99", "worst", "processor", "total"
    );
    for (name, filter) in &pages(&databases, base) {
        measure(name, async || catalog.backups(filter).await.unwrap().total).await;
    }
    let later = base + TimeDelta::minutes(i64::try_from(ROWS).unwrap());
    measure("stats", async || catalog.backup_stats(later).await.unwrap().total).await;
    measure("damaged", async || catalog.damaged(20).await.unwrap().len() as u64).await;
    measure("overview", async || catalog.databases_overview().await.unwrap().len() as u64).await;
}

async fn measure(name: &str, run: impl AsyncFn() -> u64) {
    let mut times = Vec::with_capacity(RUNS);
    let mut total = 0;
    let before = processor_ms();
    for _ in 0..RUNS {
        let started = Instant::now();
        total = run().await;
        times.push(started.elapsed());
    }
    let processor = (processor_ms() - before) / RUNS as f64;
    times.sort();
    let ms = |d: Duration| d.as_secs_f64() * 1000.0;
    println!(
        "{name:<28} {:>6.2} ms {:>6.2} ms {:>6.2} ms {processor:>6.2} ms {total:>8}",
        ms(times[times.len() / 2]),
        ms(times[times.len() * 99 / 100]),
        ms(times[times.len() - 1]),
    );
}

/// Processor time of this process so far, from `/proc`, in steps of 10 ms.
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = &stat[stat.rfind(')').unwrap() + 2..];
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks = |n: usize| fields[n].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) * 10.0
}

#[allow(clippy::too_many_lines, reason = "a list")]
fn pages(databases: &[(DatabaseId, Slug)], base: Timestamp) -> Vec<(&'static str, BackupFilter)> {
    let all = BackupFilter::default;
    let deep = (ROWS - 100) as u64;
    let text = |text: &str| Some(text.to_owned());
    vec![
        ("first page", all()),
        ("deep page", BackupFilter { offset: deep, ..all() }),
        ("middle page", BackupFilter { offset: deep / 2, ..all() }),
        ("status failed", BackupFilter { status: vec![BackupStatus::Failed], ..all() }),
        ("status completed", BackupFilter { status: vec![BackupStatus::Completed], ..all() }),
        (
            "status completed, deep",
            BackupFilter { status: vec![BackupStatus::Completed], offset: deep * 8 / 10, ..all() },
        ),
        (
            "two statuses",
            BackupFilter { status: vec![BackupStatus::Completed, BackupStatus::Failed], ..all() },
        ),
        ("database", BackupFilter { database_id: Some(databases[3].0), ..all() }),
        ("database by name", BackupFilter { database: Some(databases[3].1.clone()), ..all() }),
        ("trigger", BackupFilter { trigger: Some(Trigger::Scheduled), ..all() }),
        (
            "database, status, trigger",
            BackupFilter {
                database: Some(databases[3].1.clone()),
                status: vec![BackupStatus::Completed],
                trigger: Some(Trigger::Manual),
                ..all()
            },
        ),
        ("text, common", BackupFilter { text: text("shop"), ..all() }),
        ("text, rare", BackupFilter { text: text("run 77777"), ..all() }),
        ("text, nothing", BackupFilter { text: text("zebra"), ..all() }),
        ("text of two letters", BackupFilter { text: text("zq"), ..all() }),
        ("text, common, deep", BackupFilter { text: text("shop"), offset: 9_000, ..all() }),
        (
            "text and status",
            BackupFilter { text: text("shop"), status: vec![BackupStatus::Failed], ..all() },
        ),
        (
            "text and database",
            BackupFilter { text: text("upgrade"), database: Some(databases[3].1.clone()), ..all() },
        ),
        ("by size", BackupFilter { sort: BackupSort::Size, ..all() }),
        ("by size, deep", BackupFilter { sort: BackupSort::Size, offset: deep, ..all() }),
        ("by duration", BackupFilter { sort: BackupSort::Duration, ..all() }),
        (
            "by database",
            BackupFilter {
                sort: BackupSort::Database,
                direction: Direction::Ascending,
                offset: deep / 2,
                ..all()
            },
        ),
        (
            "database, by size",
            BackupFilter {
                database: Some(databases[3].1.clone()),
                sort: BackupSort::Size,
                ..all()
            },
        ),
        (
            "status completed, by size",
            BackupFilter { status: vec![BackupStatus::Completed], sort: BackupSort::Size, ..all() },
        ),
        (
            "a month",
            BackupFilter {
                created_from: Some(base + TimeDelta::days(30)),
                created_until: Some(base + TimeDelta::days(60)),
                ..all()
            },
        ),
    ]
}

/// Ten databases; eight in ten completed, one failed, one cancelled.
async fn fill(catalog: &Catalog, base: Timestamp) -> Vec<(DatabaseId, Slug)> {
    let mut databases = Vec::new();
    let mut tx = catalog.begin().await.unwrap();
    for number in 0..10 {
        let new = NewDatabase {
            slug: Slug::from_name(["shop", "wiki", "crm", "mail"][number % 4]),
            engine: Engine::Postgres,
            summary: "on db.example".to_owned(),
            settings: "{}".to_owned(),
            sealed: None,
        };
        let made = tx.insert_database(&new, base).await.unwrap();
        databases.push((made.id, made.slug));
    }
    for number in 0..ROWS {
        let (id, slug) = &databases[number * 7 % 10];
        let at = base + TimeDelta::minutes(i64::try_from(number).unwrap());
        let trigger = if number % 3 == 0 { Trigger::Manual } else { Trigger::Scheduled };
        if number % 10 < 8 {
            tx.adopt(&sidecar(*id, slug, trigger, number, at), at).await.unwrap();
            continue;
        }
        let new = NewBackup {
            database_id: *id,
            database: slug.clone(),
            engine: Engine::Postgres,
            trigger,
            options: BackupOptions {
                description: format!("run {number}").parse().unwrap(),
                ..BackupOptions::default()
            },
            created_by: "anna".to_owned(),
            labels: Vec::new(),
            destinations: None,
        };
        let made = tx.insert_backup(&new, at).await.unwrap();
        if number % 10 == 8 {
            tx.request_cancel(made.id, at).await.unwrap();
        } else {
            let job = tx.lease_next("w", at, TimeDelta::minutes(1), 2).await.unwrap().unwrap();
            let failure = Failure::new(FailureKind::Connection, "the server closed the connection")
                .detail("pg_dump: error: connection to server lost\n".repeat(5));
            tx.finish_failed(made.id, job.fence, &failure, at).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    databases
}

fn sidecar(
    database_id: DatabaseId,
    database: &Slug,
    trigger: Trigger,
    number: usize,
    at: Timestamp,
) -> Sidecar {
    let tables = (0..20).map(|n| TableFacts {
        name: format!("public.table_{n}"),
        rows: 1000 * n,
        offset: 100_000 * n,
        length: 99_000,
    });
    Sidecar {
        format_version: SIDECAR_VERSION,
        id: BackupId::new(),
        database_id,
        database: database.clone(),
        engine: Engine::Postgres,
        filename: format!("backup_{database}_{}.sql.gz", at.format("%Y%m%d_%H%M%S")),
        format: Format::Plain,
        level: Level::DEFAULT,
        trigger,
        description: format!("run {number} before the upgrade"),
        created_by: "anna".to_owned(),
        created_at: at,
        started_at: at,
        completed_at: at + TimeDelta::seconds(i64::try_from(number % 977).unwrap()),
        size_bytes: (number as u64 * 7919) % 1_000_003,
        raw_bytes: 4_000_000,
        sha256: "ab".repeat(32),
        tool_version: Some("pg_dump (PostgreSQL) 15.18".to_owned()),
        pinned: number.is_multiple_of(100),
        labels: vec!["nightly".parse().unwrap()],
        drop_section_end: Some(4096),
        tables: tables.collect(),
        source: SourceFacts::default(),
    }
}
