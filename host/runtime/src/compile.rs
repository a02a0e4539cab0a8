//! Compiling in a child process, which a hostile component may waste or crash
//! without harm.

use std::{
    ffi::OsString,
    fs::File,
    io::{Read as _, Write as _},
    path::PathBuf,
    process::{ExitCode, ExitStatus, Stdio},
    time::Duration,
};

use bytes::Bytes;
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit, set_parent_process_death_signal};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
};

use crate::{Refusal, engine::engine, text::clean};

/// How to start a child that compiles, and what it may use.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// The program: the console itself.
    pub program: PathBuf,
    /// What makes it call [`compile_child`].
    pub arguments: Vec<OsString>,
    /// From its start to its end.
    pub time: Duration,
    /// Of address space.
    pub memory_bytes: u64,
}

/// Native code is several times as large as its component. A child that writes
/// more is ended.
const ARTIFACT: u64 = 1 << 30;
/// What is kept of the compiler's own words.
const WORDS: u64 = 8 << 10;
/// More gain little, and each of them takes address space.
const THREADS: &str = "4";
/// So that "cannot be compiled" is told from "crashed".
const INVALID: u8 = 3;

/// What the hidden subcommand runs: a component on standard input, its native
/// code on standard output, a reason on standard error.
#[must_use]
#[expect(clippy::print_stderr, reason = "standard error is where the parent reads the reason")]
pub fn compile_child() -> ExitCode {
    // A console that is killed takes its compilers along. Where that cannot be
    // arranged, their bound on processor time ends them.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    let mut component = Vec::new();
    let work = || {
        std::io::stdin().lock().read_to_end(&mut component)?;
        let artifact = match engine()?.precompile_component(&component) {
            Ok(artifact) => artifact,
            Err(error) => {
                eprintln!("{error:#}");
                return Ok(ExitCode::from(INVALID));
            }
        };
        let mut output = std::io::stdout().lock();
        output.write_all(&artifact)?;
        output.flush()?;
        wasmtime::error::Ok(ExitCode::SUCCESS)
    };
    let mut work = work;
    work().unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

impl Compiler {
    /// Writes the component's native code to a file, past this process's memory.
    pub(crate) async fn compile(&self, component: &Bytes, output: File) -> Result<(), Refusal> {
        let host =
            |what: &str, error: &dyn std::fmt::Display| Refusal::Host(format!("{what}: {error}"));
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env("RAYON_NUM_THREADS", THREADS)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| host("the compiler cannot be started", &error))?;
        // It waits for its input, so it is bounded before it has done anything.
        self.bound(&child).map_err(|error| host("the compiler cannot be bounded", &error))?;
        match tokio::time::timeout(self.time, talk(&mut child, component)).await {
            Ok(Ok((status, words))) => self.judge(status, &words),
            Ok(Err(error)) => Err(host("the compiler cannot be talked to", &error)),
            Err(_) => {
                // It is killed when it is dropped, too; here it is waited for.
                let _ = child.kill().await;
                Err(Refusal::CompileTime(self.time))
            }
        }
    }

    fn bound(&self, child: &Child) -> std::io::Result<()> {
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let bound = |resource, most| {
            let limit = Rlimit { current: Some(most), maximum: Some(most) };
            prlimit(pid, resource, limit).map(|_| ())
        };
        if pid.is_none() {
            return Err(std::io::Error::other("it has ended already"));
        }
        bound(Resource::As, self.memory_bytes)?;
        // For a child whose parent was killed before it could wait.
        bound(Resource::Cpu, self.time.as_secs().max(1).saturating_mul(4))?;
        bound(Resource::Core, 0)?;
        bound(Resource::Fsize, ARTIFACT)?;
        Ok(())
    }

    fn judge(&self, status: ExitStatus, words: &[u8]) -> Result<(), Refusal> {
        if status.success() {
            return Ok(());
        }
        let words = clean(&String::from_utf8_lossy(words), 1000, false).trim().to_owned();
        match status.code() {
            Some(code) if code == i32::from(INVALID) => Err(Refusal::Invalid(words)),
            Some(_) if !words.is_empty() => {
                Err(Refusal::Host(format!("the compiler failed: {words}")))
            }
            _ => Err(Refusal::CompileCrash {
                how: status.to_string(),
                memory_bytes: self.memory_bytes,
            }),
        }
    }
}

/// How it ended, and its own words. Writes and reads at once: neither side
/// waits for the other with a full pipe.
async fn talk(child: &mut Child, component: &Bytes) -> std::io::Result<(ExitStatus, Vec<u8>)> {
    let gone = || std::io::Error::other("its streams are not there");
    let mut input = child.stdin.take().ok_or_else(gone)?;
    let errors = child.stderr.take().ok_or_else(gone)?;
    let write = async move {
        // Ended before it had read all: its status tells why.
        let _ = input.write_all(component).await;
        drop(input);
        std::io::Result::Ok(())
    };
    let ((), words) = tokio::try_join!(write, read(errors, WORDS))?;
    Ok((child.wait().await?, words))
}

/// The beginning; the rest is read and let go, so that the child can end.
async fn read(stream: impl AsyncRead + Unpin, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut stream = stream.take(most);
    stream.read_to_end(&mut bytes).await?;
    tokio::io::copy(&mut stream.into_inner(), &mut tokio::io::sink()).await?;
    Ok(bytes)
}
