//! What several pages show.

use std::str::FromStr;

use cofferdam_model::{
    Attempt, Backup, BackupStatus, Database, DatabaseId, Delivery, Engine, Format, Level, Progress,
    Timestamp, Trigger,
};

use crate::{FieldErrors, schema::Tick};

/// A backup, and how far it has come while it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupItem {
    /// The record.
    pub backup: Backup,
    /// The newest snapshot of a pending or running one; ignored for others.
    pub progress: Option<Progress>,
}

/// One past run of a database, for the small chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When it ended.
    pub at: Timestamp,
    /// The file's size; 0 for a run without a file.
    pub bytes: u64,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Whether it completed.
    pub good: bool,
}

/// A database with what matters about its backups.
#[derive(Debug, Clone)]
pub struct DatabaseCard {
    /// The record.
    pub database: Database,
    /// The newest backup, whatever became of it.
    pub last: Option<BackupItem>,
    /// The newest completed backup whose file is present.
    pub last_good: Option<Backup>,
    /// The runs that ended, oldest first; 30 or fewer.
    pub history: Vec<Point>,
    /// How many completed backups there are.
    pub count: u64,
    /// The size of their files together.
    pub total_bytes: u64,
}

/// A database that a backup can be asked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseChoice {
    /// Its identifier.
    pub id: DatabaseId,
    /// Its short name; the form posts this.
    pub slug: String,
    /// Its engine: formats exist for PostgreSQL only.
    pub engine: Engine,
}

/// A delivery with its attempts.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryItem {
    /// The record.
    pub delivery: Delivery,
    /// Whether the backup's record is gone.
    pub is_deleted: bool,
    /// The size of the backup's file, while it is known.
    pub size_bytes: Option<u64>,
    /// Its attempts, oldest first. Empty where only the record is shown.
    pub attempts: Vec<Attempt>,
}

/// The form behind "Generate Backup". Values are kept as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GenerateForm {
    /// What can be backed up. Empty: the form is not shown.
    pub databases: Vec<DatabaseChoice>,
    /// The chosen short name. Any other text leaves the choice open, unless
    /// there is only one database.
    pub database: String,
    /// The note.
    pub description: String,
    /// The level as typed, or empty for the default.
    pub compression_level: String,
    /// `plain`, `custom`, or empty for plain.
    pub format: String,
    /// The destinations that are switched on, and which of them are chosen.
    /// Posted as `destinations`, an empty one first.
    pub destinations: Vec<Tick>,
    /// What is wrong with it. Fields: `database`, `description`, `compression_level`, `format`,
    /// `destinations`.
    pub errors: FieldErrors,
}

impl GenerateForm {
    /// A fresh form with good defaults.
    #[must_use]
    pub fn new(databases: Vec<DatabaseChoice>) -> Self {
        Self {
            databases,
            compression_level: Level::DEFAULT.get().to_string(),
            format: Format::default().as_str().to_owned(),
            ..Self::default()
        }
    }
}

/// What the list of backups is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// When it was asked for.
    #[default]
    Created,
    /// The database's short name.
    Database,
    /// The file's size.
    Size,
    /// How long it took.
    Duration,
}

impl Sort {
    /// As written in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Database => "database",
            Self::Size => "size",
            Self::Duration => "duration",
        }
    }
}

impl FromStr for Sort {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Created, Self::Database, Self::Size, Self::Duration]
            .into_iter()
            .find(|sort| sort.as_str() == text)
            .ok_or(())
    }
}

/// Which end of a sorted list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Smallest or oldest first.
    Ascending,
    /// Largest or newest first.
    #[default]
    Descending,
}

impl Direction {
    /// As written in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

impl FromStr for Direction {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "asc" => Ok(Self::Ascending),
            "desc" => Ok(Self::Descending),
            _ => Err(()),
        }
    }
}

/// What the list of backups was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupQuery {
    /// Text to find; empty for all.
    pub q: String,
    /// Only these.
    pub status: Option<BackupStatus>,
    /// Only this database's, by short name; empty for all.
    pub database: String,
    /// Only those asked for in this way.
    pub trigger: Option<Trigger>,
    /// The order.
    pub sort: Sort,
    /// Its direction.
    pub dir: Direction,
    /// The page, from 1.
    pub page: u64,
}

impl Default for BackupQuery {
    fn default() -> Self {
        Self {
            q: String::new(),
            status: None,
            database: String::new(),
            trigger: None,
            sort: Sort::default(),
            dir: Direction::default(),
            page: 1,
        }
    }
}

impl BackupQuery {
    /// Whether anything is left out.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        !self.q.is_empty()
            || self.status.is_some()
            || !self.database.is_empty()
            || self.trigger.is_some()
    }
}
