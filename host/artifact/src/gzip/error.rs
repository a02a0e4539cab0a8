//! What can be wrong with a gzip file.

use std::io;

/// A fault in a gzip file. [`Reader`](super::Reader) gives it inside an
/// [`io::Error`]; [`GzipError::of`] finds it there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GzipError {
    /// The file does not begin with a gzip header.
    #[error("this is not a gzip file")]
    NotGzip,
    /// The file ends inside a member.
    #[error("the file ends too early: it was cut off")]
    Truncated,
    /// Bytes that are not gzip follow the last member.
    #[error("the gzip data is followed by something else")]
    TrailingBytes,
    /// The compressed data, its checksum or its recorded size is wrong.
    #[error("the compressed data is damaged")]
    Damaged,
    /// A member is not as long as its header says.
    #[error("a gzip member does not end where its header says")]
    WrongMemberSize,
}

impl GzipError {
    /// The fault inside `error`, if it is one of these.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Whether the file can be told to be incomplete rather than damaged.
    pub fn is_truncation(&self) -> bool {
        *self == Self::Truncated
    }
}

impl From<GzipError> for io::Error {
    fn from(error: GzipError) -> Self {
        let kind = if error.is_truncation() {
            io::ErrorKind::UnexpectedEof
        } else {
            io::ErrorKind::InvalidData
        };
        Self::new(kind, error)
    }
}
