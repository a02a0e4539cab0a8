//! SQLite, in this process.

use std::{
    io::{self, BufWriter, Read},
    path::PathBuf,
    sync::Arc,
    thread,
};

use cofferdam_artifact::{Copied, Encoding, PipeReader, TempArtifact, copy, default_workers};
use cofferdam_model::{
    Failure, FailureKind, Format, Phase, SourceFacts, SqliteConnection, TableFacts,
};
use cofferdam_sqlite_dump::{DumpError, DumpObserver, DumpSummary, Snapshot, TRAILER, TableKind};
use serde_json::{Value, json};

use super::{Dumped, Engine, Job, Survey, TableSize};
use crate::{
    Control,
    observer::Journal,
    source::{Guarded, copy_failed},
    stage::Stage,
};

/// The text in gzip against the file: half is rarely passed.
const SHRINKS: u64 = 2;
const LEAST: u64 = 1024 * 1024;

/// An SQLite file.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
}

/// Why the custom format is refused.
pub(super) fn no_custom_format() -> Failure {
    Failure::new(FailureKind::Settings, "an SQLite database is backed up in the plain format only")
        .hint("choose the plain format")
}

impl Sqlite {
    pub(super) fn open(connection: &SqliteConnection) -> Self {
        Self { path: connection.path.clone() }
    }

    fn snapshot(&self) -> Result<Snapshot, Failure> {
        if !self.path.is_absolute() {
            return Err(Failure::new(
                FailureKind::Settings,
                format!("the path {} is not absolute", self.path.display()),
            )
            .hint("give the whole path of the database file, beginning with /"));
        }
        Snapshot::open(&self.path).map_err(|error| failure(&error))
    }
}

impl Engine for Sqlite {
    fn survey(&self, _: &Control) -> Result<Survey, Failure> {
        let snapshot = self.snapshot()?;
        let size = snapshot.total_bytes();
        let tables = snapshot.tables().map_err(|error| failure(&error))?;
        let tables = tables.into_iter().filter(|table| table.kind != TableKind::Virtual);
        Ok(Survey {
            server_version: Some(format!("SQLite {}", Snapshot::version())),
            tool_version: Some(format!("Cofferdam's SQLite reader {}", env!("CARGO_PKG_VERSION"))),
            size_bytes: size,
            tables: tables
                .map(|table| TableSize {
                    plain: table.name.clone(),
                    name: quoted(&table.name),
                    bytes: 0,
                })
                .collect(),
            expected_raw: Some(size),
            needed_bytes: size / SHRINKS + LEAST,
            ..Survey::default()
        })
    }

    fn facts(&self, survey: &Survey, _: &Control) -> Result<SourceFacts, Failure> {
        Ok(SourceFacts { server_version: survey.server_version.clone(), document: Value::Null })
    }

    fn dump(&self, job: &Job<'_>, temp: &mut TempArtifact) -> Result<Dumped, Failure> {
        debug_assert_eq!(job.format, Format::Plain);
        let snapshot = self.snapshot()?;
        let (reader, writer) = io::pipe().map_err(|error| {
            Failure::new(FailureKind::Internal, format!("a pipe could not be made: {error}"))
        })?;
        let mut ears = Ears {
            stage: Arc::clone(job.stage),
            control: job.control.clone(),
            tables: Vec::new(),
            began: 0,
        };
        let mut source = Tail::new(Guarded::new(PipeReader::new(reader), job.control));
        let (written, copied) = thread::scope(|scope| {
            let dumping = scope.spawn(|| {
                let mut out = BufWriter::with_capacity(256 * 1024, writer);
                let written = snapshot.dump(&mut out, &mut ears);
                // The snapshot, and with it the hold on the database, ends here.
                drop(snapshot);
                written.and_then(|summary| {
                    io::Write::flush(&mut out).map_err(DumpError::Write)?;
                    Ok(summary)
                })
            });
            let encoding = Encoding::Gzip { level: job.level, workers: default_workers() };
            let copied = copy(&mut source, temp, encoding, false, job.meter);
            // Whoever writes into the pipe must learn that nobody reads it any more.
            let last = source.close();
            (dumping.join(), copied.map(|copied| (copied, last)))
        });
        job.control.go_on()?;
        let (copied, last) = copied.map_err(|error| copy_failed(&error))?;
        job.stage.enter(Phase::Checking);
        let summary = match written {
            Ok(written) => written.map_err(|error| failure(&error))?,
            Err(_) => {
                return Err(Failure::new(FailureKind::Internal, "the SQLite reader broke down"));
            }
        };
        whole(&copied, &last, summary)?;
        Ok(Dumped {
            raw_bytes: copied.raw_bytes,
            copied,
            tables: ears.tables,
            drop_section_end: None,
            // Whoever restores it must let the script write the schema.
            document: summary.edits_schema.then(|| json!({ "edits_schema": true })),
        })
    }

