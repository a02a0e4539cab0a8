//! How a call ends.

use std::time::Duration;

use crate::{Failure, LimitBroken};

/// A call's result, and what the call used.
#[derive(Debug)]
pub struct Outcome<T> {
    /// What came out.
    pub result: Result<T, CallError>,
    /// What it used, however it ended.
    pub usage: Usage,
}

/// What a call has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// From the call to its end.
    pub wall: Duration,
    /// Computing, to some ten milliseconds.
    pub cpu: Duration,
    /// The largest size of all linear memories together.
    pub memory_bytes: u64,
    /// Bytes of requests and mails that went out over the network.
    pub sent: u64,
    /// Bytes of answers that came in.
    pub received: u64,
    /// Bytes of the backup's file that were read, or written to the sink.
    pub file_bytes: u64,
}

/// Why a call has no result. Each text is a sentence for the administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The component says so.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// It was stopped.
    #[error(transparent)]
    Limit(#[from] LimitBroken),
    /// It ended itself.
    #[error("the plugin crashed: {message}")]
    Trap {
        /// What went wrong, in the runtime's words.
        message: String,
        /// Which functions it was in, innermost first, one per line.
        backtrace: String,
    },
    /// It says that it has succeeded, and that is not so.
    #[error(transparent)]
    Contract(#[from] Breach),
    /// The backup's file has changed since it was made. Nobody was handed its
    /// last byte, or the outcome does not count.
    #[error(
        "the backup's file is damaged: its SHA-256 is not the one that it had when it was made"
    )]
    Damaged,
    /// The console could not do its own part.
    #[error("{0}")]
    Host(String),
}

/// A promise of the contract that a component did not keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// It reports success without having read the file to its end.
    #[error(
        "the plugin reports success, but read only {read} of the file's {size} bytes: the delivery does not count"
    )]
    Unread {
        /// Different bytes that were read.
        read: u64,
        /// The file's size.
        size: u64,
    },
    /// It reports another number of stored bytes than the file has.
    #[error(
        "the plugin reports {stored} stored bytes, but the file has {size}: the delivery does not count"
    )]
    Stored {
        /// What it reports.
        stored: u64,
        /// The file's size.
        size: u64,
    },
    /// It reports success without having written what was asked for.
    #[error("the plugin reports success, but wrote {written} bytes where {wanted} were asked for")]
    Fetched {
        /// What went to the sink.
        written: u64,
        /// What was asked for.
        wanted: u64,
    },
    /// It reports success without having opened the sink.
    #[error("the plugin reports success, but handed over nothing at all")]
    Unopened,
    /// It has written more than was asked for, or more than it said there is.
    #[error("the plugin was stopped: it wrote more than the {wanted} bytes that were to come")]
    Overrun {
        /// What was asked for.
        wanted: u64,
    },
    /// An answer that the contract does not allow.
    #[error("the plugin's answer is not what the contract allows: {0}")]
    Answer(String),
    /// It has no such function.
    #[error("the plugin is not a {0}")]
    Role(&'static str),
}

impl CallError {
    /// Whether the same call may well succeed later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Failure(failure) => matches!(failure, Failure::Temporary { .. }),
            Self::Limit(limit) => limit.is_temporary(),
            Self::Host(_) => true,
            Self::Trap { .. } | Self::Contract(_) | Self::Damaged => false,
        }
    }

    /// How long the other side asked to wait, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failure(Failure::Temporary { retry_after, .. }) => *retry_after,
            _ => None,
        }
    }
}
