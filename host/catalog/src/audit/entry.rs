//! Entries: who did what to which thing, and how it ended.

use cofferdam_model::{AuditId, Timestamp};
use sqlx::any::AnyRow;

use crate::{Digest, Result, cells::Cells};

/// What kind of actor did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// A person in a browser.
    User,
    /// A program with a bearer token.
    Token,
    /// The command line on this machine.
    Cli,
    /// Cofferdam itself: schedules, reconciliation, retention.
    System,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Allowed,
    /// It was refused.
    Denied,
    /// It was tried and did not succeed.
    Failed,
}

macro_rules! stored {
    ($name:ident { $($variant:ident = $word:literal),+ }) => {
        impl $name {
            /// As written in JSON and the catalog.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> std::result::Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("not one of {}", [$($word),+].join(", "))),
                }
            }
        }
    };
}

stored!(ActorKind { User = "user", Token = "token", Cli = "cli", System = "system" });
stored!(Outcome { Allowed = "allowed", Denied = "denied", Failed = "failed" });

/// Who did it, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The user's name, the token's name, or `system`.
    pub name: String,
    /// What kind.
    pub kind: ActorKind,
    /// The remote address, where there is one.
    pub remote: Option<String>,
}

impl Actor {
    /// Cofferdam itself.
    #[must_use]
    pub fn system() -> Self {
        Self { name: "system".to_owned(), kind: ActorKind::System, remote: None }
    }
}

/// An entry to be written.
#[derive(Debug, Clone)]
pub struct NewAudit {
    /// Who did it.
    pub actor: Actor,
    /// What was done, in two words: `backup.create`.
    pub action: String,
    /// What kind of thing it was done to: `backup`, `database`, `user` …
    pub object_kind: Option<String>,
    /// The thing's identifier.
    pub object_id: Option<String>,
    /// The thing's name, for people.
    pub object_name: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// More, as JSON. No secret is ever in it.
    pub details: serde_json::Value,
}

impl NewAudit {
    /// An entry about nothing in particular, such as a sign-in.
    #[must_use]
    pub fn new(actor: Actor, action: impl Into<String>, outcome: Outcome) -> Self {
        Self {
            actor,
            action: action.into(),
            object_kind: None,
            object_id: None,
            object_name: None,
            outcome,
            details: serde_json::Value::Null,
        }
    }

    /// About this thing.
    #[must_use]
    pub fn object(
        mut self,
        kind: impl Into<String>,
        id: impl std::fmt::Display,
        name: impl Into<String>,
    ) -> Self {
        self.object_kind = Some(kind.into());
        self.object_id = Some(id.to_string());
        self.object_name = Some(name.into());
        self
    }

    /// With more to know.
    #[must_use]
    pub fn details(mut self, details: serde_json::Value) -> Self {
        self.details = details;
        self
    }
}

/// An entry as recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// Its place in the chain, from 1, without gaps.
    pub seq: i64,
    /// Its identifier.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub object_kind: Option<String>,
    /// To which one.
    pub object_id: Option<String>,
    /// Its name then.
    pub object_name: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// More, as JSON text, exactly as it was hashed.
    pub details: String,
    /// The hash of the entry before.
    pub prev_hash: Digest,
    /// The hash of this one.
    pub hash: Digest,
}

pub(super) const COLUMNS: &str = "SELECT seq, id, at, actor, actor_kind, action, object_kind, object_id, \
 object_name, outcome, remote, details, prev_hash, hash FROM audit";

pub(super) fn record(row: &AnyRow) -> Result<AuditRecord> {
    let cells = Cells::new("audit", row);
    let digest =
        |column| Digest::try_from(cells.bytes(column)?).map_err(|reason| cells.bad(column, reason));
    Ok(AuditRecord {
        seq: cells.int("seq")?,
        id: cells.parse("id")?,
        at: cells.time("at")?,
        actor: Actor {
            name: cells.text("actor")?,
            kind: cells.parse("actor_kind")?,
            remote: cells.opt_text("remote")?,
        },
        action: cells.text("action")?,
        object_kind: cells.opt_text("object_kind")?,
        object_id: cells.opt_text("object_id")?,
        object_name: cells.opt_text("object_name")?,
        outcome: cells.parse("outcome")?,
        details: cells.text("details")?,
        prev_hash: digest("prev_hash")?,
        hash: digest("hash")?,
    })
}
