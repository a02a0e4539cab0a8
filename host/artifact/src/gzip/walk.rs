//! Finding the member that holds a raw offset, by reading headers and
//! trailers only.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
};

use super::member::{HEADER, TRAILER, member_size};

/// Where to enter a file: seek to `position`, then skip `skip` raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) position: u64,
    pub(super) skip: u64,
}

/// Walks from member to member up to the one that holds `raw_offset`. Stops
/// early at whatever is not one of our members: from there on somebody has to
/// decompress, and finds out what it is.
pub(super) fn find(file: &File, raw_offset: u64) -> io::Result<Entry> {
    let length = file.metadata()?.len();
    let mut entry = Entry { position: 0, skip: raw_offset };
    // One read gives a member's trailer and the next one's header.
    let mut window = [0; TRAILER + HEADER];
    let mut header = window.len() - HEADER;
    let mut filled = header + read_up_to(file, &mut window[header..], 0)?;
    while entry.skip > 0 {
        let Some(size) = member_size(&window[header..filled]) else { break };
        let end = entry.position + size as u64;
        if end > length {
            break;
        }
        filled = read_up_to(file, &mut window, end - TRAILER as u64)?;
        header = TRAILER;
        let Some(raw) = window[..filled].get(4..8).and_then(|bytes| bytes.first_chunk::<4>())
        else {
            break;
        };
        let raw = u64::from(u32::from_le_bytes(*raw));
        if raw > entry.skip {
            break;
        }
        entry = Entry { position: end, skip: entry.skip - raw };
    }
    Ok(entry)
}

/// Fills as much of `buffer` as the file has from `offset` on.
fn read_up_to(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads a file from a place of its own. Other handles of the same open file
/// share one position; two readers of one file would pull it from each other.
pub(super) struct Positioned {
    pub(super) file: File,
    pub(super) position: u64,
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
