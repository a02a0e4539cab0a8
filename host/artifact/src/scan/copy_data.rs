//! The rows between `COPY … FROM stdin;` and the line `\.`.

use memchr::{memchr, memchr_iter, memmem};

/// How much of a possible end line has been seen. Only a line that is exactly
/// `\.` ends the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Start,
    Backslash,
    BackslashDot,
    /// This line cannot be the end line any more.
    Inside,
}

/// Counts rows up to the end line.
#[derive(Debug, Clone)]
pub(super) struct CopyData {
    line: Line,
    /// Lines that have ended, the end line not among them.
    pub(super) rows: u64,
    /// Bytes of those lines and of the one that has begun.
    pub(super) bytes: u64,
}

impl CopyData {
    pub(super) fn new() -> Self {
        Self { line: Line::Start, rows: 0, bytes: 0 }
    }

    /// Takes bytes from `block`; `Some(n)` when the data ended and its end line
    /// took the block's first `n` bytes up, `None` when all of it is data.
    pub(super) fn feed(&mut self, block: &[u8], end: &memmem::Finder<'_>) -> Option<usize> {
        let begun = self.bytes;
        let mut at = 0;
        // A line that might be the end line and reached into this block.
        while self.line != Line::Inside {
            let &byte = block.get(at)?;
            at += 1;
            self.bytes += 1;
            self.line = match (self.line, byte) {
                (Line::Start, b'\\') => Line::Backslash,
                (Line::Backslash, b'.') => Line::BackslashDot,
                (Line::BackslashDot, b'\n') => {
                    self.bytes -= 3;
                    return Some(at);
                }
                (_, b'\n') => {
                    self.rows += 1;
                    Line::Start
                }
                _ => Line::Inside,
            };
        }
        let rest = &block[at..];
        let Some(found) = end.find(rest) else {
            self.rows += count_lines(rest);
            self.bytes = begun + block.len() as u64;
            self.line = match rest {
                [.., b'\n', b'\\', b'.'] => Line::BackslashDot,
                [.., b'\n', b'\\'] => Line::Backslash,
                [.., b'\n'] => Line::Start,
                _ => Line::Inside,
            };
            return None;
        };
        // The newline that the needle begins with belongs to the last row.
        self.rows += count_lines(&rest[..=found]);
        self.bytes = begun + (at + found + 1) as u64;
        Some(at + found + END.len())
    }
}

/// The end line, with the newline before it.
pub(super) const END: &[u8] = b"\n\\.\n";

fn count_lines(bytes: &[u8]) -> u64 {
    // A short rest is common in small tables; the counting loop is not worth setting up.
    if memchr(b'\n', bytes).is_none() { 0 } else { memchr_iter(b'\n', bytes).count() as u64 }
}
