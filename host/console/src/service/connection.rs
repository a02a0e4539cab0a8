//! Connection settings: from what somebody typed, to what is stored, to what
//! an engine uses.

use std::path::{Path, PathBuf};

use cofferdam_model::{
    Connection, Database, Engine, PostgresConnection, Secret, SqliteConnection, SslMode, is_unfit,
};

use super::{Error, FieldError, Result};
use crate::{
    config::parse_url,
    dto::{ConnectionView, DatabaseInput},
};

/// The part of a connection that is stored in clear.
pub fn view(connection: &Connection) -> ConnectionView {
    match connection {
        Connection::Postgres(it) => ConnectionView {
            host: Some(it.host.clone()),
            port: Some(it.port),
            dbname: Some(it.dbname.clone()),
            user: Some(it.user.clone()),
            sslmode: Some(it.sslmode),
            sslrootcert: it.sslrootcert.as_ref().map(|path| path.display().to_string()),
            has_password: it.password.is_some(),
            path: None,
        },
        Connection::Sqlite(it) => ConnectionView {
            path: Some(it.path.display().to_string()),
            ..ConnectionView::default()
        },
    }
}

/// The reverse of [`view`], with the secret that was stored apart.
pub fn restore(engine: Engine, view: ConnectionView, password: Option<Secret>) -> Connection {
    match engine {
        Engine::Postgres => Connection::Postgres(PostgresConnection {
            host: view.host.unwrap_or_default(),
            port: view.port.unwrap_or(5432),
            dbname: view.dbname.unwrap_or_default(),
            user: view.user.unwrap_or_default(),
            password,
            sslmode: view.sslmode.unwrap_or_default(),
            sslrootcert: view.sslrootcert.map(PathBuf::from),
        }),
        Engine::Sqlite => Connection::Sqlite(SqliteConnection {
            path: PathBuf::from(view.path.unwrap_or_default()),
        }),
    }
}

/// Where a database is, for people, in one line without secrets. What could
/// make that line look like another one is shown as a replacement character.
pub fn summary(connection: &Connection) -> String {
    let text = match connection {
        Connection::Postgres(it) if it.host.starts_with('/') => {
            format!("{} at {} port {} as {}", it.dbname, it.host, it.port, it.user)
        }
        Connection::Postgres(it) if it.host.contains(':') => {
            format!("{} on [{}]:{} as {}", it.dbname, it.host, it.port, it.user)
        }
        Connection::Postgres(it) => {
            format!("{} on {}:{} as {}", it.dbname, it.host, it.port, it.user)
        }
        Connection::Sqlite(it) => it.path.display().to_string(),
    };
    one_line(&text)
}

/// A name as it is shown.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_unfit(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The name from which a short name is made when none is given.
pub fn natural_name(connection: &Connection) -> String {
    match connection {
        Connection::Postgres(it) => it.dbname.clone(),
        Connection::Sqlite(it) => {
            it.path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
        }
    }
}

/// The file of a stored SQLite database.
pub fn stored_path(database: &Database) -> Option<PathBuf> {
    let view: ConnectionView = serde_json::from_str(&database.settings).ok()?;
    view.path.map(PathBuf::from)
}

/// Whether two connections lead to the same database, as far as their settings
/// tell: the role that asks does not matter.
pub fn same_place(one: &Connection, other: &Connection) -> bool {
    match (one, other) {
        (Connection::Postgres(one), Connection::Postgres(other)) => {
            (plain_host(&one.host), one.port, &one.dbname)
                == (plain_host(&other.host), other.port, &other.dbname)
        }
        (Connection::Sqlite(one), Connection::Sqlite(other)) => same_file(&one.path, &other.path),
        _ => false,
    }
}

/// Whether two paths lead to the same file, links followed.
pub fn same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real(one) == real(other)
}

/// Whether a connection leads to this SQLite file.
pub fn leads_to(connection: &Connection, file: &Path) -> bool {
    matches!(connection, Connection::Sqlite(it) if same_file(&it.path, file))
}

