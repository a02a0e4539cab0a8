//! The audit log: append-only, each entry chained to the one before it.
//!
//! An entry's hash is SHA-256 over its fields in this order: `prev_hash`,
//! `seq`, `id`, `at`, `actor`, `actor_kind`, `action`, `object_kind`,
//! `object_id`, `object_name`, `outcome`, `remote`, `details`. Each field is
//! written as its length in bytes (eight bytes, big endian) and its bytes;
//! numbers are their decimal digits, `at` is milliseconds since 1970, an
//! absent field is the length 2^64-1 and nothing else. So no two different
//! entries have the same encoding. The first entry's `prev_hash` is 32 zero
//! bytes.
//!
//! The chain shows that an entry was changed, or removed from the middle.
//! Entries removed from the end show only against a hash that was kept
//! elsewhere ([`ChainReport::last_hash`]).

use cofferdam_model::{AuditId, Timestamp};
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;

use crate::{
    Catalog, Digest, Error, Result, Tx,
    cells::{Cells, ms, to_json},
    sql::{Statement, contains},
};

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

impl AuditRecord {
    /// What the hash of this entry must be. The encoding stands at the top of this module.
    fn computed_hash(&self) -> Digest {
        let mut hasher = Sha256::new();
        let mut field = |bytes: Option<&[u8]>| {
            let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
            hasher.update(length.to_be_bytes());
            hasher.update(bytes.unwrap_or_default());
        };
        field(Some(self.prev_hash.as_bytes()));
        field(Some(self.seq.to_string().as_bytes()));
        field(Some(self.id.to_string().as_bytes()));
        field(Some(ms(self.at).to_string().as_bytes()));
        field(Some(self.actor.name.as_bytes()));
        field(Some(self.actor.kind.as_str().as_bytes()));
        field(Some(self.action.as_bytes()));
        field(self.object_kind.as_deref().map(str::as_bytes));
        field(self.object_id.as_deref().map(str::as_bytes));
        field(self.object_name.as_deref().map(str::as_bytes));
        field(Some(self.outcome.as_str().as_bytes()));
        field(self.actor.remote.as_deref().map(str::as_bytes));
        field(Some(self.details.as_bytes()));
        <[u8; 32]>::from(hasher.finalize()).into()
    }
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only this actor.
    pub actor: Option<String>,
    /// Only actions that are this word or begin with it and a dot: `backup`, `backup.create`.
    pub action: Option<String>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only entries about the thing with this identifier.
    pub object_id: Option<String>,
    /// Only entries with this text in actor, action, object name, remote address or details.
    pub text: Option<String>,
    /// Only from this moment on.
    pub from: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
    /// At most so many entries.
    pub limit: u32,
    /// After so many entries.
    pub offset: u64,
}

/// A page of the log, newest first.
#[derive(Debug, Clone)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditRecord>,
    /// How many fit the filter in all.
    pub total: u64,
}

/// Where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainFault {
    /// The first entry that does not fit; where one is missing, its place.
    pub seq: i64,
    /// What is wrong there.
    pub reason: String,
}

/// What walking the chain showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainReport {
    /// Entries that fit, from the first on.
    pub checked: u64,
    /// The hash of the last entry that fits. Kept elsewhere, it shows whether
    /// later ones were cut off.
    pub last_hash: Option<Digest>,
    /// The first fault, if any.
    pub fault: Option<ChainFault>,
}

const COLUMNS: &str = "SELECT seq, id, at, actor, actor_kind, action, object_kind, object_id, \
 object_name, outcome, remote, details, prev_hash, hash FROM audit";

