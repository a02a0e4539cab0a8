//! A database that can be backed up, as the catalog records it.

use serde::{Deserialize, Serialize};

use crate::{DatabaseId, Slug, Timestamp};

/// The engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Engine {
    /// Through `pg_dump`.
    Postgres,
    /// In process.
    Sqlite,
}

impl Engine {
    /// As written in JSON and the catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }

    /// As people write it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }
}

impl std::str::FromStr for Engine {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "postgres" => Ok(Self::Postgres),
            "sqlite" => Ok(Self::Sqlite),
            _ => Err("the engine is postgres or sqlite".to_owned()),
        }
    }
}

/// The record of a database. Its settings are sealed: only the holder of the
/// master key turns them into a [`crate::Connection`].
#[derive(Debug, Clone)]
pub struct Database {
    /// Its identifier.
    pub id: DatabaseId,
    /// Its short name, unique among the databases that are not removed.
    pub slug: Slug,
    /// What reads it.
    pub engine: Engine,
    /// Where it is, for people: `shop on db.example:5432 as backup`. No secret.
    pub summary: String,
    /// Its connection settings, without any secret, as JSON.
    pub settings: String,
    /// Its secret settings, encrypted under the master key.
    pub sealed: Option<Vec<u8>>,
    /// When it was added.
    pub created_at: Timestamp,
}
