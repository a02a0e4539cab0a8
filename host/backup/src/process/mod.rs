//! Child processes: in a group of their own, with a cleared environment,
//! nothing on their input, and never left behind.

mod stderr;

use std::{
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use cofferdam_model::{Failure, FailureKind};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

pub(crate) use stderr::{Complaints, read_complaints};

/// How long a child may take to end by itself once it was asked to.
const GRACE: Duration = Duration::from_millis(500);

/// A process group that may be killed from any thread, for as long as its
/// leader has not been reaped: after that its number may be somebody else's.
#[derive(Debug, Clone)]
pub(crate) struct Group(Arc<Mutex<Option<Pid>>>);

impl Group {
    /// Ends the group: asks first, so that `pg_dump` can cancel its query on
    /// the server, and kills what is left after a moment. Blocks for at most
    /// that moment. A stopped process cannot hear the question; it is killed too.
    pub(crate) fn end(&self) {
        self.signal(Signal::TERM);
        let until = Instant::now() + GRACE;
        while Instant::now() < until {
            if self.has_ended() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = *self.leader() {
            // The group may be gone already; that is what was wanted.
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Whether the leader has ended; it may still wait to be reaped.
    fn has_ended(&self) -> bool {
        match *self.leader() {
            Some(pid) => ended(pid),
            None => true,
        }
    }

    fn leader(&self) -> MutexGuard<'_, Option<Pid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the child has ended, without reaping it.
fn ended(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
}

/// A running child. Dropping it kills and reaps it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    group: Group,
    complaints: Option<JoinHandle<Complaints>>,
}

impl Running {
    /// Starts a program whose environment, apart from the paths and the locale
    /// that every child gets, is what `command` names. `heard` gets each line
    /// of its standard error as it comes.
    pub(crate) fn start(
        mut command: Command,
        input: Stdio,
        heard: impl FnMut(&str) + Send + 'static,
    ) -> Result<Self, Failure> {
        let name = Path::new(command.get_program()).to_owned();
        command.process_group(0).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| could_not_start(&name, &error))?;
        let pid = Pid::from_child(&child);
        let group = Group(Arc::new(Mutex::new(Some(pid))));
        let complaints =
            child.stderr.take().map(|pipe| thread::spawn(move || read_complaints(pipe, heard)));
        Ok(Self { child, group, complaints })
    }

    /// What the child writes. Taken once.
    pub(crate) fn output(&mut self) -> Result<ChildStdout, Failure> {
        self.child.stdout.take().ok_or_else(|| {
            Failure::new(FailureKind::Internal, "the output of a child process was taken twice")
        })
    }

    /// What the child reads, if it was started with a pipe. Taken once.
    pub(crate) fn input(&mut self) -> Result<ChildStdin, Failure> {
        self.child.stdin.take().ok_or_else(|| {
            Failure::new(FailureKind::Internal, "the input of a child process was taken twice")
        })
    }

    /// The handle by which another thread ends it.
    pub(crate) fn group(&self) -> Group {
        self.group.clone()
    }

    /// Whether the child has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.group.has_ended()
    }

    /// Waits for the child's end, kills what it left behind in its group, and
    /// gives its exit status and what it wrote to standard error.
    pub(crate) fn finish(mut self) -> Result<(ExitStatus, Complaints), Failure> {
        self.reap().map_err(|error| {
            Failure::new(FailureKind::Internal, format!("a child process was lost: {error}"))
        })
    }

    fn reap(&mut self) -> io::Result<(ExitStatus, Complaints)> {
        let leader = *self.group.leader();
        if let Some(pid) = leader {
            // Wait without reaping: until it is reaped, the number is its own.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
            // A grandchild that holds the pipes open would keep the reader waiting.
            self.group.signal(Signal::KILL);
            *self.group.leader() = None;
        }
        let status = self.child.wait()?;
        let complaints = self.complaints.take().and_then(|thread| thread.join().ok());
        Ok((status, complaints.unwrap_or_default()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.group.signal(Signal::KILL);
        let _ = self.reap();
    }
}

fn could_not_start(program: &Path, error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::Client,
        format!("{} could not be started: {error}", program.display()),
    )
    .hint("check that the program is still installed and may be run")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Running {
        let mut command = Command::new("/bin/sh");
        command.env_clear().env("PATH", "/usr/bin:/bin").arg("-c").arg(script);
        Running::start(command, Stdio::null(), |_| {}).expect("sh starts")
    }

    #[test]
    fn a_whole_group_ends_even_if_its_members_ignore_the_question() {
        let running = shell("trap '' TERM; sleep 600 & sleep 600; sleep 600");
        thread::sleep(Duration::from_millis(100));
        let group = running.group();
        let begin = Instant::now();
        group.end();
        let (status, _) = running.finish().expect("it is reaped");
        assert!(!status.success());
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }

    #[test]
    fn a_grandchild_with_the_pipe_does_not_hold_the_run_up() {
        let running = shell("sleep 600 & echo gone >&2");
        let begin = Instant::now();
        let (status, complaints) = running.finish().expect("it is reaped");
        assert!(status.success());
        assert_eq!(complaints.text(), "gone");
        assert!(begin.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let failure = Running::start(Command::new("/nowhere/pg_dump"), Stdio::null(), |_| {});
        let failure = failure.expect_err("there is no such program");
        assert_eq!(failure.kind, FailureKind::Client);
        assert!(failure.message.starts_with("/nowhere/pg_dump could not be started"));
    }
}
