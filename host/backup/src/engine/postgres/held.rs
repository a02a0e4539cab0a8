//! The facts and the dump from one and the same moment: a session that reads
//! the facts, exports its snapshot, and keeps it until the dump has begun with it.

use std::{
    io::{BufRead, BufReader, Write},
    process::{ChildStdin, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use cofferdam_model::{Failure, FailureKind};
use serde_json::Value;

use super::{access::Access, psql, ready, words};
use crate::{Control, process::Running};

const FACTS: &str = include_str!("facts.sql");
/// How long the facts may take.
const LIMIT: Duration = Duration::from_secs(150);
/// Printed behind each answer. No answer looks like it: each is one JSON value.
const END_OF_ANSWER: &str = "end of answer";

/// The session would lose its snapshot if a timeout of the role ended it.
/// Which of these settings there are depends on the server's version.
const BEGIN: &str = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN \
                     ('idle_in_transaction_session_timeout', 'transaction_timeout') \\g /dev/null\n\
                     BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;\n";

/// An open transaction whose snapshot a dump may use, until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) snapshot: String,
    _running: Running,
    _input: ChildStdin,
}

/// Reads the facts, and keeps their snapshot where the server can export one.
pub(super) fn facts(
    access: &Access,
    export: bool,
    control: &Control,
) -> Result<(Value, Option<Held>), Failure> {
    let mut command = psql::command(access)?;
    command.args(["--file", "-"]);
    let mut running = Running::start(command, Stdio::piped(), |_| {})?;
    let mut input = running.input()?;
    let lines = lines(&mut running)?;
    let until = Instant::now() + LIMIT;
    let mut asking = |question: &str, running: &Running| {
        // If psql has ended, the missing answer says so.
        let _ = writeln!(input, "{question};\n\\echo {END_OF_ANSWER}").and_then(|()| input.flush());
        answer(&lines, running, until, control)
    };
    let facts = asking(&format!("{}{BEGIN}{FACTS}", psql::prelude()), &running)?;
    let Some(facts) = facts else {
        let (status, complaints) = running.finish()?;
        return Err(words::query_failed(status, &complaints, || ready::ask(access)).failure);
    };
    let facts = serde_json::from_str(&facts).map_err(|error| psql::not_understood(&error))?;
    if !export {
        return Ok((facts, None));
    }
    let snapshot = asking("SELECT pg_export_snapshot()", &running)?;
    let held = snapshot.map(|snapshot| Held {
        snapshot: snapshot.trim().to_owned(),
        _running: running,
        _input: input,
    });
    Ok((facts, held))
}

/// The lines that `psql` prints, from a thread of their own.
fn lines(running: &mut Running) -> Result<Receiver<String>, Failure> {
    let output = BufReader::new(running.output()?);
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in output.split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    Ok(lines)
}

/// The next answer; `None` if `psql` ended without one.
fn answer(
    lines: &Receiver<String>,
    running: &Running,
    until: Instant,
    control: &Control,
) -> Result<Option<String>, Failure> {
    let mut text = String::new();
    loop {
        control.go_on()?;
        match lines.recv_timeout(Duration::from_millis(50)) {
            Ok(line) if line == END_OF_ANSWER => return Ok(Some(text)),
            Ok(line) => {
                text.push_str(&line);
                text.push('\n');
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if running.has_ended() => return Ok(None),
            Err(RecvTimeoutError::Timeout) if Instant::now() > until => {
                return Err(words::silent(LIMIT));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// A snapshot's name is made by the server; it is checked all the same before
/// it becomes an argument.
pub(super) fn argument(held: &Held) -> Result<String, Failure> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if held.snapshot.is_empty() || !held.snapshot.bytes().all(fits) {
        return Err(Failure::new(
            FailureKind::Internal,
            "the server gave its snapshot a name that is not understood",
        ));
    }
    Ok(format!("--snapshot={}", held.snapshot))
}
