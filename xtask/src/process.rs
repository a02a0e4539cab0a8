//! Child processes that end with the program that started them.

use std::{
    ffi::OsStr,
    io,
    process::{Child, Command, ExitStatus},
    sync::{Mutex, OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// The name of a signal as `setpriv` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtParentsEnd {
    /// SIGKILL.
    Kill,
    /// SIGTERM.
    Terminate,
    /// SIGQUIT, which PostgreSQL takes as "immediate stop".
    Quit,
}

impl AtParentsEnd {
    fn name(self) -> &'static str {
        match self {
            Self::Kill => "SIGKILL",
            Self::Terminate => "SIGTERM",
            Self::Quit => "SIGQUIT",
        }
    }
}

/// A command whose process gets a signal when this program ends in any way,
/// SIGKILL included. The process has the child's own pid: `setpriv` replaces
/// itself by the program. Start it with [`spawn`].
#[must_use]
pub fn bound(program: impl AsRef<OsStr>, signal: AtParentsEnd) -> Command {
    bound_as(program, signal, None)
}

/// As [`bound`], run as another user. Only root may do that; `None` keeps the
/// user.
#[must_use]
pub fn bound_as(program: impl AsRef<OsStr>, signal: AtParentsEnd, user: Option<&str>) -> Command {
    let mut command = Command::new("setpriv");
    if let Some(user) = user {
        command.args([format!("--reuid={user}"), format!("--regid={user}")]).arg("--init-groups");
    }
    command.arg(format!("--pdeathsig={}", signal.name())).arg("--").arg(program);
    command
}

type Request = (Command, mpsc::Sender<io::Result<Child>>);

/// Starts a command made by [`bound`].
///
/// The kernel sends the signal when the starting *thread* ends, so all of
/// them are started by one thread that lives as long as the program. Started
/// by a test's own thread, a server shared between tests would end with the
/// first of them.
pub fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Request>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, requests) = mpsc::channel::<Request>();
        thread::spawn(move || {
            for (mut command, answer) in requests {
                // Whoever asked may have gone; nobody misses the answer then.
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(sender)
    });
    let (answer, result) = mpsc::channel();
    let gone = || io::Error::other("the thread that starts processes has ended");
    spawner.lock().map_err(|_| gone())?.send((command, answer)).map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}

/// Sends a signal to a child that has not been waited for.
pub fn signal(child: &Child, signal: Signal) -> io::Result<()> {
    kill_process(Pid::from_child(child), signal).map_err(io::Error::from)
}

/// Waits for a child's end, at most so long. `None`: it still runs.
pub fn wait_at_most(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Asks a child to end, and ends it after the limit. Returns its status.
pub fn stop(child: &mut Child, polite: Signal, limit: Duration) -> io::Result<ExitStatus> {
    if let Some(status) = child.try_wait()? {
        return Ok(status);
    }
    signal(child, polite)?;
    if let Some(status) = wait_at_most(child, limit)? {
        return Ok(status);
    }
    child.kill()?;
    child.wait()
}

/// Whether this program runs as root.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A TCP port on 127.0.0.1 that was free a moment ago.
pub fn free_port() -> io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_child_outlives_the_thread_that_asked_for_it_and_has_its_own_pid() {
        let mut child = thread::spawn(|| {
            let mut command = bound("sleep", AtParentsEnd::Kill);
            command.arg("60");
            spawn(command).expect("sleep starts")
        })
        .join()
        .expect("the thread ends");
        assert!(wait_at_most(&mut child, Duration::from_millis(200)).expect("waits").is_none());
        let name = std::fs::read_to_string(format!("/proc/{}/comm", child.id())).expect("it runs");
        assert_eq!(name.trim(), "sleep");
        let status = stop(&mut child, Signal::TERM, Duration::from_secs(5)).expect("it ends");
        assert!(!status.success());
    }
}
