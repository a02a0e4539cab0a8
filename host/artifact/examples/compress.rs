//! `pg_dump shop | compress FOLDER [LEVEL [WORKERS]]`: a plain dump from
//! standard input becomes a published backup in FOLDER; for measuring the
//! pipeline against others. With the level `stored` the bytes are written as they come,
//! with `scan` in place of the folder they are only scanned.
#![allow(clippy::print_stderr)] // It is a command-line program.

use std::{error::Error, io, num::NonZeroUsize, os::fd::AsFd, path::Path, time::Instant};

use cofferdam_artifact::{
    Encoding, Folder, Meter, PipeReader, artifact_filename, copy, default_workers, scan,
};
use cofferdam_model::{
    BackupId, DatabaseId, Engine, Format, Level, SIDECAR_VERSION, Sidecar, SourceFacts, Trigger,
};

fn main() -> Result<(), Box<dyn Error>> {
    #[cfg(feature = "failpoints")]
    let _faults = cofferdam_artifact::faults::setup();
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: compress FOLDER [LEVEL [WORKERS]]")?;
    let level = arguments.next();
    let workers = arguments.next().map_or(Ok(default_workers()), |n| n.parse::<NonZeroUsize>())?;
    let began = Instant::now();
    // Standard input as Rust has it copies every byte through a buffer of its own.
    let source = PipeReader::new(io::stdin().as_fd().try_clone_to_owned()?);
    if folder == "scan" {
        let report = scan::scan(source)?;
        speed(report.raw_bytes, began);
        return Ok(());
    }
    let (encoding, scan) = match level.as_deref() {
        Some("stored") => (Encoding::Stored, false),
        level => {
            let level = level.map_or(Ok(Level::DEFAULT), str::parse::<Level>)?;
            (Encoding::Gzip { level, workers }, true)
        }
    };
    let (folder, _) = Folder::create(Path::new(&folder))?;
    let id = BackupId::new();
    let mut temp = folder.begin(id)?;
    let copied = copy(source, &mut temp, encoding, scan, &Meter::new())?;
    let copying = began.elapsed();
    let (now, slug) = (std::time::SystemTime::now().into(), "stdin".parse()?);
    let published =
        temp.publish(&artifact_filename(&slug, now, Format::Plain), |filename| Sidecar {
            format_version: SIDECAR_VERSION,
            id,
            database_id: DatabaseId::new(),
            database: slug.clone(),
            engine: Engine::Postgres,
            filename: filename.to_owned(),
            format: Format::Plain,
            level: Level::DEFAULT,
            trigger: Trigger::Cli,
            description: String::new(),
            created_by: String::new(),
            created_at: now,
            started_at: now,
            completed_at: now,
            size_bytes: copied.size_bytes,
            raw_bytes: copied.raw_bytes,
            sha256: copied.sha256.clone(),
            tool_version: None,
            pinned: false,
            labels: Vec::new(),
            drop_section_end: copied.scan.as_ref().and_then(|scan| scan.drop_section_end),
            tables: copied.scan.as_ref().map(|scan| scan.tables.clone()).unwrap_or_default(),
            source: SourceFacts::default(),
        })?;
    let complete = copied.scan.as_ref().is_some_and(|scan| scan.complete);
    eprintln!(
        "{}: {} bytes, {} tables, complete: {complete}, flushed in {:.2} s",
        published.filename,
        published.size_bytes,
        published.sidecar.tables.len(),
        began.elapsed().saturating_sub(copying).as_secs_f64()
    );
    speed(copied.raw_bytes, began);
    Ok(())
}

fn speed(bytes: u64, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    eprintln!("{bytes} bytes in {seconds:.2} s: {:.0} MB/s", bytes as f64 / 1e6 / seconds);
}
