//! The console as a process, as an operator would start it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use xtask::process::{self, AtParentsEnd, Signal};

use crate::{Api, TestCluster, compiled, wait_until};

/// The administrator that [`Console::builder`] asks for.
pub const ADMIN: &str = "admin";
/// The administrator's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// How long a start or an orderly end may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program under test: `COFFERDAM_BIN`, or the one that Cargo put beside the tests.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("COFFERDAM_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("a test knows its own path");
    let path = test.ancestors().nth(2).expect("target/debug/deps/test").join("cofferdam");
    assert!(path.exists(), "{} is missing; cargo build -p cofferdam makes it", path.display());
    path
}

/// What a console is started with.
#[derive(Debug, Clone)]
pub struct Builder {
    environment: BTreeMap<OsString, OsString>,
    arguments: Vec<OsString>,
    authority: Option<Vec<u8>>,
    wrapper: Option<PathBuf>,
}

/// It ended before it listened.
#[derive(Debug)]
pub struct DidNotStart {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl Builder {
    /// Sets a variable of its environment, which holds nothing of this process's own but PATH.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Adds an argument after `serve`.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Its first database, read as the superuser.
    #[must_use]
    pub fn database(self, cluster: &TestCluster, name: &str) -> Self {
        self.env("POSTGRES_HOST", "127.0.0.1")
            .env("POSTGRES_PORT", cluster.port().to_string())
            .env("POSTGRES_DB", name)
            .env("POSTGRES_USER", "postgres")
            .env("POSTGRES_PASSWORD", cluster.password())
    }

    /// No administrator: the one-time set-up link is printed instead.
    #[must_use]
    pub fn without_administrator(mut self) -> Self {
        self.environment.remove(&OsString::from("COFFERDAM_ADMIN_USER"));
        self.environment.remove(&OsString::from("COFFERDAM_ADMIN_PASSWORD"));
        self
    }

    /// Where to stop, fail or wait: `publish::renamed=panic`, say. Only a
    /// program built with the feature `failpoints` knows such places.
    #[must_use]
    pub fn failpoints(self, places: &str) -> Self {
        self.env("FAILPOINTS", places)
    }

    /// The authority (PEM) that its clients trust.
    #[must_use]
    pub fn authority(mut self, pem: Vec<u8>) -> Self {
        self.authority = Some(pem);
        self
    }

    /// Starts it by this program, which gets its command line and must
    /// replace itself by it.
    #[must_use]
    pub fn through(mut self, wrapper: PathBuf) -> Self {
        self.wrapper = Some(wrapper);
        self
    }

    /// It alone sees this file as the system's file of hosts. What starts it so is
    /// written into the folder.
    ///
    /// # Panics
    /// When that cannot be written.
    #[must_use]
    pub fn hosts(self, folder: &Path, hosts: &Path) -> Self {
        let wrapper = folder.join("wrapper");
        let script = format!(
            "#!/bin/sh\nexec unshare --map-root-user --mount sh -c \
             'mount --bind {} /etc/hosts && exec \"$@\"' sh \"$@\"\n",
            hosts.display()
        );
        fs::write(&wrapper, script).expect("written");
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("it may run");
        self.through(wrapper)
    }

    /// Starts it in a new folder and waits until it listens.
    ///
    /// # Panics
    /// When it ends before, with all it printed.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Console {
        self.try_start().unwrap_or_else(|told| panic!("the console did not start: {told:#?}"))
    }

    /// As [`Self::start`], for settings that it must refuse.
    pub fn try_start(self) -> Result<Console, Box<DidNotStart>> {
        let folder = tempfile::Builder::new().prefix("cofferdam-").tempdir().expect("a folder");
        let mut console = Console { settings: self, folder, address: String::new(), child: None };
        console.launch()?;
        Ok(console)
    }
}

