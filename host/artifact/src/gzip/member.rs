//! One member: its header, its compression, its decompression.

use std::io::Read;

use cofferdam_model::Level;
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use memchr::memmem;

use super::{GzipError, MAX_MEMBER, huffman, literals};

/// Length of the header that this crate writes.
pub(super) const HEADER: usize = 20;
/// CRC-32 and uncompressed size, four bytes each.
pub(super) const TRAILER: usize = 8;
/// The shortest deflate stream is two bytes.
const SHORTEST: usize = HEADER + 2 + TRAILER;

/// The header up to the member's size: magic, deflate, FEXTRA, time 0, no
/// hint, unknown system, 8 bytes of extra field, subfield `CD` of 4 bytes.
const START: [u8; 16] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, b'C', b'D', 4, 0];

/// The size of the member that `header` begins, or `None` when the header is
/// not one of ours or claims a size that ours never have.
pub(super) fn member_size(header: &[u8]) -> Option<usize> {
    let (start, rest) = header.split_at_checked(START.len())?;
    // Time, hint and system do not matter to a reader.
    if start[..4] != START[..4] || start[10..] != START[10..] {
        return None;
    }
    let size = u32::from_le_bytes(*rest.first_chunk()?);
    usize::try_from(size).ok().filter(|size| (SHORTEST..=MAX_MEMBER).contains(size))
}

/// The uncompressed size that a member's trailer records.
pub(super) fn recorded_size(member: &[u8]) -> Option<u32> {
    member.last_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// Makes members. Holds the compressor's tables, so keep one per thread.
pub(crate) struct MemberEncoder {
    compressor: Compressor,
    choice: literals::Choice,
}

impl MemberEncoder {
    pub(crate) fn new(level: Level) -> Self {
        // libdeflate knows 1 to 12; 1 to 9 mean about the same as in gzip.
        let level = CompressionLvl::new(level.get().into()).unwrap_or_default();
        Self { compressor: Compressor::new(level), choice: literals::Choice::default() }
    }

    /// Compresses `raw` into `out`, which grows to the worst case once and
    /// keeps its size; returns the member's length.
    pub(crate) fn encode(&mut self, raw: &[u8], out: &mut Vec<u8>) -> usize {
        let bound = HEADER + self.compressor.deflate_compress_bound(raw.len()) + TRAILER;
        if out.len() < bound {
            // Asked for as zeroed memory, untouched pages cost nothing.
            *out = vec![0; bound];
        }
        let end = out.len() - TRAILER;
        let body = self.deflate(raw, &mut out[HEADER..end]);
        let size = HEADER + body + TRAILER;
        let low = |number: usize| u32::try_from(number).expect("a block is small").to_le_bytes();
        out[..START.len()].copy_from_slice(&START);
        out[START.len()..HEADER].copy_from_slice(&low(size));
        let trailer = &mut out[HEADER + body..size];
        trailer[..4].copy_from_slice(&libdeflater::crc32(raw).to_le_bytes());
        trailer[4..].copy_from_slice(&low(raw.len()));
        size
    }

    fn deflate(&mut self, raw: &[u8], out: &mut [u8]) -> usize {
        if self.choice.literals_only(raw, &mut self.compressor)
            && let Some(size) = huffman::encode(raw, out)
        {
            return size;
        }
        let size = self.compressor.deflate_compress(raw, out);
        let size = size.expect("the compressor's own bound is enough");
        self.choice.searched(raw, size);
        size
    }
}

/// Reads members that are whole in memory. Keep one per thread.
pub(super) struct MemberDecoder {
    decompressor: Decompressor,
}

impl MemberDecoder {
    pub(super) fn new() -> Self {
        Self { decompressor: Decompressor::new() }
    }

    /// Decompresses `member` into `raw` and returns the length. Succeeds only
    /// if `member` is one whole member from its first to its last byte.
    pub(super) fn decode(&mut self, member: &[u8], raw: &mut Vec<u8>) -> Result<usize, GzipError> {
        let size = recorded_size(member).ok_or(GzipError::Truncated)?;
        let size = usize::try_from(size).map_err(|_| GzipError::Damaged)?;
        if size > MAX_MEMBER {
            return Err(GzipError::Damaged);
        }
        if raw.len() < size {
            *raw = vec![0; size];
        }
        let written = self.decompressor.gzip_decompress(member, &mut raw[..size]);
        if written != Ok(size) {
            return Err(GzipError::Damaged);
        }
        // The decompressor has checked the trailer behind the data, wherever
        // the data ended, and ignores what follows. The claimed end is the true
        // one if the trailer's bytes occur there only.
        let trailer = &member[member.len() - TRAILER..];
        match memmem::find(&member[HEADER..], trailer) {
            Some(at) if HEADER + at + TRAILER == member.len() => Ok(size),
            _ if ends_exactly(member) => Ok(size),
            _ => Err(GzipError::WrongMemberSize),
        }
    }
}

/// Whether the first member in `bytes` takes all of them. Slower, and exact.
fn ends_exactly(bytes: &[u8]) -> bool {
    let mut decoder = flate2::bufread::GzDecoder::new(bytes);
    std::io::copy(&mut decoder.by_ref(), &mut std::io::sink()).is_ok()
        && decoder.into_inner().is_empty()
}
