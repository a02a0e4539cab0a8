//! The chain: appending to it, and proving it.
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

use super::entry::{AuditRecord, NewAudit};
use crate::{
    Catalog, Digest, Error, Result, Tx,
    cells::{Cells, ms, to_json},
};

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

impl Catalog {
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
