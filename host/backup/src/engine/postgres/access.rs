//! How a client program is told where to go, without ever telling it a secret
//! on its command line or in its environment.

use std::{
    fmt::Write as _,
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt,
    path::{self, Path},
    process::Command,
};

use cofferdam_model::{Failure, FailureKind, PostgresConnection, SslMode};

use super::private::Private;
use crate::{Client, Clients};

/// Where Debian, Fedora and Alpine keep the authorities that the system trusts.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// A connection string, and a folder only this user can enter with the
/// password in it. The folder goes when this is dropped.
#[derive(Debug)]
pub(super) struct Access {
    conninfo: String,
    folder: Private,
    /// What the server's list of sessions shows.
    pub(super) application: String,
    pub(super) clients: Clients,
}

impl Access {
    /// Checks the settings and writes the password file. Every setting is
    /// taken literally, whatever libpq could make of it.
    pub(super) fn new(
        connection: &PostgresConnection,
        clients: &Clients,
        application: &str,
    ) -> Result<Self, Failure> {
        let conninfo = conninfo(connection)?;
        let folder = Private::new().map_err(|error| no_folder(&error))?;
        if let Some(password) = connection.password.as_ref().filter(|p| !p.is_empty()) {
            let line = passfile_line(password.expose())?;
            write_private(&folder.path().join("pgpass"), line.as_bytes())
                .map_err(|error| no_folder(&error))?;
        }
        let application = application.to_owned();
        Ok(Self { conninfo, folder, application, clients: clients.clone() })
    }

    /// A command for one of a client's programs that connects: the connection
    /// string is set, further arguments are the caller's.
    pub(super) fn command(&self, client: &Client, program: &str) -> Command {
        let mut command = self.offline_command(client, program);
        command
            .env("PGPASSFILE", self.folder.path().join("pgpass"))
            .env("PGAPPNAME", &self.application)
            .env("PGCONNECT_TIMEOUT", "15")
            .args(["--dbname", &self.conninfo]);
        command
    }

    /// A command for one of a client's programs that connects to nothing.
    pub(super) fn offline_command(&self, client: &Client, program: &str) -> Command {
        let mut command = Command::new(client.program(program));
        command
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            // So that nobody's ~/.pgpass, ~/.psqlrc, service file or key is used.
            .env("HOME", self.folder.path())
            .current_dir(self.folder.path());
        command
    }
}

/// The connection string. Inside it nothing is expanded a second time: a
/// database name such as `a=b` or `postgres://…` stays a name.
fn conninfo(connection: &PostgresConnection) -> Result<String, Failure> {
    let PostgresConnection { host, port, dbname, user, sslmode, sslrootcert, .. } = connection;
    for (what, value) in [("host", host), ("database name", dbname), ("user name", user)] {
        if value.is_empty() {
            return Err(settings(format!("the {what} is empty")));
        }
        if value.contains('\0') {
            return Err(settings(format!("the {what} contains a null character")));
        }
    }
    if host.contains(',') {
        return Err(settings("the host contains a comma; one database has one host"));
    }
    let mut text = String::new();
    pair(&mut text, "host", host);
    pair(&mut text, "port", &port.to_string());
    pair(&mut text, "dbname", dbname);
    pair(&mut text, "user", user);
    pair(&mut text, "sslmode", sslmode.as_str());
    if let Some(file) = authority(*sslmode, sslrootcert.as_deref())? {
        pair(&mut text, "sslrootcert", &file);
    }
    Ok(text)
}

