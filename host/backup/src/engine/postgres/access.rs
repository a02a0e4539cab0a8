//! How a client program is told where to go, without ever telling it a secret
//! on its command line or in its environment.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Write as _},
    os::fd::AsRawFd as _,
    path::{self, Path, PathBuf},
    process::{self, Command},
};

use cofferdam_model::{Failure, FailureKind, PostgresConnection, SslMode};
use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};

use crate::{Client, Clients};

/// Where Debian, Fedora and Alpine keep the authorities that the system trusts.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// A connection string, and the password in a file that is in memory only:
/// no disk ever has it, and it is gone with this process, however that ends.
#[derive(Debug)]
pub(super) struct Access {
    conninfo: String,
    passfile: File,
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
        let line = match connection.password.as_ref().filter(|password| !password.is_empty()) {
            Some(password) => passfile_line(password.expose())?,
            None => String::new(),
        };
        let passfile = private_file(line.as_bytes()).map_err(|error| no_file(&error))?;
        let application = application.to_owned();
        Ok(Self { conninfo, passfile, application, clients: clients.clone() })
    }

    /// A command for one of a client's programs that connects: the connection
    /// string is set, further arguments are the caller's.
    pub(super) fn command(&self, client: &Client, program: &str) -> Command {
        let mut command = offline_command(client, program);
        command
            .env("PGPASSFILE", self.passfile_path())
            .env("PGAPPNAME", &self.application)
            .env("PGCONNECT_TIMEOUT", "15")
            .args(["--dbname", &self.conninfo]);
        command
    }

    /// Where the programs find the password file: among this process's open
    /// files, which only its own user may look into. They inherit nothing.
    fn passfile_path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", process::id(), self.passfile.as_raw_fd()))
    }
}

/// A command for one of a client's programs that connects to nothing.
pub(super) fn offline_command(client: &Client, program: &str) -> Command {
    let mut command = Command::new(client.program(program));
    command
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        // So that nobody's ~/.pgpass, ~/.psqlrc, service file or key is used.
        .env("HOME", "/nonexistent")
        .current_dir("/");
    command
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

/// A file without a name, in memory, for this user's eyes.
fn private_file(bytes: &[u8]) -> io::Result<File> {
    let file = memfd_create("pgpass", MemfdFlags::CLOEXEC)?;
    // libpq ignores a password file that others might read.
    fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    let mut file = File::from(file);
    file.write_all(bytes)?;
    Ok(file)
}

fn settings(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Settings, message).hint("correct the settings of this database")
}

fn no_file(error: &io::Error) -> Failure {
    Failure::new(FailureKind::Storage, format!("the password file could not be made: {error}"))
        .hint("look whether the machine is short of memory or open files")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

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
    fn the_password_is_in_a_private_file_in_memory_and_nowhere_else() {
        let password = Some(Secret::new(r"a:b\c 'd"));
        let connection = PostgresConnection { password, ..connection() };
        let access = Access::new(&connection, &Clients::default(), "x").expect("it is written");
        let path = access.passfile_path();
        let facts = std::fs::metadata(&path).expect("it exists");
        assert!(facts.is_file(), "libpq takes plain files only");
        assert_eq!((facts.permissions().mode() & 0o777, facts.nlink()), (0o600, 0));
        let text = std::fs::read_to_string(&path).expect("it is readable");
        assert_eq!(text, "*:*:*:*:a\\:b\\\\c 'd\n");
        assert!(!format!("{access:?}").contains("a:b"));
        drop(access);
        // Its number among the open files may be another file's by now.
        let there = std::fs::read_link(&path);
        assert!(!there.is_ok_and(|it| it.to_string_lossy().contains("memfd:pgpass")));
    }

    #[test]
    fn a_password_with_a_line_break_is_refused() {
        assert!(passfile_line("a\nb").is_err());
    }
}
