//! The look at a database before a backup, for its page and for each run.

use std::path::PathBuf;

use cofferdam_artifact::Folder;
use cofferdam_model::{Connection, Failure, FailureKind};
use serde::Serialize;

use crate::{Clients, Control, engine, space};

/// What kind of thing stands in the way, or deserves a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// No installed client is new enough for the server. Blocks.
    ClientTooOld,
    /// The client has known holes against hostile servers and dumps. A warning.
    ClientBelowFloor,
    /// The role may not read something that the dump needs. Blocks.
    Unreadable,
    /// Row-level security would hide rows from the role. Blocks.
    RowSecurity,
    /// The file may not fit into the backup folder. Blocks.
    Space,
}

impl ProblemKind {
    /// Whether a run would be refused for it.
    #[must_use]
    pub fn blocks(self) -> bool {
        !matches!(self, Self::ClientBelowFloor)
    }

    /// The kind of failure that a run ends with.
    pub(crate) fn failure_kind(self) -> FailureKind {
        match self {
            Self::ClientTooOld | Self::ClientBelowFloor => FailureKind::Client,
            Self::Unreadable | Self::RowSecurity => FailureKind::Privilege,
            Self::Space => FailureKind::Space,
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// For programs.
    pub kind: ProblemKind,
    /// What was found, in a failure's style: no capital at the start, no full stop at the end.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Problem {
    /// The finding as the outcome of a run.
    pub(crate) fn failure(&self) -> Failure {
        let failure = Failure::new(self.kind.failure_kind(), self.text.clone());
        match &self.hint {
            Some(hint) => failure.hint(hint.clone()),
            None => failure,
        }
    }
}

/// What a look at the database found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preflight {
    /// `PostgreSQL 15.18`, say.
    pub server_version: Option<String>,
    /// The tool that a run would use: `pg_dump (PostgreSQL) 15.18`, say.
    pub tool_version: Option<String>,
    /// Where that tool is.
    pub tool_path: Option<PathBuf>,
    /// Why that tool and no other, in one sentence.
    pub tool_reason: Option<String>,
    /// The database's size on its server.
    pub size_bytes: u64,
    /// Tables with data of their own (partitions count each).
    pub tables: u64,
    /// The room that a run asks for before it starts; a guess on the safe side.
    pub needed_bytes: u64,
    /// The room there is in the backup folder.
    pub free_bytes: u64,
    /// Everything that blocks or deserves a look; empty is good.
    pub problems: Vec<Problem>,
    /// What the role cannot read, as SQL names, all of it.
    pub unreadable: Vec<String>,
    /// SQL that makes a role with no more rights than a backup needs.
    pub role_sql: Option<String>,
}

impl Preflight {
    /// Whether a run could start now.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        !self.problems.iter().any(|problem| problem.kind.blocks())
    }
}

/// Looks at a database without changing anything on it. Takes as long as a
/// few catalog queries; each has a time limit. `keep_free_bytes` is the run's
/// ([`crate::Limits`]): the look promises no room that a run would refuse.
///
/// # Errors
/// Only where the database cannot be looked at: it cannot be reached, refuses
/// the password, or its settings do not fit. Everything else is a [`Problem`].
pub fn check(
    connection: &Connection,
    clients: &Clients,
    folder: &Folder,
    keep_free_bytes: u64,
    control: &Control,
) -> Result<Preflight, Failure> {
    let survey = engine::open(connection, clients, None)?.survey(control)?;
    let free_bytes = space::free(folder)?;
    let mut problems = survey.problems;
    problems.extend(space::problem(survey.needed_bytes, free_bytes, keep_free_bytes));
    Ok(Preflight {
        server_version: survey.server_version,
        tool_version: survey.tool_version,
        tool_path: survey.tool_path,
        tool_reason: survey.tool_reason,
        size_bytes: survey.size_bytes,
        tables: survey.tables.len() as u64,
        needed_bytes: survey.needed_bytes,
        free_bytes,
        problems,
        unreadable: survey.unreadable,
        role_sql: survey.role_sql,
    })
}