/// The file with the authorities to trust, if the mode needs one or one is set.
fn authority(sslmode: SslMode, file: Option<&Path>) -> Result<Option<String>, Failure> {
    if let Some(file) = file {
        // The programs run in another folder than this process.
        let file = path::absolute(file).unwrap_or_else(|_| file.to_owned());
        if !file.is_file() {
            return Err(settings(format!("the certificate file {} is not there", file.display())));
        }
        let file = file.into_os_string().into_string();
        let unreadable = |_| settings("the path of the certificate file is not valid UTF-8");
        return file.map(Some).map_err(unreadable);
    }
    match sslmode {
        SslMode::VerifyFull => {
            let file = SYSTEM_ROOTS.into_iter().find(|file| Path::new(file).is_file());
            let missing = "TLS mode verify-full needs a certificate file; this system has none";
            file.map(|file| Some(file.to_owned())).ok_or_else(|| settings(missing))
        }
        // With the system's authorities, any site's certificate would do.
        SslMode::VerifyCa => Err(settings("TLS mode verify-ca needs a certificate file")
            .hint("name the file with your authority's certificate, or choose verify-full")),
        SslMode::Disable | SslMode::Prefer | SslMode::Require => Ok(None),
    }
}

/// One key of a connection string, its value quoted.
fn pair(text: &mut String, key: &str, value: &str) {
    let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
    let gap = if text.is_empty() { "" } else { " " };
    // Writing to a string cannot fail.
    let _ = write!(text, "{gap}{key}='{quoted}'");
}

/// The password file's only line: it fits every host, since this file serves
/// one connection.
fn passfile_line(password: &str) -> Result<String, Failure> {
    if password.contains(['\0', '\n', '\r']) {
        return Err(settings(
            "the password contains a line break or a null character, which \
                             PostgreSQL's password file cannot hold",
        ));
    }
    Ok(format!("*:*:*:*:{}\n", password.replace('\\', "\\\\").replace(':', "\\:")))
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

fn settings(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Settings, message).hint("correct the settings of this database")
}

fn no_folder(error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Storage,
        format!("a private folder for the run could not be made: {error}"),
    )
    .hint("check the room and the rights in the system's folder for temporary files")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use cofferdam_model::Secret;

    fn connection() -> PostgresConnection {
        PostgresConnection {
            host: "db.example".to_owned(),
            port: 5432,
            dbname: "shop".to_owned(),
            user: "backup".to_owned(),
            password: None,
            sslmode: SslMode::Prefer,
            sslrootcert: None,
        }
    }

    #[test]
    fn values_are_quoted() {
        let dbname = r"it's \ a=b".to_owned();
        let text = conninfo(&PostgresConnection { dbname, ..connection() }).expect("it is literal");
        assert_eq!(
            text,
            r"host='db.example' port='5432' dbname='it\'s \\ a=b' user='backup' sslmode='prefer'"
        );
    }

    #[test]
    fn settings_that_mean_more_than_they_say_are_refused() {
        for broken in [
            PostgresConnection { host: "a,b".to_owned(), ..connection() },
            PostgresConnection { host: String::new(), ..connection() },
            PostgresConnection { dbname: String::new(), ..connection() },
            PostgresConnection { user: "a\0b".to_owned(), ..connection() },
            PostgresConnection { sslmode: SslMode::VerifyCa, ..connection() },
            PostgresConnection { sslrootcert: Some("/nowhere.crt".into()), ..connection() },
        ] {
            let failure = conninfo(&broken).expect_err("this is refused");
            assert_eq!(failure.kind, FailureKind::Settings, "{failure}");
        }
    }

    #[test]
    fn the_password_is_in_a_private_file_and_nowhere_else() {
        let password = Some(Secret::new(r"a:b\c 'd"));
        let connection = PostgresConnection { password, ..connection() };
        let access = Access::new(&connection, &Clients::default(), "x").expect("it is written");
        let folder = access.folder.path().to_owned();
        let file = folder.join("pgpass");
        let mode = |path: &Path| std::fs::metadata(path).expect("it exists").permissions().mode();
        assert_eq!((mode(&folder) & 0o777, mode(&file) & 0o777), (0o700, 0o600));
        let text = std::fs::read_to_string(&file).expect("it is readable");
        assert_eq!(text, "*:*:*:*:a\\:b\\\\c 'd\n");
        assert!(!format!("{access:?}").contains("a:b"));
        drop(access);
        assert!(!folder.exists());
    }

    #[test]
    fn a_password_with_a_line_break_is_refused() {
        assert!(passfile_line("a\nb").is_err());
    }
}
