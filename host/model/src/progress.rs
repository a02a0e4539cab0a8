//! How far a run has come.

use serde::{Deserialize, Serialize};

/// The steps of a run, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Phase {
    /// In the queue.
    #[default]
    Waiting,
    /// Pre-flight checks: versions, privileges, sizes, space.
    Preparing,
    /// The dump streams by.
    Dumping,
    /// The dump has ended; it is being checked.
    Checking,
    /// Flushed, named, recorded.
    Publishing,
    /// Over, one way or the other.
    Done,
}

impl Phase {
    /// As written in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Preparing => "preparing",
            Self::Dumping => "dumping",
            Self::Checking => "checking",
            Self::Publishing => "publishing",
            Self::Done => "done",
        }
    }
}

/// A snapshot of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// Which step.
    pub phase: Phase,
    /// The table that is streaming by, as the dump writes its name.
    pub table: Option<String>,
    /// Tables whose data is through.
    pub tables_done: u64,
    /// Tables in all, once known.
    pub tables_total: Option<u64>,
    /// Bytes read from the dump tool.
    pub raw_bytes: u64,
    /// Bytes of the file that are finished; a follower may read up to here.
    pub written_bytes: u64,
    /// Raw bytes per second over the last few seconds.
    pub bytes_per_second: u64,
    /// 0 to below 100 while it runs, never falling; 100 only when the file has its name.
    pub percent: Option<f64>,
    /// Seconds left, where they can be told.
    pub seconds_left: Option<u64>,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LogLevel {
    /// As expected.
    Info,
    /// Worth a look.
    Warning,
    /// It failed here.
    Error,
}

impl LogLevel {
    /// As written in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One line of a backup's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// When.
    pub at: chrono::DateTime<chrono::Utc>,
    /// How much it matters.
    pub level: LogLevel,
    /// One line of plain text, control characters already taken out.
    pub text: String,
}
