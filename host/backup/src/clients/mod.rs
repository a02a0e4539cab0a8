//! The PostgreSQL client programs on this machine, and which of them suits a server.

mod version;

use std::{
    collections::BTreeSet,
    env,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use cofferdam_model::{Failure, FailureKind};

pub use version::Version;

/// A program that takes longer than this to say its version hangs.
const ANSWER: Duration = Duration::from_secs(5);
/// Where Debian, Ubuntu and their kin keep one folder per major version.
const VERSIONED: &str = "/usr/lib/postgresql";

/// The three programs of one installation, which are always used together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    folder: PathBuf,
    version: Version,
    banner: String,
}

impl Client {
    /// Its version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// `pg_dump (PostgreSQL) 15.18`, say; what the distribution adds is left out.
    #[must_use]
    pub fn banner(&self) -> &str {
        &self.banner
    }

    /// The path of one of its programs.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The installation in that folder, if all three programs are there and run.
    fn probe(folder: &Path) -> Option<Self> {
        let whole =
            ["pg_dump", "pg_restore", "psql"].iter().all(|name| folder.join(name).is_file());
        if !whole {
            return None;
        }
        // Debian's wrapper in /usr/bin picks a version by itself; the real
        // programs below /usr/lib/postgresql are found anyway.
        let real = folder.join("pg_dump").canonicalize().ok()?;
        if real.file_name().is_some_and(|name| name == "pg_wrapper") {
            return None;
        }
        let text = banner(&real)?;
        let version = Version::from_banner(&text)?;
        let banner = text.split(" (Debian").next()?.split(" (Ubuntu").next()?.trim().to_owned();
        Some(Self { folder: real.parent()?.to_path_buf(), version, banner })
    }
}

