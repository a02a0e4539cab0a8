//! The first database, as `DATABASE_URL` or `POSTGRES_*` name it.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use cofferdam_model::{Connection, PostgresConnection, Secret, SqliteConnection, SslMode};
use percent_encoding::percent_decode_str;

use super::understand::Reading;

/// The connection that the settings name, if they name one.
pub(super) fn first_database(it: &mut Reading<'_>) -> Option<Connection> {
    if it.get("database_url").is_some() {
        return it.value("database_url", |url| {
            parse_url(url).and_then(from_here).map_err(|error| {
                format!(
                    "is not understood: {error:#}\n\
                     HINT: postgres://user:password@host:5432/name or sqlite:path"
                )
            })
        });
    }
    let port = it.number("postgres_port", 1..=65_535);
    let dbname = it.get("postgres_db")?.expose().to_owned();
    let text = |name: &str, default: &str| {
        it.get(name).map_or_else(|| default.to_owned(), |value| value.expose().to_owned())
    };
    Some(Connection::Postgres(PostgresConnection {
        host: text("postgres_host", "127.0.0.1"),
        port: port.unwrap_or(5432),
        dbname,
        user: text("postgres_user", "postgres"),
        password: it.get("postgres_password").cloned(),
        sslmode: SslMode::default(),
        sslrootcert: None,
    }))
}

/// The connection with a path that means the same in every folder: for whoever
/// typed it on this machine.
pub fn from_here(connection: Connection) -> anyhow::Result<Connection> {
    Ok(match connection {
        Connection::Sqlite(it) => {
            Connection::Sqlite(SqliteConnection { path: std::path::absolute(it.path)? })
        }
        other @ Connection::Postgres(_) => other,
    })
}

/// Reads a connection URL. Its parts are percent-decoded; of the parameters
/// only the TLS ones and `host` are taken, and any other is refused, because
/// some of libpq's name files and programs on this machine. A path stays as it
/// is written; see [`from_here`].
pub fn parse_url(url: &str) -> anyhow::Result<Connection> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            bail!("the path is missing");
        }
        let path = PathBuf::from(decode(path)?);
        return Ok(Connection::Sqlite(SqliteConnection { path }));
    }
    let rest = url
        .strip_prefix("postgres://")
        .or_else(|| url.strip_prefix("postgresql://"))
        .context("it starts with neither postgres:// nor sqlite:")?;
    let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    if parameters.contains('@') {
        // Perhaps the rest of a password, so nothing of it is repeated.
        bail!("an @ follows the ?: write ? as %3F and @ as %40 in the password and the parameters");
    }
    let (authority, dbname) = rest.split_once('/').unwrap_or((rest, ""));
    // Most likely a password that was not encoded: a part of it would become
    // the database's name, and be shown and stored as one.
    if dbname.contains(['@', '/', '#']) {
        bail!(
            "behind the first / there is another one, an @ or a #; \
             in passwords and names they are written %2F, %40 and %23"
        );
    }
    let (login, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let (host, port) = split_port(address)?;
    let user = decode(user)?;
    let mut connection = PostgresConnection {
        host: decode(host)?,
        port,
        dbname: decode(dbname)?,
        password: password.map(decode).transpose()?.map(Secret::new),
        user: if user.is_empty() { "postgres".to_owned() } else { user },
        sslmode: SslMode::default(),
        sslrootcert: None,
    };
    for pair in parameters.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').context("a parameter has no value")?;
        let value = decode(value)?;
        match key {
            "sslmode" => connection.sslmode = value.parse().map_err(anyhow::Error::msg)?,
            "sslrootcert" => connection.sslrootcert = Some(PathBuf::from(value)),
            "host" => connection.host = value,
            _ => bail!("the parameter {key:?} is not allowed"),
        }
    }
    if connection.host.is_empty() {
        "127.0.0.1".clone_into(&mut connection.host);
    }
    if connection.dbname.is_empty() {
        connection.dbname.clone_from(&connection.user);
    }
    Ok(Connection::Postgres(connection))
}

fn split_port(address: &str) -> anyhow::Result<(&str, u16)> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').context("a bracket is not closed")?;
            (host, after.strip_prefix(':'))
        }
        None => match address.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let port = port.map_or(Ok(5432), str::parse).context("the port is not a number up to 65535")?;
    Ok((host, port))
}

fn decode(text: &str) -> anyhow::Result<String> {
    let text = percent_decode_str(text).decode_utf8().context("a part is not UTF-8")?;
    if text.contains('\0') {
        bail!("a part has a NUL character");
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(url: &str) -> PostgresConnection {
        match parse_url(url) {
            Ok(Connection::Postgres(connection)) => connection,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_part_of_a_url_is_read_and_decoded() {
        let it = postgres("postgresql://a%40b:p%3Aw@[::1]:6000/sh%2Fop?sslmode=verify-full");
        assert_eq!((it.user.as_str(), it.host.as_str(), it.port), ("a@b", "::1", 6000));
        assert_eq!((it.dbname.as_str(), it.sslmode), ("sh/op", SslMode::VerifyFull));
        assert_eq!(it.password.as_ref().map(Secret::expose), Some("p:w"));
        let socket = postgres("postgres:///shop?host=/run/postgresql");
        assert_eq!((socket.host.as_str(), socket.dbname.as_str()), ("/run/postgresql", "shop"));
    }

    #[test]
    fn a_password_that_was_not_encoded_is_not_repeated() {
        for bad in [
            "postgres://u:one?canary@h/d",
            "postgres://u:one?canary=two@h:5432/d?sslmode=require",
            "postgres://u:one?sslmode=canary@h/d",
            "postgres://u:5?sslrootcert=x&canary=y@h/d",
        ] {
            let error = format!("{:#}", parse_url(bad).expect_err("it is refused"));
            assert!(error.contains("%3F") && !error.contains("canary"), "{bad}: {error}");
        }
        let encoded = postgres("postgres://u:one%3Fcanary%40@h/d");
        assert_eq!(encoded.password.as_ref().map(Secret::expose), Some("one?canary@"));
    }

    #[test]
    fn a_password_that_was_not_encoded_is_refused_without_a_part_of_it() {
        for bad in [
            "postgres://u:can/ary@h/d",
            "postgres://u:can/ary@h:5432",
            "postgres://u:can/ar/y@h/d",
            "postgres://u:can#/ary@h/d",
            "postgres://u:5432/canary@h/d",
            "postgres://h/can#ary",
        ] {
            let told = format!("{:#}", parse_url(bad).expect_err(bad));
            assert!(told.contains("%2F") && !told.contains("can"), "{bad}: {told}");
        }
        for (good, password) in [("p%2Fw", "p/w"), ("p@w", "p@w"), ("p#w", "p#w"), ("p%23", "p#")] {
            let it = postgres(&format!("postgres://u:{good}@h/d"));
            assert_eq!(it.password.as_ref().map(Secret::expose), Some(password));
            assert_eq!((it.host.as_str(), it.dbname.as_str()), ("h", "d"));
        }
    }

    #[test]
    fn parameters_that_name_files_or_programs_are_refused() {
        for bad in
            ["service=x", "passfile=/etc/shadow", "options=-c", "sslkey=/x", "sslmode=sometimes"]
        {
            assert!(parse_url(&format!("postgres://h/d?{bad}")).is_err(), "{bad}");
        }
        assert!(parse_url("mysql://h/d").is_err());
    }
}
