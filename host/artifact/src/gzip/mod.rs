//! Gzip in independent members.
//!
//! Each block of [`BLOCK`] uncompressed bytes is a gzip member of its own, so
//! that blocks can be compressed and decompressed in parallel and a reader can
//! enter in the middle. Every gzip program reads such a file: RFC 1952 says that
//! members simply follow each other.
//!
//! To let a reader find the members without decompressing, each header carries
//! one extra subfield (RFC 1952, 2.3.1.1) with the identifier `C`, `D` and four
//! bytes of data: the size of the whole member, header and trailer included, as
//! a little-endian `u32`. Programs that do not know the subfield skip it. The
//! modification time is 0 and the operating system 255 (unknown), so that equal
//! input gives equal output.

mod error;
mod huffman;
mod literals;
mod member;
mod reader;
mod split;
mod walk;

pub use error::GzipError;
pub(crate) use member::MemberEncoder;
pub use reader::Reader;

/// Uncompressed bytes in each member but the last.
pub const BLOCK: usize = 1 << 20;

/// The largest member, compressed or not, that is read in one piece. Larger
/// ones cannot come from this crate's writer; they are streamed like any other gzip.
pub(crate) const MAX_MEMBER: usize = 4 << 20;