fn record(row: &AnyRow) -> Result<AuditRecord> {
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

impl AuditFilter {
    fn conditions(&self, statement: &mut Statement) {
        if let Some(actor) = &self.actor {
            statement.condition("actor = ").text(actor);
        }
        if let Some(action) = &self.action {
            // `backup.` up to, and without, `backup/`: `/` follows `.`.
            statement.condition("(action = ").text(action);
            statement.push(" OR (action >= ").text(format!("{action}."));
            statement.push(" AND action < ").text(format!("{action}/")).push("))");
        }
        if let Some(outcome) = self.outcome {
            statement.condition("outcome = ").text(outcome.as_str());
        }
        if let Some(object_id) = &self.object_id {
            statement.condition("object_id = ").text(object_id);
        }
        if let Some(text) = &self.text {
            statement.condition(
                "lower(actor || ' ' || action || ' ' || coalesce(object_name, '') || ' ' \
                 || coalesce(remote, '') || ' ' || details) LIKE ",
            );
            statement.text(contains(&text.to_lowercase())).push(" ESCAPE '\\'");
        }
        if let Some(from) = self.from {
            statement.condition("at >= ").int(ms(from));
        }
        if let Some(until) = self.until {
            statement.condition("at < ").int(ms(until));
        }
    }
}

impl Catalog {
    /// A page of the log, newest first.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<AuditPage> {
        let mut conn = self.reader().await?;
        let mut count = Statement::new("SELECT count(*) AS n FROM audit");
        filter.conditions(&mut count);
        let mut page = Statement::new(COLUMNS);
        filter.conditions(&mut page);
        page.push(" ORDER BY seq DESC LIMIT ").int(filter.limit.into());
        page.push(" OFFSET ").int(i64::try_from(filter.offset).unwrap_or(i64::MAX));
        let total = Cells::new("audit", &count.one(&mut conn).await?).size("n")?;
        let rows = page.all(&mut conn).await?;
        Ok(AuditPage { entries: rows.iter().map(record).collect::<Result<_>>()?, total })
    }

    /// Up to `limit` entries after place `after` (0 for the beginning), oldest
    /// first: for export and for walking the chain.
    pub async fn audit_after(&self, after: i64, limit: u32) -> Result<Vec<AuditRecord>> {
        let mut page = Statement::new(COLUMNS);
        page.condition("seq > ").int(after).push(" ORDER BY seq LIMIT ").int(limit.into());
        let rows = page.all(&mut *self.reader().await?).await?;
        rows.iter().map(record).collect()
    }

    /// Walks the whole chain, in bounded memory.
    pub async fn verify_audit(&self) -> Result<ChainReport> {
        let mut report = ChainReport { checked: 0, last_hash: None, fault: None };
        let mut expected = (1, Digest::from([0; 32]));
        let mut page = 1000;
        loop {
            let entries = match self.audit_after(expected.0 - 1, page).await {
                // Some entry of this page does not even convert: go on one by one, to name it.
                Err(Error::Row { .. }) if page > 1 => {
                    page = 1;
                    continue;
                }
                Err(Error::Row { column, reason, .. }) => {
                    let reason = format!("the entry is unreadable: {column}: {reason}");
                    report.fault = Some(ChainFault { seq: expected.0, reason });
                    return Ok(report);
                }
                other => other?,
            };
            if entries.is_empty() {
                return Ok(report);
            }
            for entry in entries {
                if let Some(reason) = fault_of(&entry, expected) {
                    report.fault = Some(ChainFault { seq: expected.0, reason: reason.to_owned() });
                    return Ok(report);
                }
                expected = (entry.seq + 1, entry.hash);
                report.checked += 1;
                report.last_hash = Some(entry.hash);
            }
        }
    }
}

fn fault_of(entry: &AuditRecord, (seq, prev_hash): (i64, Digest)) -> Option<&'static str> {
    if entry.seq != seq {
        Some("an entry is missing")
    } else if entry.prev_hash != prev_hash {
        Some("the entry does not follow the one before it")
    } else if entry.computed_hash() != entry.hash {
        Some("the entry was changed")
    } else {
        None
    }
}

impl Tx {
    /// Appends an entry to the chain.
    pub async fn audit(&mut self, new: &NewAudit, now: Timestamp) -> Result<AuditId> {
        let last = sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
            .fetch_optional(self.conn())
            .await?;
        let (seq, prev_hash) = match last {
            None => (1, Digest::from([0; 32])),
            Some(row) => {
                let cells = Cells::new("audit", &row);
                let hash = Digest::try_from(cells.bytes("hash")?);
                (cells.int("seq")? + 1, hash.map_err(|reason| cells.bad("hash", reason))?)
            }
        };
        let mut entry = AuditRecord {
            seq,
            id: AuditId::new(),
            at: now,
            actor: new.actor.clone(),
            action: new.action.clone(),
            object_kind: new.object_kind.clone(),
            object_id: new.object_id.clone(),
            object_name: new.object_name.clone(),
            outcome: new.outcome,
            details: to_json(&new.details)?,
            prev_hash,
            hash: prev_hash,
        };
        entry.hash = entry.computed_hash();
        sqlx::query(
            "INSERT INTO audit (seq, id, at, actor, actor_kind, action, object_kind, object_id, \
             object_name, outcome, remote, details, prev_hash, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(entry.seq)
        .bind(entry.id.to_string())
        .bind(ms(entry.at))
        .bind(entry.actor.name)
        .bind(entry.actor.kind.as_str())
        .bind(entry.action)
        .bind(entry.object_kind)
        .bind(entry.object_id)
        .bind(entry.object_name)
        .bind(entry.outcome.as_str())
        .bind(entry.actor.remote)
        .bind(entry.details)
        .bind(entry.prev_hash.as_bytes().as_slice())
        .bind(entry.hash.as_bytes().as_slice())
        .execute(self.conn())
        .await?;
        Ok(entry.id)
    }
}
