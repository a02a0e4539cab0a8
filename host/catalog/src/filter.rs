//! What lists of backups are asked for: filters, sorting, paging.

use cofferdam_model::{Backup, BackupStatus, DatabaseId, Slug, Timestamp, Trigger};

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
