//! Why a run did not succeed.

use serde::{Deserialize, Serialize};

/// The kinds of failure that somebody decides on: what is tried again, what
/// the page advises, what a test expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FailureKind {
    /// The dump tool said no, or ended early.
    Tool,
    /// No bytes came for as long as the stall limit allows.
    Stall,
    /// The run took longer than it may.
    Timeout,
    /// There is no room, or it ran out.
    Space,
    /// The console was stopped or killed while the run went on.
    Interrupted,
    /// The role may not read everything.
    Privilege,
    /// The server cannot be reached, or closed the connection.
    Connection,
    /// The server refused the name or the password.
    Authentication,
    /// No installed client can dump this server.
    Client,
    /// The disk failed.
    Storage,
    /// The settings of the database do not fit.
    Settings,
    /// Somebody cancelled it. The record's status is then `cancelled`, not `failed`.
    Cancelled,
    /// A fault of Cofferdam itself.
    Internal,
}

impl FailureKind {
    /// As written in JSON and the catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Stall => "stall",
            Self::Timeout => "timeout",
            Self::Space => "space",
            Self::Interrupted => "interrupted",
            Self::Privilege => "privilege",
            Self::Connection => "connection",
            Self::Authentication => "authentication",
            Self::Client => "client",
            Self::Storage => "storage",
            Self::Settings => "settings",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    /// All kinds, for tables and tests.
    pub const ALL: [Self; 13] = [
        Self::Tool,
        Self::Stall,
        Self::Timeout,
        Self::Space,
        Self::Interrupted,
        Self::Privilege,
        Self::Connection,
        Self::Authentication,
        Self::Client,
        Self::Storage,
        Self::Settings,
        Self::Cancelled,
        Self::Internal,
    ];
}

impl std::str::FromStr for FailureKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("unknown kind of failure {text:?}"))
    }
}

/// A failure as its reader sees it. No secret is ever in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// For programs.
    pub kind: FailureKind,
    /// What happened and what it means: one or two plain sentences, lower
    /// case at the start and without a full stop at the end.
    pub message: String,
    /// What to do, in the same style. Shown after `HINT:`.
    pub hint: Option<String>,
    /// The tool's own words, untouched but for secrets; may have several lines.
    pub detail: Option<String>,
}

impl Failure {
    /// A failure without advice.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, detail: None }
    }

    /// With advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the tool's own words.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        self.detail = (!detail.trim().is_empty()).then_some(detail);
        self
    }
}