/// A console that runs, or is stopped to be started again. Its data folder
/// stays as long as this value.
#[derive(Debug)]
pub struct Console {
    settings: Builder,
    folder: TempDir,
    address: String,
    child: Option<Child>,
}

impl Console {
    /// With an administrator and a port of its own.
    #[must_use]
    pub fn builder() -> Builder {
        let builder = Builder {
            environment: BTreeMap::new(),
            arguments: vec![],
            authority: None,
            wrapper: None,
        };
        builder
            .env("COFFERDAM_LISTEN", "127.0.0.1:0")
            .env("COFFERDAM_ADMIN_USER", ADMIN)
            .env("COFFERDAM_ADMIN_PASSWORD", PASSWORD)
            .env("RUST_BACKTRACE", "1")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
    }

    /// Where it is: `http://127.0.0.1:PORT`. The same after a restart.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.address
    }

    /// The one-time link for the first administrator, once it is printed.
    ///
    /// # Panics
    /// When none is.
    #[must_use]
    #[track_caller]
    pub fn setup_link(&self) -> String {
        wait_until("a set-up link", Duration::from_secs(10), || {
            let stdout = self.stdout();
            let (_, rest) = stdout.rsplit_once("Set up: ")?;
            Some(rest.split_once('\n')?.0.to_owned())
        })
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder beside it, for what a test needs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the console runs").id()
    }

    /// All it printed, over all its starts.
    #[must_use]
    pub fn stdout(&self) -> String {
        fs::read_to_string(self.folder.path().join("stdout.log")).unwrap_or_default()
    }

    /// All it complained of and logged, over all its starts.
    #[must_use]
    pub fn stderr(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr.log")).unwrap_or_default()
    }

    /// A client that is signed in as the administrator.
    #[must_use]
    #[track_caller]
    pub fn api(&self) -> Api {
        Api::sign_in(self.url(), ADMIN, PASSWORD)
    }

    /// A client that nobody knows.
    #[must_use]
    pub fn anonymous(&self) -> Api {
        Api::trusting(self.url(), self.settings.authority.as_deref())
    }

    /// The command line on the same machine, with the same settings.
    #[must_use]
    pub fn cli(&self) -> Command {
        let mut command = Command::new(program());
        command.env_clear().envs(&self.settings.environment).env("COFFERDAM_DATA_DIR", self.data());
        command.env("HOME", self.folder.path()).stdin(Stdio::null());
        command.current_dir(self.folder.path());
        command
    }

    /// Ends it as a power cut would. Returns when it is gone.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it is gone");
        }
    }

    /// Sends SIGTERM and waits for the end, at most half a minute.
    ///
    /// # Panics
    /// When it does not run, or does not end.
    #[track_caller]
    pub fn terminate(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the console runs");
        process::signal(&child, Signal::TERM).expect("it takes signals");
        let status = process::wait_at_most(&mut child, PATIENCE).expect("it can be waited for");
        status.unwrap_or_else(|| {
            child.kill().expect("it can be killed");
            panic!("the console did not end within {PATIENCE:?} of SIGTERM");
        })
    }

    /// Waits for it to end by itself.
    #[track_caller]
    pub fn wait_for_end(&mut self, limit: Duration) -> ExitStatus {
        let mut child = self.child.take().expect("the console runs");
        let status = process::wait_at_most(&mut child, limit).expect("it can be waited for");
        status.unwrap_or_else(|| {
            child.kill().expect("it can be killed");
            panic!("the console still runs after {limit:?}");
        })
    }

    /// Any signal.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        process::signal(self.child.as_ref().expect("the console runs"), signal)
            .expect("it arrives");
    }

    /// Ends it (SIGTERM) where it runs, and starts it on the same address
    /// with the same data.
    #[track_caller]
    pub fn restart(&mut self) {
        self.restart_with(|builder| builder);
    }

    /// As [`Self::restart`], with other settings from now on.
    #[track_caller]
    pub fn restart_with(&mut self, change: impl FnOnce(Builder) -> Builder) {
        if self.child.is_some() {
            self.terminate();
        }
        let address = self.address.trim_start_matches("http://").to_owned();
        self.settings = change(self.settings.clone()).env("COFFERDAM_LISTEN", address);
        self.launch().unwrap_or_else(|told| panic!("the console did not start again: {told:#?}"));
    }

    fn launch(&mut self) -> Result<(), Box<DidNotStart>> {
        let log = |name: &str| {
            let path = self.folder.path().join(name);
            fs::OpenOptions::new().create(true).append(true).open(path).expect("a log")
        };
        let seen = self.stdout().len();
        let mut command = match &self.settings.wrapper {
            Some(wrapper) => process::bound(wrapper, AtParentsEnd::Kill),
            None => process::bound(program(), AtParentsEnd::Kill),
        };
        if self.settings.wrapper.is_some() {
            command.arg(program());
        }
        command.arg("serve").args(&self.settings.arguments);
        command.env_clear().envs(&self.settings.environment);
        // Both may be overridden by the test.
        if !self.settings.environment.contains_key(&OsString::from("COFFERDAM_DATA_DIR")) {
            compiled::lend(&self.data());
        }
        for (name, value) in
            [("COFFERDAM_DATA_DIR", self.data()), ("HOME", self.folder.path().into())]
        {
            if !self.settings.environment.contains_key(&OsString::from(name)) {
                command.env(name, value);
            }
        }
        command.current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(log("stdout.log")).stderr(log("stderr.log"));
        let mut child = process::spawn(command).expect("setpriv starts");
        let start = Instant::now();
        loop {
            let ended = child.try_wait().expect("it can be waited for");
            let stdout = self.stdout().split_off(seen);
            // Only whole lines: the address may be half printed.
            let whole = stdout.rfind('\n').map_or("", |end| &stdout[..end]);
            if let Some(address) = whole.lines().find_map(|l| l.strip_prefix("Listening on ")) {
                address.clone_into(&mut self.address);
                self.child = Some(child);
                return Ok(());
            }
            if let Some(status) = ended {
                return Err(Box::new(DidNotStart { status, stdout, stderr: self.stderr() }));
            }
            assert!(start.elapsed() < PATIENCE, "the console does not listen: {}", self.stderr());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Console {
    #[expect(clippy::print_stdout, reason = "the test runner shows it, for failing tests only")]
    fn drop(&mut self) {
        if thread::panicking() {
            // A failing test's reader wants to know what the console said.
            println!("--- the console's output\n{}\n{}", self.stdout(), self.stderr());
        }
        self.kill9();
        compiled::keep(&self.data());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_starts_comes_back_after_a_kill_and_ends_when_asked() {
        let mut console = Console::builder().start();
        console.anonymous().get("/healthz").expect(200);
        assert!(console.api().token().is_some());
        let (url, first) = (console.url().to_owned(), console.pid());
        console.kill9();
        assert!(!Path::new(&format!("/proc/{first}")).exists());
        console.restart();
        assert_eq!(console.url(), url);
        console.anonymous().get("/healthz").expect(200);
        assert!(console.terminate().success());
        assert_eq!(console.stdout().matches("Listening on ").count(), 2);
    }

    #[test]
    fn the_first_start_without_an_administrator_prints_a_link_that_works() {
        let console = Console::builder().without_administrator().start();
        let link = console.setup_link();
        let path = link.strip_prefix(console.url()).expect("a link to this console");
        let page = console.anonymous().get(path).expect(200);
        assert!(page.text().contains("<form"));
    }

    #[test]
    fn settings_that_are_refused_are_told_with_the_reason() {
        let told = Console::builder().env("COFFERDAM_LISTEN", "nowhere").try_start();
        let told = told.expect_err("an address that is none");
        assert!(!told.status.success());
        assert!(told.stderr.contains("COFFERDAM_LISTEN"), "{told:?}");
    }
}
