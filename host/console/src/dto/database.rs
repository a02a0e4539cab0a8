//! Databases, as the API shows and takes them.

use chrono::{DateTime, Utc};
use cofferdam_model::{Database as Record, Engine, Failure, SslMode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::service::databases::Added;

/// One database.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Database {
    /// Identifier.
    pub id: String,
    /// Short name, used in file names and commands.
    pub name: String,
    /// What reads it.
    pub engine: Engine,
    /// Where it is, in one line without secrets.
    pub summary: String,
    /// The connection, without its password.
    pub connection: ConnectionView,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// How a database is reached, without its password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionView {
    /// PostgreSQL: host name, address or socket folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// PostgreSQL: port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// PostgreSQL: name on the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dbname: Option<String>,
    /// PostgreSQL: role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// PostgreSQL: how much TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sslmode: Option<SslMode>,
    /// PostgreSQL: file with the authorities to trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sslrootcert: Option<String>,
    /// Whether a password is stored.
    #[serde(default)]
    pub has_password: bool,
    /// SQLite: the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Database {
    /// The record as JSON.
    pub fn new(record: &Record) -> Self {
        Self {
            id: record.id.to_string(),
            name: record.slug.to_string(),
            engine: record.engine,
            summary: record.summary.clone(),
            connection: serde_json::from_str(&record.settings).unwrap_or_default(),
            created_at: record.created_at,
        }
    }
}

/// A database that was just added. It is stored whatever the first look found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AddedDatabase {
    /// The database.
    #[serde(flatten)]
    pub database: Database,
    /// What was found when it was looked at, some seconds long at most.
    pub first_look: FirstLook,
    /// Short names of other databases that point at the same place.
    pub same_as: Vec<String>,
}

/// What a look at a new database found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FirstLook {
    /// Whether a backup would work now.
    pub ok: bool,
    /// What answered, `PostgreSQL 15.18` say.
    pub server_version: Option<String>,
    /// What stands in a backup's way, or deserves a look.
    pub problems: Vec<Finding>,
    /// Why it could not be looked at.
    pub error: Option<Failure>,
}

/// One thing that was found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// What it is.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
}

impl AddedDatabase {
    /// The outcome as JSON.
    pub fn new(added: &Added) -> Self {
        let found = added.first_look.found.as_ref();
        let problems = found.map(|found| found.problems.as_slice()).unwrap_or_default();
        let finding = |it: &cofferdam_backup::Problem| Finding {
            text: it.text.clone(),
            hint: it.hint.clone(),
        };
        Self {
            database: Database::new(&added.database),
            first_look: FirstLook {
                ok: found.is_ok_and(cofferdam_backup::Preflight::is_clear),
                server_version: found.ok().and_then(|found| found.server_version.clone()),
                problems: problems.iter().map(finding).collect(),
                error: found.err().cloned(),
            },
            same_as: added.same_as.iter().map(|it| it.slug.to_string()).collect(),
        }
    }
}

/// All databases.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DatabaseList {
    /// By name.
    pub databases: Vec<Database>,
}

/// A database to add, or what to change of one: a field that is left out keeps
/// its value, and the password is kept unless another is given.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "shop", "engine": "postgres", "host": "127.0.0.1", "port": 5432,
    "dbname": "shop", "user": "backup", "password": "", "sslmode": "prefer",
}))]
pub struct DatabaseInput {
    /// Short name; without it, one is made from the database's own name.
    #[serde(default)]
    pub name: Option<String>,
    /// postgres or sqlite.
    #[serde(default)]
    pub engine: Option<String>,
    /// All of it in one line, instead of the fields below: postgres://… or sqlite:…
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub url: Option<cofferdam_model::Secret>,
    /// Host name, address or socket folder.
    #[serde(default)]
    pub host: Option<String>,
    /// Port.
    #[serde(default)]
    pub port: Option<i64>,
    /// Name on the server.
    #[serde(default)]
    pub dbname: Option<String>,
    /// Role.
    #[serde(default)]
    pub user: Option<String>,
    /// The role's password; an empty one removes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub password: Option<cofferdam_model::Secret>,
    /// disable, prefer, require, verify-ca or verify-full.
    #[serde(default)]
    pub sslmode: Option<String>,
    /// File with the authorities to trust.
    #[serde(default)]
    pub sslrootcert: Option<String>,
    /// The SQLite file.
    #[serde(default)]
    pub path: Option<String>,
}
