//! Questions to the server, asked through `psql`.

use std::{
    io::Read,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use cofferdam_model::{Failure, FailureKind};
use serde::de::DeserializeOwned;

use super::{access::Access, words};
use crate::{Control, process::Running};

/// What every session is told first. The search path is emptied so that
/// nothing but the server's own functions and operators is ever called.
const PRELUDE: [&str; 4] = [
    "SET search_path = ''",
    "SET client_encoding = 'UTF8'",
    "SET statement_timeout = '120s'",
    "SET lock_timeout = '5s'",
];

/// A query that failed: with the server's own code where it got that far.
#[derive(Debug, Clone)]
pub(super) struct QueryError {
    /// Five characters, as in SQL.
    pub(super) sqlstate: Option<String>,
    pub(super) failure: Failure,
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        error.failure
    }
}

/// Asks one question whose answer is one JSON value.
pub(super) fn ask<T: DeserializeOwned>(
    access: &Access,
    sql: &str,
    limit: Duration,
    control: &Control,
) -> Result<T, QueryError> {
    let answer = tell(access, sql, limit, control)?;
    serde_json::from_str(&answer)
        .map_err(|error| QueryError { sqlstate: None, failure: not_understood(&error) })
}

pub(super) fn not_understood(error: &serde_json::Error) -> Failure {
    Failure::new(FailureKind::Internal, format!("the server's answer was not understood: {error}"))
}

/// `psql` as every question starts it.
pub(super) fn command(access: &Access) -> Result<Command, Failure> {
    let mut command = access.command(access.clients.newest()?, "psql");
    command.args(["--no-psqlrc", "--no-password", "--quiet", "--tuples-only", "--no-align"]);
    // Verbose, because it names the SQLSTATE in front of the message.
    command.args(["--set", "ON_ERROR_STOP=1", "--set", "VERBOSITY=verbose"]);
    Ok(command)
}

/// What every session is told first, as a script.
pub(super) fn prelude() -> String {
    PRELUDE.iter().flat_map(|statement| [*statement, ";\n"]).collect()
}

/// Runs one statement and gives what it printed.
pub(super) fn tell(
    access: &Access,
    sql: &str,
    limit: Duration,
    control: &Control,
) -> Result<String, QueryError> {
    let plain = |failure| QueryError { sqlstate: None, failure };
    let mut command = command(access).map_err(plain)?;
    for statement in PRELUDE.into_iter().chain([sql]) {
        command.args(["--command", statement]);
    }
    let mut running = Running::start(command, Stdio::null(), |_| {}).map_err(plain)?;
    let mut output = running.output().map_err(plain)?;
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        output.read_to_end(&mut text).map(|_| text)
    });
    let until = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    while !running.has_ended() {
        control.go_on().map_err(plain)?;
        if Instant::now() > until {
            return Err(plain(words::silent(limit)));
        }
        // Most answers come within a few milliseconds; none is waited for in a busy loop.
        control.sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    let (status, complaints) = running.finish().map_err(plain)?;
    if !status.success() {
        return Err(words::query_failed(status, &complaints, || super::ready::ask(access)));
    }
    match reader.join() {
        Ok(Ok(text)) => Ok(String::from_utf8_lossy(&text).into_owned()),
        _ => Err(plain(Failure::new(FailureKind::Internal, "the answer of psql was lost"))),
    }
}
