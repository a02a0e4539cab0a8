//! Listing the log.

use cofferdam_model::Timestamp;

use super::entry::{AuditRecord, COLUMNS, Outcome, record};
use crate::{
    Catalog, Result,
    cells::{Cells, ms},
    sql::{Statement, contains},
};

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
}
