//! `pg_dump`, from its command line to a dump that is known to be whole.

use std::{
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use cofferdam_artifact::{
    Copied, Encoding, PipeReader, TempArtifact, copy, default_workers, scan::ScanReport,
};
use cofferdam_model::{Failure, FailureKind, Format, Phase};

use super::{
    Found,
    access::Access,
    archive,
    held::{self, Held},
    words,
};
use crate::{
    Client,
    engine::{Dumped, Job},
    process::Running,
    source::{Guarded, copy_failed},
    stage::Stage,
};

/// After the stall limit has ended the run, `pg_dump` would give up its wait
/// for a lock by itself this much later: should the console be killed
/// meanwhile, nothing waits for ever.
const LOCK_MARGIN: Duration = Duration::from_secs(10);

/// What every dump is told: the rights stay behind, and each object is dropped
/// first when it is restored over an older one.
pub(super) const SHAPE: [&str; 4] = ["--no-owner", "--no-acl", "--clean", "--if-exists"];

/// Dumps the database into the file.
pub(super) fn dump(
    access: &Access,
    found: &Found,
    held: Option<Held>,
    job: &Job<'_>,
    temp: &mut TempArtifact,
) -> Result<Dumped, Failure> {
    let client = access.clients.for_server(found.major)?;
    let mut command = command(access, client, found, job);
    if let Some(held) = &held {
        command.arg(held::argument(held)?);
    }
    let copied = stream(command, job, temp)?;
    drop(held);
    // The last table that the tool named is through as well.
    job.stage.table_ends();
    job.stage.enter(Phase::Checking);
    match job.format {
        Format::Plain => plain(copied),
        Format::Custom => {
            job.journal.info("reading the archive again with pg_restore to check it");
            let report = archive::check(client, found.tables, job, temp)?;
            whole(&report)?;
            Ok(Dumped {
                copied,
                raw_bytes: report.raw_bytes,
                tables: report.tables,
                drop_section_end: report.drop_section_end,
                document: None,
            })
        }
    }
}

/// Runs `pg_dump` and copies its output. Success means that it said nothing
/// of an error and ended with status 0.
fn stream(command: Command, job: &Job<'_>, temp: &mut TempArtifact) -> Result<Copied, Failure> {
    let mut running = Running::start(command, Stdio::null(), listen(job))?;
    job.stage.works(Some(running.group()));
    let output = running.output()?;
    let encoding = match job.format {
        Format::Plain => Encoding::Gzip { level: job.level, workers: default_workers() },
        Format::Custom => Encoding::Stored,
    };
    let source = Guarded::new(PipeReader::new(output), job.control);
    let copied = copy(source, temp, encoding, job.format == Format::Plain, job.meter);
    if copied.is_err() {
        // It still writes into a pipe that nobody reads, or waits for the server.
        running.group().end();
    }
    let ended = running.finish();
    job.stage.works(None);
    job.control.go_on()?;
    // A copy that failed by itself is the cause, and the tool's end its consequence.
    let copied = copied.map_err(|error| copy_failed(&error))?;
    let (status, complaints) = ended?;
    if !status.success() || complaints.lines().any(words::is_error) {
        return Err(words::tool_failed("pg_dump", status, &complaints));
    }
    Ok(copied)
}

fn command(access: &Access, client: &Client, found: &Found, job: &Job<'_>) -> Command {
    let mut command = access.command(client, "pg_dump");
    command.args(SHAPE).arg("--no-password");
    let wait = job.stall.saturating_add(LOCK_MARGIN).as_millis().min(i32::MAX as u128);
    command.arg(format!("--lock-wait-timeout={wait}"));
    match job.format {
        Format::Plain => command.arg("--format=plain"),
        Format::Custom => command
            .arg("--format=custom")
            .arg(format!("--compress={}", job.level.get()))
            // It names each table as it begins; the archive's bytes do not show it.
            .arg("--verbose"),
    };
    if !found.conforming {
        // Backslashes in strings would otherwise mean something else than the
        // scanner takes them for. Set only where it must be: some poolers
        // refuse any such option.
        command.env("PGOPTIONS", "-c standard_conforming_strings=on");
    }
    command
}

/// What is done with each line that `pg_dump` writes to standard error:
/// warnings, and whatever explains them, go to the log as they come. Errors
/// are kept for the failure.
fn listen(job: &Job<'_>) -> impl FnMut(&str) + Send + 'static {
    let stage: Arc<Stage> = Arc::clone(job.stage);
    let verbose = job.format == Format::Custom;
    let mut in_error = false;
    move |line| {
        if let Some(table) = words::table_begins(line) {
            return stage.table_begins(table);
        }
        let chatter = words::is_chatter(line);
        if chatter || words::is_error(line) {
            in_error = !chatter;
        }
        if !in_error && (!chatter || !verbose || words::is_warning(line)) {
            stage.note(line);
        }
    }
}

fn plain(copied: Copied) -> Result<Dumped, Failure> {
    let report = copied.scan.clone().unwrap_or_default();
    whole(&report)?;
    if report.raw_bytes != copied.raw_bytes {
        return Err(Failure::new(
            FailureKind::Internal,
            format!(
                "{} bytes were read from the dump, and {} looked through",
                copied.raw_bytes, report.raw_bytes
            ),
        ));
    }
    Ok(Dumped {
        raw_bytes: report.raw_bytes,
        tables: report.tables,
        drop_section_end: report.drop_section_end,
        copied,
        document: None,
    })
}

fn whole(report: &ScanReport) -> Result<(), Failure> {
    if report.complete {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Tool,
        "the dump ends without its completion mark, so it is not whole, although pg_dump \
         reported success",
    )
    .hint("start the backup again; if it happens again, look into the server's log"))
}