    fn what_holds_it(&self, _: &Control) -> Option<String> {
        None
    }

    fn clear_up(&self, _: Journal<'_>) {}
}

/// The reader's own count, the bytes that arrived, and the last line must agree.
fn whole(copied: &Copied, last: &[u8], summary: DumpSummary) -> Result<(), Failure> {
    let ends = last.strip_suffix(b"\n").is_some_and(|text| text.ends_with(TRAILER.as_bytes()));
    if ends && summary.bytes == copied.raw_bytes {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Internal,
        format!(
            "the dump is not whole: {} bytes were written and {} arrived",
            summary.bytes, copied.raw_bytes
        ),
    ))
}

/// Listens to the dump: notes each table, and passes on that the run was stopped.
struct Ears {
    stage: Arc<Stage>,
    control: Control,
    tables: Vec<TableFacts>,
    began: u64,
}

impl DumpObserver for Ears {
    fn table_started(&mut self, name: &str, offset: u64) {
        self.began = offset;
        self.stage.table_begins(&quoted(name));
    }

    fn table_finished(&mut self, name: &str, rows: u64, offset_end: u64) {
        let length = offset_end.saturating_sub(self.began);
        self.tables.push(TableFacts { name: quoted(name), rows, offset: self.began, length });
        self.stage.table_ends();
    }

    fn check_moved(&mut self) {
        self.stage.goes_on();
    }

    fn keep_going(&mut self) -> bool {
        !self.control.is_stopped()
    }
}

/// A name as the dump writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A reader that remembers the last bytes that passed.
struct Tail<R> {
    inner: Option<R>,
    last: Vec<u8>,
}

impl<R> Tail<R> {
    /// Enough for the last line.
    const KEPT: usize = 2 * TRAILER.len();

    fn new(inner: R) -> Self {
        Self { inner: Some(inner), last: Vec::new() }
    }

    /// Closes the source, and gives the last bytes.
    fn close(&mut self) -> Vec<u8> {
        self.inner = None;
        std::mem::take(&mut self.last)
    }
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(inner) = &mut self.inner else { return Ok(0) };
        let count = inner.read(buffer)?;
        let new = &buffer[count.saturating_sub(Self::KEPT)..count];
        self.last.extend_from_slice(new);
        let surplus = self.last.len().saturating_sub(Self::KEPT);
        self.last.drain(..surplus);
        Ok(count)
    }
}

/// The reader's errors, each with the kind that fits.
fn failure(error: &DumpError) -> Failure {
    let kind = match error {
        DumpError::NotFound { .. }
        | DumpError::NotAFile { .. }
        | DumpError::NotADatabase { .. } => FailureKind::Settings,
        DumpError::CannotOpen { .. } | DumpError::WalNotReadable { .. } => FailureKind::Privilege,
        DumpError::Locked { .. } => FailureKind::Stall,
        DumpError::Write(_) => FailureKind::Internal,
        DumpError::Cancelled => FailureKind::Cancelled,
        DumpError::Read { .. } => FailureKind::Storage,
        _ => FailureKind::Tool,
    };
    let failure = Failure::new(kind, error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