/// What a program says of its version. One that does not answer in time, on a
/// disk that hangs say, counts as not there.
fn banner(program: &Path) -> Option<String> {
    let mut child = Command::new(program)
        .arg("--version")
        .env_clear()
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let until = Instant::now() + ANSWER;
    while child.try_wait().ok()?.is_none() {
        if Instant::now() > until {
            // Killed, it ends at once; its end must be taken note of.
            let _ = child.kill().and_then(|()| child.wait());
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
    let mut text = String::new();
    // A line of text fits into the pipe, so the program never waits for this.
    child.stdout.take()?.take(4096).read_to_string(&mut text).ok()?;
    Some(text)
}

/// All client installations that were found.
#[derive(Debug, Clone, Default)]
pub struct Clients {
    /// Newest first; of one major version, only its newest.
    found: Vec<Client>,
}

impl Clients {
    /// Looks in `extra` (a folder of programs, from the settings), in every
    /// `/usr/lib/postgresql/*/bin`, and on `PATH`. Runs each `pg_dump` once for
    /// its version; look again after something was installed.
    #[must_use]
    pub fn discover(extra: Option<&Path>) -> Self {
        let mut folders: Vec<PathBuf> = extra.map(Path::to_path_buf).into_iter().collect();
        if let Ok(entries) = std::fs::read_dir(VERSIONED) {
            folders.extend(entries.flatten().map(|entry| entry.path().join("bin")));
        }
        folders.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
        let mut seen = BTreeSet::new();
        folders.retain(|folder| folder.canonicalize().is_ok_and(|real| seen.insert(real)));
        Self::from_found(folders.iter().filter_map(|folder| Client::probe(folder)).collect())
    }

    fn from_found(mut found: Vec<Client>) -> Self {
        // The sort is stable, so of equal versions the first-named folder stays.
        found.sort_by_key(|client| std::cmp::Reverse(client.version));
        found.dedup_by_key(|client| client.version.major);
        Self { found }
    }

    /// Every installation, newest first.
    #[must_use]
    pub fn all(&self) -> &[Client] {
        &self.found
    }

    /// The newest installation: its `psql` talks to every server.
    pub fn newest(&self) -> Result<&Client, Failure> {
        self.found.first().ok_or_else(|| {
            Failure::new(FailureKind::Client, "no PostgreSQL client programs were found")
                .hint("install the package postgresql-client, or name their folder in the settings")
        })
    }

    /// The client for a server of that major version: of the same major if it
    /// is installed, because what it writes is sure to load into that server;
    /// else the oldest newer one, whose output differs least. A client older
    /// than the server would miss what it does not know, so there is none.
    pub fn for_server(&self, major: u32) -> Result<&Client, Failure> {
        let newest = self.newest()?;
        self.found.iter().rev().find(|client| client.version.major >= major).ok_or_else(|| {
            Failure::new(
                FailureKind::Client,
                format!(
                    "the server is PostgreSQL {major}, and the newest client installed here is \
                     {}; an older client cannot dump a newer server",
                    newest.version
                ),
            )
            .hint(format!("install the package postgresql-client-{major}"))
        })
    }

    /// Why [`Self::for_server`] chose that client.
    pub(crate) fn reason(client: &Client, major: u32) -> String {
        let version = client.version;
        if version.major == major {
            format!("client {version} has the server's own major version")
        } else {
            format!("client {version} is the oldest installed that is newer than server {major}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(versions: &[(u32, u32)]) -> Clients {
        let client = |&(major, minor): &(u32, u32)| Client {
            folder: PathBuf::from(format!("/{major}.{minor}")),
            version: Version { major, minor },
            banner: format!("pg_dump (PostgreSQL) {major}.{minor}"),
        };
        Clients::from_found(versions.iter().map(client).collect())
    }

    #[test]
    fn the_same_major_is_chosen_and_else_the_smallest_newer_one() {
        let clients = clients(&[(14, 1), (17, 2), (16, 3), (16, 4)]);
        let chosen = |major| clients.for_server(major).map(|c| (c.version.major, c.version.minor));
        assert_eq!(chosen(16), Ok((16, 4)));
        assert_eq!(chosen(15), Ok((16, 4)));
        assert_eq!(chosen(9), Ok((14, 1)));
    }

    #[test]
    fn a_server_newer_than_every_client_is_refused_with_the_package_named() {
        let failure = clients(&[(15, 20)]).for_server(18).expect_err("15 is older than 18");
        assert_eq!(failure.kind, FailureKind::Client);
        assert_eq!(
            failure.message,
            "the server is PostgreSQL 18, and the newest client installed here is 15.20; an older \
             client cannot dump a newer server"
        );
        assert_eq!(failure.hint.as_deref(), Some("install the package postgresql-client-18"));
    }

    #[test]
    fn without_any_client_the_package_is_named() {
        let failure = clients(&[]).for_server(15).expect_err("nothing is installed");
        assert_eq!(failure.kind, FailureKind::Client);
        assert!(failure.hint.is_some_and(|hint| hint.contains("postgresql-client")));
    }

    #[test]
    fn a_folder_from_the_settings_is_looked_into_too() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["pg_dump", "pg_restore", "psql"] {
            let path = folder.path().join(name);
            let script = "#!/bin/sh\necho 'pg_dump (PostgreSQL) 99.4 (Debian 99.4-1)'\n";
            std::fs::write(&path, script).expect("it is written");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
                .expect("it may run");
        }
        let clients = Clients::discover(Some(folder.path()));
        let client = clients.for_server(99).expect("99 was found");
        assert_eq!(client.banner(), "pg_dump (PostgreSQL) 99.4");
        assert!(clients.for_server(100).is_err());
    }

    #[test]
    fn installed_programs_are_found_and_know_their_version() {
        let clients = Clients::discover(None);
        let client = clients.newest().expect("a PostgreSQL client is installed");
        assert!(client.program("psql").is_file());
        assert!(client.banner().starts_with("pg_dump (PostgreSQL) "), "{}", client.banner());
        assert!(!client.banner().contains("Debian"));
    }
}
