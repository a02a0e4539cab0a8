//! The pipe that a dump comes through.
//!
//! `pg_dump` writes a few kilobytes at a time. Reading each piece as it comes
//! wakes the reader tens of thousands of times per second, on processors that
//! the dump needs itself. A larger pipe lets the tool run ahead, and a reader
//! that waits for it to fill takes many pieces at once.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::{AsFd, OwnedFd},
    thread,
    time::Duration,
};

/// What Linux allows without privileges by default.
const WANTED: usize = 1 << 20;
/// A read that brings less came too early.
const SMALL: usize = 128 << 10;
/// How long to let the pipe fill. A dump of 500 MB/s fills half of it meanwhile,
/// so that the tool never waits.
const NAP: Duration = Duration::from_millis(1);

/// Asks for a pipe of 1 MiB (usual are 64 KiB) and returns the size it then
/// has. A refusal, say because the user's share of pipe memory is spent, leaves
/// the pipe as it was and is no error.
pub fn enlarge_pipe(pipe: impl AsFd) -> io::Result<usize> {
    let pipe = pipe.as_fd();
    match rustix::pipe::fcntl_setpipe_size(pipe, WANTED) {
        Ok(size) => Ok(size),
        Err(_) => Ok(rustix::pipe::fcntl_getpipe_size(pipe)?),
    }
}

/// A tool's output, read in large pieces. Enlarges the pipe; where that is not
/// allowed, or it is no pipe, it reads like any other file.
#[derive(Debug)]
pub struct PipeReader {
    pipe: File,
    /// The pipe holds so much that letting it fill does not hold up the tool.
    roomy: bool,
    /// The last read came too early.
    early: bool,
}

impl PipeReader {
    /// Reads from `pipe`, say a child's standard output.
    pub fn new(pipe: impl Into<OwnedFd>) -> Self {
        let pipe = File::from(pipe.into());
        let roomy = enlarge_pipe(&pipe).is_ok_and(|size| size >= WANTED);
        Self { pipe, roomy, early: false }
    }
}

impl Read for PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.early && self.roomy {
            thread::sleep(NAP);
        }
        let count = self.pipe.read(buffer)?;
        // A buffer that is nearly full says nothing about the pipe.
        self.early = count < SMALL.min(buffer.len());
        Ok(count)
    }
}
