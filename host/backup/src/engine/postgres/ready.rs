//! Whether a server answers at all, by an exit status and not by a text.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::access::Access;
use crate::process::Running;

/// What `pg_isready` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    /// It takes connections; so it was this one that it did not want.
    Accepting,
    /// It answers, but starts up or shuts down.
    Rejecting,
    /// Nothing answers there.
    Silent,
    /// The question could not be asked.
    Unknown,
}

/// Asks, for at most a few seconds.
pub(super) fn ask(access: &Access) -> Ready {
    let Ok(client) = access.clients.newest() else { return Ready::Unknown };
    let mut command: Command = access.command(client, "pg_isready");
    command.args(["--timeout", "3"]);
    let Ok(mut running) = Running::start(command, Stdio::null(), |_| {}) else {
        return Ready::Unknown;
    };
    // It writes one line, which fits into the pipe.
    let _output = running.output();
    let until = Instant::now() + Duration::from_secs(6);
    while !running.has_ended() {
        if Instant::now() > until {
            return Ready::Unknown;
        }
        thread::sleep(Duration::from_millis(5));
    }
    match running.finish().map(|(status, _)| status.code()) {
        Ok(Some(0)) => Ready::Accepting,
        Ok(Some(1)) => Ready::Rejecting,
        Ok(Some(2)) => Ready::Silent,
        _ => Ready::Unknown,
    }
}
