//! `/databases/new` and `/databases/{id}/edit`.

use cofferdam_model::{Database, Engine};
use maud::{Markup, html};

use crate::{Chrome, FieldErrors, layout::layout};

/// The settings of a database, as typed. Fields of the form: `engine`, `name`,
/// `host`, `port`, `dbname`, `user`, `password`, `sslmode`, `sslrootcert`, `path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseForm {
    /// PostgreSQL or SQLite. Cannot be changed later.
    pub engine: Engine,
    /// The short name.
    pub name: String,
    /// PostgreSQL: host name, address or socket folder.
    pub host: String,
    /// PostgreSQL: as typed.
    pub port: String,
    /// PostgreSQL: the database's name on the server.
    pub dbname: String,
    /// PostgreSQL: the role.
    pub user: String,
    /// Whether a password is stored. The form never shows one; an empty field keeps it.
    pub password_stored: bool,
    /// PostgreSQL: in libpq's words.
    pub sslmode: String,
    /// PostgreSQL: a file with the authorities to trust.
    pub sslrootcert: String,
    /// SQLite: the file.
    pub path: String,
    /// What is wrong.
    pub errors: FieldErrors,
}

impl Default for DatabaseForm {
    fn default() -> Self {
        Self {
            engine: Engine::Postgres,
            name: String::new(),
            host: String::new(),
            port: "5432".to_owned(),
            dbname: String::new(),
            user: String::new(),
            password_stored: false,
            sslmode: "prefer".to_owned(),
            sslrootcert: String::new(),
            path: String::new(),
            errors: FieldErrors::new(),
        }
    }
}

/// The form: for a new database, or for the one in `existing`.
#[must_use]
pub fn page(chrome: &Chrome, _existing: Option<&Database>, _form: &DatabaseForm) -> Markup {
    layout(chrome, "", &html! {})
}
