//! What a child says on standard error: read to its end, kept in little memory.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read},
};

use crate::observer::plain_line;

/// Of one line, no more than this is kept; the rest is read and dropped.
const LINE: usize = 4 * 1024;
/// Of all lines, the first ones up to this size are kept…
const HEAD: usize = 16 * 1024;
/// …and the last ones up to this size.
const TAIL: usize = 16 * 1024;

/// The first and the last lines that a child wrote to standard error, without
/// control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Complaints {
    head: Vec<String>,
    head_size: usize,
    tail: VecDeque<String>,
    tail_size: usize,
    dropped: u64,
}

impl Complaints {
    fn push(&mut self, line: String) {
        if self.tail.is_empty() && self.dropped == 0 && self.head_size + line.len() <= HEAD {
            self.head_size += line.len() + 1;
            self.head.push(line);
            return;
        }
        self.tail_size += line.len() + 1;
        self.tail.push_back(line);
        while self.tail_size > TAIL {
            let Some(oldest) = self.tail.pop_front() else { break };
            self.tail_size -= oldest.len() + 1;
            self.dropped += 1;
        }
    }

    /// The lines that were kept, first to last.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.head.iter().chain(&self.tail).map(String::as_str)
    }

    /// All that was kept as one text; says how many lines were not.
    pub(crate) fn text(&self) -> String {
        let mut lines = self.head.clone();
        if self.dropped > 0 {
            lines.push(format!("… {} lines left out …", self.dropped));
        }
        lines.extend(self.tail.iter().cloned());
        lines.join("\n")
    }
}

/// Reads to the end, passing each line on and keeping what [`Complaints`] keeps.
/// An error of the pipe ends the reading; what was read stands.
pub(crate) fn read_complaints(pipe: impl Read, mut heard: impl FnMut(&str)) -> Complaints {
    let mut complaints = Complaints::default();
    let mut pipe = BufReader::with_capacity(LINE, pipe);
    while let Ok(Some(line)) = next_line(&mut pipe) {
        let line = plain_line(&line);
        // libpq adds this to a refusal; the file is ours and tells nobody anything.
        let noise = line.trim_start().starts_with("password retrieved from file ");
        if !line.is_empty() && !noise {
            heard(&line);
            complaints.push(line);
        }
    }
    complaints
}

/// The next line, cut at [`LINE`] bytes; `None` at the end.
fn next_line(pipe: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = pipe.by_ref().take(LINE as u64).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        pipe.skip_until(b'\n')?;
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_keeps_its_first_and_last_lines_and_little_memory() {
        let flood = format!("first\n{}last", "noise\n".repeat(100_000));
        let mut heard = 0_u64;
        let complaints = read_complaints(flood.as_bytes(), |_| heard += 1);
        assert_eq!(heard, 100_002);
        let text = complaints.text();
        assert!(text.starts_with("first\n") && text.ends_with("\nlast"));
        assert!(text.contains(" lines left out "));
        assert!(text.len() < HEAD + TAIL + 100);
    }

    #[test]
    fn one_endless_line_is_cut() {
        let text = format!("{}\nafter", "x".repeat(1_000_000));
        let complaints = read_complaints(text.as_bytes(), |_| {});
        let lines: Vec<&str> = complaints.lines().collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].len(), lines[1]), (LINE, "after"));
    }

    #[test]
    fn escape_sequences_are_taken_out() {
        let complaints = read_complaints(&b"a\x1b[2Jb\r\n\xff\n"[..], |_| {});
        assert_eq!(complaints.text(), "a\u{fffd}[2Jb\n\u{fffd}");
    }
}