fn plain_host(host: &str) -> String {
    match host.trim_end_matches('.').to_lowercase().as_str() {
        "localhost" | "127.0.0.1" | "::1" => "localhost".to_owned(),
        other => other.to_owned(),
    }
}

/// The password of a connection.
pub fn password(connection: &Connection) -> Option<&Secret> {
    match connection {
        Connection::Postgres(it) => it.password.as_ref(),
        Connection::Sqlite(_) => None,
    }
}

/// Reads what somebody typed, over what was stored before (`None` for a new
/// database). All wrong fields are named at once.
pub fn understand(input: &DatabaseInput, before: Option<&Connection>) -> Result<Connection> {
    if let Some(url) = &input.url {
        return parse_url(url.expose())
            .map_err(|error| Error::field("url", format!("{error:#}")))
            .and_then(|connection| checked(connection, before));
    }
    let engine = match (&input.engine, before) {
        (Some(text), _) => text.parse().map_err(|error| Error::field("engine", error))?,
        (None, Some(Connection::Sqlite(_))) => Engine::Sqlite,
        (None, None) if input.path.is_some() => Engine::Sqlite,
        (None, _) => Engine::Postgres,
    };
    let mut wrong = Vec::new();
    let connection = match engine {
        Engine::Postgres => Connection::Postgres(postgres(input, before, &mut wrong)),
        Engine::Sqlite => {
            let typed = input.path.as_deref().map(PathBuf::from);
            let old = match before {
                Some(Connection::Sqlite(it)) => Some(it.path.clone()),
                _ => None,
            };
            Connection::Sqlite(SqliteConnection { path: typed.or(old).unwrap_or_default() })
        }
    };
    if wrong.is_empty() { checked(connection, before) } else { Err(Error::Invalid(wrong)) }
}

fn postgres(
    input: &DatabaseInput,
    before: Option<&Connection>,
    wrong: &mut Vec<FieldError>,
) -> PostgresConnection {
    let old = match before {
        Some(Connection::Postgres(it)) => Some(it),
        _ => None,
    };
    let text = |typed: &Option<String>, old: Option<&String>| {
        typed
            .as_deref()
            .map(str::trim)
            .map(str::to_owned)
            .or_else(|| old.cloned())
            .unwrap_or_default()
    };
    let mut refuse =
        |field: &'static str, message: String| wrong.push(FieldError::new(field, message));
    let port = match input.port {
        None => old.map_or(5432, |it| it.port),
        Some(number) => u16::try_from(number).ok().filter(|port| *port > 0).unwrap_or_else(|| {
            refuse("port", "a port is a number from 1 to 65535".to_owned());
            0
        }),
    };
    let sslmode = match input.sslmode.as_deref() {
        None | Some("") => old.map_or_else(SslMode::default, |it| it.sslmode),
        Some(text) => text.parse().unwrap_or_else(|error| {
            refuse("sslmode", error);
            SslMode::default()
        }),
    };
    let sslrootcert = match input.sslrootcert.as_deref().map(str::trim) {
        None => old.and_then(|it| it.sslrootcert.clone()),
        Some("") => None,
        Some(path) => Some(PathBuf::from(path)),
    };
    let password = match &input.password {
        None => old.and_then(|it| it.password.clone()),
        Some(password) if password.is_empty() => None,
        Some(password) => Some(password.clone()),
    };
    PostgresConnection {
        host: text(&input.host, old.map(|it| &it.host)),
        port,
        dbname: text(&input.dbname, old.map(|it| &it.dbname)),
        user: text(&input.user, old.map(|it| &it.user)),
        password,
        sslmode,
        sslrootcert,
    }
}

