//! Measures backups of one PostgreSQL database against `pg_dump > /dev/null`
//! in the same session: `measure <host> <port> <database> [rounds]`.

use std::{
    env, fs,
    io::{Write, stdout},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use chrono::Utc;
use cofferdam_artifact::Folder;
use cofferdam_backup::{Clients, Control, Limits, Observer, Run, run};
use cofferdam_model::{
    BackupId, BackupOptions, Connection, DatabaseId, Failure, Format, LogLine, PostgresConnection,
    Progress, SslMode, Trigger,
};

/// Remembers the most memory that this process itself held, in KiB.
#[derive(Default)]
struct Peak(AtomicU64);

impl Observer for Peak {
    fn progress(&self, _: &Progress) {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        self.0.fetch_max(kib.unwrap_or(0), Ordering::Relaxed);
    }

    fn log(&self, _: LogLine) {}

    fn before_publish(&self) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, dbname, rest @ ..] = arguments.as_slice() else {
        return Err("measure <host> <port> <database> [rounds]".into());
    };
    let rounds: usize = rest.first().map_or(Ok(3), |text| text.parse())?;
    let connection = Connection::Postgres(PostgresConnection {
        host: host.clone(),
        port: port.parse()?,
        dbname: dbname.clone(),
        user: "postgres".to_owned(),
        password: None,
        sslmode: SslMode::Disable,
        sslrootcert: None,
    });
    let clients = Clients::discover(None);
    let root = tempfile::tempdir()?;
    let (folder, _) = Folder::create(root.path())?;
    let peak = Peak::default();
    let mut alone = Vec::new();
    let mut whole = Vec::new();
    let mut sizes = (0, 0);
    for _ in 0..=rounds {
        let begin = Instant::now();
        Command::new(clients.newest()?.program("pg_dump"))
            .args(["-h", host, "-p", port, "-U", "postgres", dbname])
            .args(["--no-owner", "--no-acl", "--clean", "--if-exists"])
            .stdout(Stdio::null())
            .status()?;
        alone.push(begin.elapsed());
        let begin = Instant::now();
        let sidecar = run(&a_run(&connection)?, &folder, &clients, &Control::new(), &peak)?;
        whole.push(begin.elapsed());
        sizes = (sidecar.raw_bytes, sidecar.size_bytes);
        folder.remove(&sidecar.filename)?;
    }
    let (alone, whole) = (median(&mut alone), median(&mut whole));
    writeln!(
        stdout(),
        "pg_dump > /dev/null {alone:.2?}, run {whole:.2?}, ratio {:.3}; {} MB raw, {} MB file; peak RssAnon {} KiB",
        whole.as_secs_f64() / alone.as_secs_f64(),
        sizes.0 / 1_000_000,
        sizes.1 / 1_000_000,
        peak.0.load(Ordering::Relaxed)
    )?;
    Ok(())
}

fn a_run(connection: &Connection) -> Result<Run<'_>, Box<dyn std::error::Error>> {
    Ok(Run {
        id: BackupId::new(),
        database_id: DatabaseId::new(),
        database: "measured".parse()?,
        connection,
        options: BackupOptions { format: Format::Plain, ..BackupOptions::default() },
        trigger: Trigger::Cli,
        created_by: "measure".to_owned(),
        created_at: Utc::now(),
        pinned: false,
        labels: Vec::new(),
        limits: Limits { whole: None, stall: Duration::from_mins(10), keep_free_bytes: 0 },
    })
}

/// The median, the first round left out: it warms the caches.
fn median(times: &mut Vec<Duration>) -> Duration {
    times.remove(0);
    times.sort_unstable();
    times[times.len() / 2]
}
