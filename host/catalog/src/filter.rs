//! Listing backups: filters, sorting, paging.

use cofferdam_model::{Backup, BackupStatus, DatabaseId, Slug, Timestamp, Trigger};

use crate::{
    Catalog, Result, backups,
    cells::{Cells, ms},
    sql::{Statement, contains},
};

/// What a list is sorted by. Equal ones follow their identifiers, so that no
/// row is on two pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackupSort {
    /// When it was asked for.
    #[default]
    Created,
    /// The file's size; without a file, the smallest.
    Size,
    /// How long the run took; unfinished ones, the shortest.
    Duration,
    /// The database's short name.
    Database,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Smallest, oldest, `a` first.
    Ascending,
    /// Largest, newest, `z` first.
    #[default]
    Descending,
}

/// What to list. The default lists everything, newest first, 25 to a page.
#[derive(Debug, Clone)]
pub struct BackupFilter {
    /// Only these statuses; empty means all.
    pub status: Vec<BackupStatus>,
    /// Only of this database.
    pub database_id: Option<DatabaseId>,
    /// Only of databases that had this short name.
    pub database: Option<Slug>,
    /// Only with this trigger.
    pub trigger: Option<Trigger>,
    /// Only with this text in database, description, file name, labels or
    /// who asked for it, whatever the case.
    pub text: Option<String>,
    /// Only asked for from this moment on.
    pub created_from: Option<Timestamp>,
    /// Only asked for before this moment.
    pub created_until: Option<Timestamp>,
    /// Sorted by what.
    pub sort: BackupSort,
    /// Which way.
    pub direction: Direction,
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u64,
}

impl Default for BackupFilter {
    fn default() -> Self {
        Self {
            status: Vec::new(),
            database_id: None,
            database: None,
            trigger: None,
            text: None,
            created_from: None,
            created_until: None,
            sort: BackupSort::default(),
            direction: Direction::default(),
            limit: 25,
            offset: 0,
        }
    }
}

/// A page of the list.
#[derive(Debug, Clone)]
pub struct BackupPage {
    /// The backups of this page.
    pub backups: Vec<Backup>,
    /// How many fit the filter in all.
    pub total: u64,
}

impl BackupFilter {
    fn conditions(&self, statement: &mut Statement) {
        if !self.status.is_empty() {
            statement.condition("status IN ").texts(self.status.iter().map(|s| s.as_str()));
        }
        if let Some(id) = self.database_id {
            statement.condition("database_id = ").text(id.to_string());
        }
        if let Some(slug) = &self.database {
            statement.condition("database_slug = ").text(slug.as_str());
        }
        if let Some(trigger) = self.trigger {
            statement.condition("trigger_kind = ").text(trigger.as_str());
        }
        if let Some(text) = self.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            statement.condition("search LIKE ").text(contains(&text.to_lowercase()));
            statement.push(" ESCAPE '\\'");
        }
        if let Some(from) = self.created_from {
            statement.condition("created_at >= ").int(ms(from));
        }
        if let Some(until) = self.created_until {
            statement.condition("created_at < ").int(ms(until));
        }
    }

    pub(crate) fn count(&self) -> Statement {
        let mut statement = Statement::new("SELECT count(*) AS n FROM backups");
        self.conditions(&mut statement);
        statement
    }

    /// The page's identifiers are found in an index first; only the rows of
    /// the page are read whole.
    pub(crate) fn page(&self) -> Statement {
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
        let total = Cells::new("backups", &filter.count().one(&mut conn).await?).size("n")?;
        // Past the end there is nothing to look for.
        let rows = if filter.offset < total {
            filter.page().all(&mut conn).await?
        } else {
            Vec::new()
        };
        Ok(BackupPage { backups: rows.iter().map(backups::backup).collect::<Result<_>>()?, total })
    }
}