/// What holds for every connection, however it was given.
fn checked(connection: Connection, before: Option<&Connection>) -> Result<Connection> {
    let mut wrong = Vec::new();
    let mut field = |field: &'static str, text: &str, required: bool| {
        let message = if required && text.is_empty() {
            "this is needed"
        } else if text.len() > 1024 {
            "this is too long"
        } else if text.contains('\0') {
            "a NUL character cannot be in here"
        } else if matches!(field, "host" | "sslrootcert" | "path") && text.chars().any(is_unfit) {
            // PostgreSQL lets databases and roles have such names; hosts and
            // files have none, so there it is a slip or worse.
            "control characters and direction marks are not allowed here"
        } else {
            return;
        };
        wrong.push(FieldError::new(field, message));
    };
    match &connection {
        Connection::Postgres(it) => {
            field("host", &it.host, true);
            field("dbname", &it.dbname, true);
            field("user", &it.user, true);
            field("password", it.password.as_ref().map_or("", Secret::expose), false);
            let authorities = it.sslrootcert.as_ref().map(|path| path.to_string_lossy());
            field("sslrootcert", authorities.as_deref().unwrap_or_default(), false);
            if it.host.contains(',') {
                wrong.push(FieldError::new("host", "one host only"));
            }
            if let Some(path) = &it.sslrootcert
                && !path.is_absolute()
            {
                wrong.push(FieldError::new("sslrootcert", "an absolute path is needed"));
            }
            // Somebody who may change the host but does not know the password
            // must not have it sent to a host of theirs.
            if let Some(Connection::Postgres(old)) = before
                && (&old.host, old.port) != (&it.host, it.port)
                && it.password.is_some()
                && it.password.as_ref().map(Secret::expose)
                    == old.password.as_ref().map(Secret::expose)
            {
                wrong.push(FieldError::new(
                    "password",
                    "type the password again, since the server is another one",
                ));
            }
        }
        Connection::Sqlite(it) => {
            field("path", &it.path.to_string_lossy(), true);
            if !it.path.as_os_str().is_empty() && !it.path.is_absolute() {
                let message =
                    "a path from the root is needed, such as /srv/blog/blog.db".to_owned();
                wrong.push(FieldError::new("path", message));
            }
        }
    }
    if wrong.is_empty() { Ok(connection) } else { Err(Error::Invalid(wrong)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Connection {
        Connection::Postgres(PostgresConnection {
            host: "db.example".into(),
            port: 5432,
            dbname: "shop".into(),
            user: "backup".into(),
            password: Some(Secret::new("canary")),
            sslmode: SslMode::Require,
            sslrootcert: None,
        })
    }

    #[test]
    fn a_field_that_is_left_out_keeps_its_value() {
        let input = DatabaseInput { dbname: Some("shop2".into()), ..DatabaseInput::default() };
        let Ok(Connection::Postgres(it)) = understand(&input, Some(&stored())) else {
            panic!("valid")
        };
        assert_eq!(
            (it.dbname.as_str(), it.user.as_str(), it.sslmode),
            ("shop2", "backup", SslMode::Require)
        );
        assert_eq!(it.password.as_ref().map(Secret::expose), Some("canary"));
    }

    #[test]
    fn a_stored_password_never_goes_to_another_host() {
        let input = DatabaseInput { host: Some("evil.example".into()), ..DatabaseInput::default() };
        assert!(matches!(understand(&input, Some(&stored())), Err(Error::Invalid(_))));
        let input = DatabaseInput { password: Some(Secret::new("other")), ..input };
        assert!(understand(&input, Some(&stored())).is_ok());
    }

    #[test]
    fn a_database_may_have_any_name_and_is_shown_in_one_line() {
        let input = DatabaseInput {
            host: Some("h".into()),
            user: Some("u".into()),
            dbname: Some("a\nb\u{202e}".into()),
            ..DatabaseInput::default()
        };
        let connection = understand(&input, None).expect("PostgreSQL allows it");
        assert_eq!(summary(&connection), "a\u{fffd}b\u{fffd} on h:5432 as u");
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let input = DatabaseInput {
            port: Some(70_000),
            sslmode: Some("x".into()),
            ..DatabaseInput::default()
        };
        let Err(Error::Invalid(fields)) = understand(&input, None) else { panic!("invalid") };
        let names: Vec<_> = fields.iter().map(|it| it.field.as_ref()).collect();
        assert_eq!(names, ["port", "sslmode"]);
        let Err(Error::Invalid(fields)) = understand(&DatabaseInput::default(), None) else {
            panic!("invalid")
        };
        assert_eq!(fields.len(), 3);
    }
}
