//! Listing backups: the statements behind a filter, and running them.

use crate::{
    BackupFilter, BackupPage, BackupSort, Catalog, Direction, Result, backups,
    cells::{Cells, ms},
    sql::{Statement, contains},
};

impl BackupFilter {
    /// The text to look for, if there is any.
    fn searched(&self) -> Option<&str> {
        self.text.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// Whether walking one wide index in its order beats gathering by a
    /// coarse condition such as a status: when a text is looked for, or when
    /// sorted by something that the index of statuses does not know.
    fn walks(&self) -> bool {
        self.searched().is_some()
            || (matches!(self.sort, BackupSort::Size | BackupSort::Duration)
                && self.database.is_none()
                && self.database_id.is_none())
    }

    fn conditions(&self, statement: &mut Statement) {
        // An expression in place of a column keeps an engine from choosing that column's index.
        let walks = self.walks();
        let either = |walking, plain| if walks { walking } else { plain };
        if !self.status.is_empty() {
            statement
                .condition(either("status || '' IN ", "status IN "))
                .texts(self.status.iter().map(|s| s.as_str()));
        }
        if let Some(id) = self.database_id {
            statement.condition("database_id = ").text(id.to_string());
        }
        if let Some(slug) = &self.database {
            statement
                .condition(either("database_slug || '' = ", "database_slug = "))
                .text(slug.as_str());
        }
        if let Some(trigger) = self.trigger {
            statement
                .condition(either("trigger_kind || '' = ", "trigger_kind = "))
                .text(trigger.as_str());
        }
        if let Some(from) = self.created_from {
            statement.condition("created_at >= ").int(ms(from));
        }
        if let Some(until) = self.created_until {
            statement.condition("created_at < ").int(ms(until));
        }
        // Last, because it takes longest.
        if let Some(text) = self.searched() {
            statement.condition("search LIKE ").text(contains(&text.to_lowercase()));
            statement.push(" ESCAPE '\\'");
        }
    }

    /// How many fit, and with a text also the moments between which they lie.
    pub(crate) fn count(&self) -> Statement {
        let mut statement = Statement::new(if self.searched().is_some() {
            "SELECT count(*) AS n, coalesce(min(created_at), 0) AS first, \
             coalesce(max(created_at), 0) AS last FROM backups"
        } else if self.created_from.is_some() || self.created_until.is_some() {
            "SELECT count(*) AS n, 0 AS first, 0 AS last FROM backups"
        } else {
            // All other conditions are on columns by which backups are counted as they change.
            "SELECT CAST(coalesce(sum(backups), 0) AS BIGINT) AS n, 0 AS first, 0 AS last \
             FROM backup_counts"
        });
        // Sorting means nothing to a count.
        let unsorted = Self { sort: BackupSort::Created, ..self.clone() };
        unsorted.conditions(&mut statement);
        statement
    }

    /// The page's identifiers are found in an index first; only the rows of
    /// the page are read whole.
    ///
    /// `within` are the moments of the oldest and the newest backup that fit;
    /// they spare a search for a rare text the walk over all others.
    pub(crate) fn page(&self, within: (i64, i64)) -> Statement {
        let order = match (self.sort, self.direction) {
            (BackupSort::Created, Direction::Ascending) => " ORDER BY created_at, id",
            (BackupSort::Created, Direction::Descending) => " ORDER BY created_at DESC, id DESC",
            (BackupSort::Size, Direction::Ascending) => " ORDER BY size_order, id",
            (BackupSort::Size, Direction::Descending) => " ORDER BY size_order DESC, id DESC",
            (BackupSort::Duration, Direction::Ascending) => " ORDER BY duration_order, id",
            (BackupSort::Duration, Direction::Descending) => {
                " ORDER BY duration_order DESC, id DESC"
            }
            (BackupSort::Database, Direction::Ascending) => {
                " ORDER BY database_slug, created_at, id"
            }
            (BackupSort::Database, Direction::Descending) => {
                " ORDER BY database_slug DESC, created_at DESC, id DESC"
            }
        };
        let mut statement = Statement::new(backups::SELECT);
        statement.push(" WHERE id IN (SELECT id FROM backups");
        self.conditions(&mut statement);
        if self.searched().is_some() {
            statement.condition("created_at >= ").int(within.0);
            statement.condition("created_at <= ").int(within.1);
        }
        statement.push(order).push(" LIMIT ").int(self.limit.into());
        statement.push(" OFFSET ").int(i64::try_from(self.offset).unwrap_or(i64::MAX));
        statement.push(")").push(order);
        statement
    }
}

impl Catalog {
    /// A page of the list.
    pub async fn backups(&self, filter: &BackupFilter) -> Result<BackupPage> {
        let mut conn = self.reader().await?;
        let row = filter.count().one(&mut conn).await?;
        let cells = Cells::new("backups", &row);
        let total = cells.size("n")?;
        // Past the end there is nothing to look for.
        let rows = if filter.offset < total && filter.limit > 0 {
            let within = (cells.int("first")?, cells.int("last")?);
            filter.page(within).all(&mut conn).await?
        } else {
            Vec::new()
        };
        Ok(BackupPage { backups: rows.iter().map(backups::backup).collect::<Result<_>>()?, total })
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_model::{BackupStatus, DatabaseId, Slug, Trigger};

    use super::*;

    /// Every list is found through an index; no plan walks the table itself.
    #[tokio::test]
    async fn every_list_is_found_in_an_index() {
        for filter in filters() {
            for statement in [filter.count(), filter.page((0, i64::MAX))] {
                let plan = statement.plan().await;
                for step in plan.iter().filter(|step| step.contains("backups")) {
                    assert!(step.contains("USING"), "{filter:?}: {plan:#?}");
                }
            }
        }
    }

    fn filters() -> Vec<BackupFilter> {
        let all = BackupFilter::default;
        let mut filters = vec![
            all(),
            BackupFilter { status: vec![BackupStatus::Completed], ..all() },
            BackupFilter { database_id: Some(DatabaseId::new()), ..all() },
            BackupFilter { database: Some(Slug::from_name("shop")), ..all() },
            BackupFilter { trigger: Some(Trigger::Api), ..all() },
            BackupFilter { text: Some("shop".to_owned()), ..all() },
        ];
        for sort in [BackupSort::Size, BackupSort::Duration, BackupSort::Database] {
            filters.push(BackupFilter { sort, ..all() });
            filters.push(BackupFilter { sort, direction: Direction::Ascending, ..all() });
        }
        filters
    }
}
