//! Output with a buffer and a count.

use std::io::Write;

use crate::DumpError;

/// Bytes collected before they are handed on.
const BUFFER: usize = 256 * 1024;

/// Collects the dump's bytes and hands them on in large pieces.
pub(crate) struct Sink<'a> {
    out: &'a mut dyn Write,
    buffer: Vec<u8>,
    handed_on: u64,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, buffer: Vec::with_capacity(BUFFER + BUFFER / 4), handed_on: 0 }
    }

    /// Bytes of the dump so far.
    pub(crate) fn offset(&self) -> u64 {
        self.handed_on + self.buffer.len() as u64
    }

    /// Where to append. Call [`Sink::relieve`] after each piece of bounded
    /// size, so that the buffer stays bounded too.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Appends a text of any length.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), DumpError> {
        self.buffer.extend_from_slice(text.as_bytes());
        self.relieve()
    }

    /// Hands the buffer on if it is full.
    pub(crate) fn relieve(&mut self) -> Result<(), DumpError> {
        if self.buffer.len() < BUFFER { Ok(()) } else { self.hand_on() }
    }

    /// Hands everything on.
    pub(crate) fn finish(mut self) -> Result<u64, DumpError> {
        self.hand_on()?;
        self.out.flush().map_err(DumpError::Write)?;
        Ok(self.handed_on)
    }

    fn hand_on(&mut self) -> Result<(), DumpError> {
        self.out.write_all(&self.buffer).map_err(DumpError::Write)?;
        self.handed_on += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
