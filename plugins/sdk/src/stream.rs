//! Streams of bytes, and how they are passed on.

use std::io;

use crate::{
    Failure, Result,
    bindings::imports::wasi::io::streams::{InputStream, OutputStream, StreamError},
};

/// How much is asked for at a time.
const CHUNK: u64 = 1 << 20;

/// Bytes that come from somewhere.
#[derive(Debug)]
pub struct Input(pub(crate) InputStream);

/// Bytes that go somewhere.
#[derive(Debug)]
pub struct Output(pub(crate) OutputStream);

impl Input {
    /// All of it, if it is no more than `limit` bytes; otherwise its beginning.
    pub fn read_up_to(&self, limit: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < limit {
            let wanted = u64::try_from(limit - bytes.len()).unwrap_or(CHUNK).min(64 << 10);
            match self.0.blocking_read(wanted) {
                Ok(more) => bytes.extend(more),
                Err(StreamError::Closed) => break,
                Err(error) => return Err(failure("reading", &error)),
            }
        }
        Ok(bytes)
    }
}

impl Input {
    /// Leaves out exactly `length` bytes, which do not enter the component's memory.
    pub fn skip(&self, length: u64) -> Result<()> {
        let mut left = length;
        while left > 0 {
            let most = left.min(CHUNK);
            left -= self.0.blocking_skip(most).map_err(|error| failure("reading", &error))?;
        }
        Ok(())
    }
}

impl Output {
    /// Passes on exactly `length` bytes of `from`; fewer, where one of the two
    /// ended before. Returns how many.
    pub fn splice(&self, from: &Input, length: u64) -> Result<u64> {
        let mut passed = 0;
        while passed < length {
            match self.0.blocking_splice(&from.0, CHUNK.min(length - passed)) {
                Ok(bytes) => passed += bytes,
                Err(StreamError::Closed) => break,
                Err(error) => return Err(failure("passing bytes on", &error)),
            }
        }
        Ok(passed)
    }

    /// Passes on exactly `length` bytes of `from` and waits until they are taken.
    /// Fewer are a failure that may pass: a connection was lost, most likely.
    pub fn pass_on(&self, from: &Input, length: u64) -> Result<()> {
        let passed = self.splice(from, length)?;
        if passed == length {
            return self.flush();
        }
        Err(Failure::temporary(format!("only {passed} of {length} bytes came through")))
    }

    /// Writes all of it. Where nobody takes it any more, an error.
    pub fn write(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            self.0.subscribe().block();
            let room = self.0.check_write().map_err(|error| failure("writing", &error))?;
            let length = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            let (now, rest) = bytes.split_at(length);
            self.0.write(now).map_err(|error| failure("writing", &error))?;
            bytes = rest;
        }
        Ok(())
    }

    /// Waits until everything has been taken.
    pub fn flush(&self) -> Result<()> {
        self.0.blocking_flush().map_err(|error| failure("writing", &error))
    }
}

fn failure(doing: &str, error: &StreamError) -> Failure {
    match error {
        StreamError::Closed => Failure::temporary(format!("{doing}: the other side closed")),
        StreamError::LastOperationFailed(error) => {
            Failure::temporary(format!("{doing}: {}", error.to_debug_string()))
        }
    }
}

impl io::Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let length = u64::try_from(buffer.len()).unwrap_or(CHUNK).min(CHUNK);
        loop {
            match self.0.blocking_read(length) {
                // The stream has not ended, so this must not look like its end.
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    buffer[..bytes.len()].copy_from_slice(&bytes);
                    return Ok(bytes.len());
                }
                Err(StreamError::Closed) => return Ok(0),
                Err(error) => return Err(io::Error::other(failure("reading", &error).message())),
            }
        }
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Output::write(self, bytes).map_err(|error| io::Error::other(error.message()))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Output::flush(self).map_err(|error| io::Error::other(error.message()))
    }
}
