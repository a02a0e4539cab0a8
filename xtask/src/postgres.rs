//! A PostgreSQL server of one's own, in a folder of one's own.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::process::{self, AtParentsEnd, Signal};

/// The account that runs servers when this program is root: PostgreSQL
/// refuses to run as root, and Debian's package makes this one.
const ACCOUNT: &str = "postgres";

/// The server's and client's programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// The folder they are in.
    pub bin: PathBuf,
}

impl Programs {
    /// The newest server on this machine, if there is any.
    #[must_use]
    pub fn find() -> Option<Self> {
        let versioned = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten();
        let newest = versioned
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let version: u32 = entry.file_name().to_str()?.parse().ok()?;
                Some((version, entry.path().join("bin")))
            })
            .filter(|(_, bin)| bin.join("postgres").exists() && bin.join("initdb").exists())
            .max();
        if let Some((_, bin)) = newest {
            return Some(Self { bin });
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .find(|bin| bin.join("postgres").exists() && bin.join("initdb").exists())
            .map(|bin| Self { bin })
    }

    /// One program's path.
    #[must_use]
    pub fn path(&self, program: &str) -> PathBuf {
        self.bin.join(program)
    }

    /// `PostgreSQL 15.20 (Debian 15.20-0+deb12u1)`, say.
    pub fn version(&self) -> Result<String> {
        let output = Command::new(self.path("postgres")).arg("--version").output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.trim().replace("postgres (PostgreSQL)", "PostgreSQL"))
    }
}

/// How a server treats its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing is flushed. For servers that live as long as a test.
    None,
    /// As PostgreSQL comes. For servers whose data is wanted again.
    Normal,
}

/// A running server. It listens on 127.0.0.1 and on a Unix socket in its
/// folder, asks for a password on both, and stops when this is dropped, or
/// when the program that started it ends in any way.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    base: PathBuf,
    port: u16,
    password: String,
    server: Option<Child>,
}

impl Cluster {
    /// The superuser's name.
    pub const SUPERUSER: &'static str = "postgres";

    /// Makes (where it is not yet) and starts the server in `base`, a folder
    /// that is this server's alone. Its port is kept between starts as long
    /// as nobody else took it.
    pub fn start(programs: Programs, base: &Path, durability: Durability) -> Result<Self> {
        prepare(&programs, base)?;
        let password = fs::read_to_string(base.join("password"))?.trim().to_owned();
        if let Some(port) = running_at(base) {
            return Ok(Self { programs, base: base.to_owned(), port, password, server: None });
        }
        let mut cluster = Self {
            programs,
            base: base.to_owned(),
            port: choose_port(base)?,
            password,
            server: None,
        };
        for _ in 0..3 {
            if cluster.launch(durability)? {
                return Ok(cluster);
            }
            // Most likely somebody took the port between the look and the start.
            cluster.port = process::free_port()?;
        }
        bail!(
            "PostgreSQL does not start in {}; its last words: {}",
            base.display(),
            last_lines(&base.join("server.log"))
        )
    }

    /// Starts the server once. False: it ended before it was ready.
    fn launch(&mut self, durability: Durability) -> Result<bool> {
        let log =
            fs::OpenOptions::new().create(true).append(true).open(self.base.join("server.log"))?;
        let mut command = process::bound_as(
            self.programs.path("postgres"),
            AtParentsEnd::Quit,
            process::is_root().then_some(ACCOUNT),
        );
        command.arg("-D").arg(self.base.join("data")).args(["-p", &self.port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"]);
        // Longer paths than this do not fit into a socket's address.
        let sockets = self.base.as_os_str().len() < 80;
        let folder = if sockets { self.base.display().to_string() } else { String::new() };
        command.args(["-c", &format!("unix_socket_directories={folder}")]);
        if durability == Durability::None {
            // Commits still reach the kernel, so that a killed server loses none.
            command.args(["-c", "fsync=off"]);
            command.args(["-c", "full_page_writes=off", "-c", "shared_buffers=64MB"]);
        }
        // A terminal's Ctrl-C is for whoever started the server, who then stops it in order.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.current_dir("/").env("LC_ALL", "C.UTF-8");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut server =
            process::spawn(command).context("setpriv (package util-linux) is needed")?;
        let start = Instant::now();
        while start.elapsed() < Duration::from_mins(1) {
            if server.try_wait()?.is_some() {
                return Ok(false);
            }
            if running_at(&self.base) == Some(self.port) {
                fs::write(self.base.join("port"), self.port.to_string())?;
                self.server = Some(server);
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(10));
        }
        process::stop(&mut server, Signal::QUIT, Duration::from_secs(5))?;
        Ok(false)
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The folder with the Unix socket.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        &self.base
    }

    /// The server's folder: `data/` with the PostgreSQL files, its log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.base
    }

    /// The programs it was started with.
    #[must_use]
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Whether this program started the server, and so stops it.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.server.is_some()
    }

