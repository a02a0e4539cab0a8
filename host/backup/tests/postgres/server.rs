//! A PostgreSQL server of the tests' own.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use cofferdam_backup::Clients;
use cofferdam_model::{Connection, PostgresConnection, Secret, SslMode};

/// Ends a server as soon as its input ends, which happens however the test
/// process itself ends.
const GUARDIAN: &str = r#"
cat > /dev/null
pid=$(head -n 1 "$1/data/postmaster.pid") && kill -QUIT "$pid"
while kill -0 "$pid" 2> /dev/null; do sleep 0.05; done
rm -rf "$1"
"#;

/// The password of the role `postgres`, over TCP.
pub(crate) const PASSWORD: &str = r"p:w\'ö sp ace";

/// A running server. It ends, and its folder goes, with the value or with the process.
pub(crate) struct Server {
    folder: PathBuf,
    bin: PathBuf,
    pub(crate) port: u16,
    guardian: Child,
}

/// Whether this is root, whom the server refuses to serve.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A command, run as somebody whom the server accepts.
fn as_owner(program: &Path) -> Command {
    if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn succeed(output: &Output, what: &str) {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {out}\n{err}");
}

/// The server that all tests share which do not stop it.
pub(crate) fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(Server::start)
}

impl Server {
    pub(crate) fn start() -> Self {
        let clients = Clients::discover(None);
        let client = clients.newest().expect("PostgreSQL is installed");
        let bin = client.program("psql").parent().expect("it is in a folder").to_owned();
        let folder = tempfile::Builder::new().prefix("pg-").tempdir().expect("a folder").keep();
        if is_root() {
            let chown = Command::new("chown").arg("postgres").arg(&folder).output();
            succeed(&chown.expect("chown runs"), "chown");
        }
        let secret = folder.join("secret");
        fs::write(&secret, PASSWORD).expect("the password is written");
        let initdb = as_owner(&bin.join("initdb"))
            .args(["--no-sync", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
            .arg(format!("--pwfile={}", secret.display()))
            .arg(folder.join("data"))
            .current_dir("/")
            .output();
        succeed(&initdb.expect("initdb runs"), "initdb");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let guardian = Command::new("setsid")
            .args(["sh", "-c", GUARDIAN, "guardian"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the guardian starts");
        let server = Self { folder, bin, port, guardian };
        server.run();
        server
    }

    /// Starts the server program; also after it was stopped.
    pub(crate) fn run(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_locks_per_transaction=256 \
             -c autovacuum=off",
            self.port,
            self.folder.display()
        );
        let start = as_owner(&self.bin.join("pg_ctl"))
            .args(["-w", "-o", &options, "-D"])
            .arg(self.folder.join("data"))
            .arg("-l")
            .arg(self.folder.join("log"))
            .arg("start")
            .current_dir("/")
            .stdout(Stdio::null())
            .status();
        assert!(start.expect("pg_ctl runs").success(), "the server starts");
    }

    /// Makes it speak TLS with a certificate for `localhost` alone, and gives
    /// the certificate of the authority that signed it.
    pub(crate) fn speak_tls(&self) -> PathBuf {
        let data = self.folder.join("data");
        let script = "
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt
            openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
            printf 'subjectAltName=DNS:localhost' > names
            openssl x509 -req -days 2 -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial \\
                -extfile names -out server.crt
            chmod 600 server.key && chown --reference=. server.key server.crt";
        let made = Command::new("sh").args(["-ec", script]).current_dir(&data).output();
        succeed(&made.expect("sh runs"), "openssl");
        self.sql("postgres", "ALTER SYSTEM SET ssl = on");
        self.sql("postgres", "SELECT pg_reload_conf()");
        // Only root and the server may enter its data folder.
        let authority = self.folder.join("ca.crt");
        fs::copy(data.join("ca.crt"), &authority).expect("it is copied");
        authority
    }

    /// Stops it the hard way, as a power cut would.
    pub(crate) fn crash(&self) {
        let stop = as_owner(&self.bin.join("pg_ctl"))
            .args(["-w", "-m", "immediate", "-D"])
            .arg(self.folder.join("data"))
            .arg("stop")
            .current_dir("/")
            .output();
        succeed(&stop.expect("pg_ctl runs"), "pg_ctl stop");
    }

    /// Whether it takes connections.
    pub(crate) fn is_up(&self) -> bool {
        let ready = self.tool("pg_isready", "postgres").arg("-q").status();
        ready.is_ok_and(|status| status.success())
    }

    /// One of the client programs, connected as administrator over the socket.
    pub(crate) fn tool(&self, name: &str, database: &str) -> Command {
        let quoted = database.replace('\\', "\\\\").replace('\'', "\\'");
        let mut command = Command::new(self.bin.join(name));
        command.args(["-d", &format!("dbname='{quoted}'")]).env("PGHOST", &self.folder);
        command.env("PGPORT", self.port.to_string()).env("PGUSER", "postgres");
        command
    }

    /// Runs SQL and gives what it prints.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = self.tool("psql", database);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
        let mut child = psql
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("psql starts");
        child.stdin.take().expect("it has an input").write_all(sql.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        succeed(&output, sql);
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// A new database whose name begins with `prefix`.
    pub(crate) fn database(&self, prefix: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("{prefix}_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let quoted = name.replace('"', "\"\"");
        self.sql("postgres", &format!("CREATE DATABASE \"{quoted}\";"));
        name
    }

    /// The connection of the administrator, over TCP with a password.
    pub(crate) fn connection(&self, database: &str) -> Connection {
        Connection::Postgres(self.postgres(database))
    }

    pub(crate) fn postgres(&self, database: &str) -> PostgresConnection {
        PostgresConnection {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            dbname: database.to_owned(),
            user: "postgres".to_owned(),
            password: Some(Secret::new(PASSWORD)),
            sslmode: SslMode::Prefer,
            sslrootcert: None,
        }
    }

    /// The whole database as SQL, made comparable.
    pub(crate) fn dump(&self, database: &str) -> String {
        let dump = self.tool("pg_dump", database).args(["--no-owner", "--no-acl"]).output();
        let dump = dump.expect("pg_dump runs");
        succeed(&dump, "pg_dump");
        let text = String::from_utf8_lossy(&dump.stdout).into_owned();
        let random =
            |line: &&str| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict ");
        text.lines().filter(random).collect::<Vec<_>>().join("\n")
    }

    /// Sessions that a run has on the server.
    pub(crate) fn sessions(&self, id: impl std::fmt::Display) -> u64 {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cofferdam-{id}'"
        );
        self.sql("postgres", &sql).parse().expect("a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}
