//! The check of an archive in the custom format: all of it is read, decompressed
//! and turned into SQL by `pg_restore`, and that SQL is looked through.

use std::{
    io::{Read, Seek},
    process::Command,
    sync::Arc,
};

use cofferdam_artifact::{
    PipeReader, TempArtifact,
    scan::{DumpScanner, ScanReport},
};
use cofferdam_model::{Failure, FailureKind};

use super::{access::offline_command, dump::SHAPE, words};
use crate::{Client, engine::Job, process::Running};

/// Bytes per read.
const BLOCK: usize = 256 * 1024;

/// Reads the archive to its end. `tables` is how many are expected.
pub(super) fn check(
    client: &Client,
    tables: u64,
    job: &Job<'_>,
    temp: &TempArtifact,
) -> Result<ScanReport, Failure> {
    // Its writing is over, so its place in the file may move.
    let file = temp.try_clone_file().and_then(|mut file| file.rewind().map(|()| file));
    let file = file.map_err(|error| {
        Failure::new(FailureKind::Storage, format!("the file could not be read again: {error}"))
    })?;
    let mut command: Command = offline_command(client, "pg_restore");
    command.args(SHAPE).args(["--file", "-"]);
    let stage = Arc::clone(job.stage);
    let mut running = Running::start(command, file.into(), move |line| stage.note(line))?;
    job.stage.works(Some(running.group()));
    let mut output = PipeReader::new(running.output()?);
    let mut scanner = DumpScanner::new();
    let mut block = vec![0; BLOCK];
    let read = loop {
        match output.read(&mut block) {
            Ok(0) => break Ok(()),
            Ok(length) => scanner.feed(&block[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
        job.stage.checked(scanner.tables_done(), tables);
        if job.control.is_stopped() {
            running.group().end();
            break Ok(());
        }
    };
    let ended = running.finish();
    job.stage.works(None);
    job.control.go_on()?;
    read.map_err(|error| {
        Failure::new(FailureKind::Internal, format!("pg_restore could not be listened to: {error}"))
    })?;
    let (status, complaints) = ended?;
    if !status.success() || complaints.lines().any(words::is_error) {
        return Err(words::tool_failed("pg_restore", status, &complaints));
    }
    Ok(scanner.finish())
}