    /// The process of the server, where this program started it.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// libpq's variables, by which any client reaches this server as the
    /// superuser. The password opens a throw-away server on this machine only.
    #[must_use]
    pub fn environment(&self, database: &str) -> [(&'static str, String); 6] {
        [
            ("PGHOST", "127.0.0.1".to_owned()),
            ("PGPORT", self.port.to_string()),
            ("PGUSER", Self::SUPERUSER.to_owned()),
            ("PGPASSWORD", self.password.clone()),
            ("PGDATABASE", database.to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
        ]
    }

    /// A client program, set up to reach this server as the superuser.
    #[must_use]
    pub fn client(&self, program: &str, database: &str) -> Command {
        let mut command = Command::new(self.programs.path(program));
        command.envs(self.environment(database)).stdin(Stdio::null());
        command
    }

    /// Runs SQL, one statement after another, stopping at the first error.
    /// Returns what it printed: rows as lines, columns separated by `|`.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String> {
        self.psql_with(database, &[], sql)
    }

    /// As [`Self::psql`], with psql variables for the SQL.
    pub fn psql_with(
        &self,
        database: &str,
        variables: &[(&str, &str)],
        sql: &str,
    ) -> Result<String> {
        let mut command = self.client("psql", database);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
        for (name, value) in variables {
            command.arg("-v").arg(format!("{name}={value}"));
        }
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().context("psql has an input")?;
        let sql = sql.to_owned();
        // From a thread of its own: psql may answer before it has read everything.
        let writer = thread::spawn(move || input.write_all(sql.as_bytes()));
        let output = child.wait_with_output()?;
        // It is psql's own error that counts when it closed its input early.
        let _ = writer.join();
        checked(&output).context("psql")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
    }

    /// Makes an empty database.
    pub fn create_db(&self, name: &str) -> Result<()> {
        checked(
            &self.client("createdb", "postgres").args(["-T", "template0", "--", name]).output()?,
        )
        .context("createdb")
    }

    /// The database as plain SQL, without owners and grants, comparable with
    /// other dumps of the same content.
    pub fn dump(&self, database: &str) -> Result<String> {
        let mut command = self.client("pg_dump", database);
        command.args(["--no-owner", "--no-acl", "--restrict-key=scratch"]);
        let output = command.output()?;
        checked(&output).context("pg_dump")?;
        String::from_utf8(output.stdout).context("a dump in UTF-8")
    }

    /// Stops the server at once, as a power cut would end it: it recovers at
    /// its next start.
    pub fn stop_immediately(&mut self) -> Result<()> {
        if let Some(mut server) = self.server.take() {
            process::stop(&mut server, Signal::QUIT, Duration::from_secs(10))?;
        }
        Ok(())
    }

    /// Stops the server in order, ending its sessions.
    pub fn stop_fast(&mut self) -> Result<()> {
        if let Some(mut server) = self.server.take() {
            process::stop(&mut server, Signal::INT, Duration::from_secs(30))?;
        }
        Ok(())
    }

    /// Starts the server again after a stop, on the same port.
    pub fn start_again(&mut self, durability: Durability) -> Result<()> {
        ensure!(self.server.is_none(), "the server runs");
        ensure!(self.launch(durability)?, "PostgreSQL does not start again");
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Nobody is left to tell, and the kernel ends the server with this program anyway.
        let _ = self.stop_immediately();
    }
}

/// Makes the folder and, once, the database files in it.
fn prepare(programs: &Programs, base: &Path) -> Result<()> {
    let data = base.join("data");
    // Written last by initdb's caller, so that a half-made folder is made again.
    let made = base.join("made");
    if made.exists() {
        return Ok(());
    }
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    fs::create_dir_all(base)?;
    let account = process::is_root().then(account_ids).transpose()?;
    let own = |path: &Path| match account {
        Some((uid, gid)) => chown(path, Some(uid), Some(gid)),
        None => Ok(()),
    };
    own(base)?;
    fs::set_permissions(base, fs::Permissions::from_mode(0o755))?;
    let password_file = base.join("password");
    let password = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&password_file)?.write_all(password.trim().as_bytes())?;
    own(&password_file)?;
    let mut initdb = process::bound_as(
        programs.path("initdb"),
        AtParentsEnd::Kill,
        process::is_root().then_some(ACCOUNT),
    );
    initdb.arg("-D").arg(&data).arg(format!("--pwfile={}", password_file.display()));
    initdb.args(["-U", Cluster::SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8"]);
    initdb.args(["--locale=C.UTF-8", "--no-sync"]).current_dir("/").stdin(Stdio::null());
    let output = initdb.output().context("setpriv (package util-linux) is needed")?;
    checked(&output).with_context(|| format!("initdb in {}", base.display()))?;
    fs::write(made, "")?;
    Ok(())
}

/// The user and group of the account that runs servers for root.
fn account_ids() -> Result<(u32, u32)> {
    let accounts = fs::read_to_string("/etc/passwd")?;
    let mut fields = accounts
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&ACCOUNT))
        .context("there is no account named postgres, as which root could run PostgreSQL")?
        .into_iter()
        .skip(2);
    let mut number = || fields.next().and_then(|field| field.parse().ok());
    number().zip(number()).context("/etc/passwd cannot be read")
}

/// The port of the server that runs in this folder and takes connections.
fn running_at(base: &Path) -> Option<u16> {
    let text = fs::read_to_string(base.join("data/postmaster.pid")).ok()?;
    let mut lines = text.lines();
    let pid: u32 = lines.next()?.trim().parse().ok()?;
    let port = lines.nth(2)?.trim().parse().ok()?;
    let ready = lines.nth(3)?.trim() == "ready";
    // A server that was killed leaves the file, and another process may have its number by now.
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    (ready && name.trim() == "postgres").then_some(port)
}

/// The port used last, while it is free: what knows the server by it finds it again.
fn choose_port(base: &Path) -> Result<u16> {
    let last = fs::read_to_string(base.join("port")).ok().and_then(|text| text.trim().parse().ok());
    match last {
        Some(port) if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() => Ok(port),
        _ => Ok(process::free_port()?),
    }
}

fn checked(output: &Output) -> Result<()> {
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

fn last_lines(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
