//! What the client programs and the server say, turned into failures.
//!
//! A statement that fails has an SQLSTATE, and that decides. A connection that
//! fails, and `pg_dump`, have only text: the client's own words are in English
//! here (`LC_ALL=C`), the server's perhaps not. So the few patterns below
//! decide where they fit, and where none does, the failure is named by what
//! is known for sure: an exit status, or whether the server answers at all.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};

use cofferdam_model::{Failure, FailureKind};

use super::{psql::QueryError, ready::Ready};
use crate::process::Complaints;

/// What a failure means, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Meaning {
    kind: FailureKind,
    message: &'static str,
    hint: &'static str,
}

const fn meaning(kind: FailureKind, message: &'static str, hint: &'static str) -> Meaning {
    Meaning { kind, message, hint }
}

const UNREACHABLE: Meaning = meaning(
    FailureKind::Connection,
    "the server cannot be reached",
    "check the host and port, and that the server runs and listens there",
);
const CLOSED: Meaning = meaning(
    FailureKind::Connection,
    "the server closed the connection",
    "look into the server's log for why; then start the backup again",
);
const NOT_READY: Meaning = meaning(
    FailureKind::Connection,
    "the server is starting up or shutting down, and takes no connections",
    "try again in a moment",
);
const FULL: Meaning = meaning(
    FailureKind::Connection,
    "the server has no connection left for this role",
    "try again later, or raise max_connections or the role's own limit",
);
const NO_SUCH_HOST: Meaning = meaning(
    FailureKind::Connection,
    "the host name is not known",
    "check the host in the settings of this database",
);
const TLS: Meaning = meaning(
    FailureKind::Connection,
    "the server and the TLS settings do not fit together",
    "check the TLS mode and the certificate file in the settings of this database",
);
const REFUSED: Meaning = meaning(
    FailureKind::Authentication,
    "the server refused the user name or the password",
    "correct the user name and the password in the settings of this database",
);
const NO_PASSWORD: Meaning = meaning(
    FailureKind::Authentication,
    "the server asks for a password, and none is set",
    "enter the password in the settings of this database",
);
const NO_ENTRY: Meaning = meaning(
    FailureKind::Authentication,
    "the server lets nobody in from here with this user name and database",
    "add a line for them to the server's pg_hba.conf, or check the TLS mode",
);
const NO_DATABASE: Meaning = meaning(
    FailureKind::Settings,
    "the server has no database of that name",
    "correct the database name in the settings of this database",
);
const NO_RIGHT: Meaning = meaning(
    FailureKind::Privilege,
    "the role may not read everything that the backup needs",
    "grant what is missing; the check on the database's page names it",
);
const HIDDEN_ROWS: Meaning = meaning(
    FailureKind::Privilege,
    "row-level security would hide rows from this role, so the backup would not be whole",
    "use a role with BYPASSRLS",
);
const LOCKED: Meaning = meaning(
    FailureKind::Stall,
    "a table stayed locked by another session for as long as the stall limit allows",
    "see who holds the lock (pg_locks), or run the backup at a quieter time",
);
const TOO_NEW: Meaning = meaning(
    FailureKind::Client,
    "the installed client is older than the server",
    "install the client package of the server's major version",
);

/// Texts by which a message is known; of several, the first that fits counts.
const PATTERNS: [(&str, Meaning); 34] = [
    ("password authentication failed", REFUSED),
    ("no password supplied", NO_PASSWORD),
    ("no pg_hba.conf entry", NO_ENTRY),
    ("pg_hba.conf rejects connection", NO_ENTRY),
    ("authentication failed", REFUSED),
    ("is not permitted to log in", REFUSED),
    ("certificate verify failed", TLS),
    ("server does not support SSL", TLS),
    ("root certificate file", TLS),
    ("server certificate for", TLS),
    ("SSL error", TLS),
    ("the database system is", NOT_READY),
    ("too many clients already", FULL),
    ("too many connections for", FULL),
    ("remaining connection slots", FULL),
    ("permission denied for database", NO_RIGHT),
    ("could not translate host name", NO_SUCH_HOST),
    ("Connection refused", UNREACHABLE),
    ("timeout expired", UNREACHABLE),
    ("No such file or directory", UNREACHABLE),
    ("No route to host", UNREACHABLE),
    ("Network is unreachable", UNREACHABLE),
    ("server version mismatch", TOO_NEW),
    ("lock timeout", LOCKED),
    // pg_dump bounds its own wait for a lock by this one, and sets no other.
    ("statement timeout", LOCKED),
    ("row-level security", HIDDEN_ROWS),
    ("permission denied", NO_RIGHT),
    ("terminating connection", CLOSED),
    ("server closed the connection", CLOSED),
    ("no connection to the server", CLOSED),
    ("connection not open", CLOSED),
    ("could not receive data from server", CLOSED),
    ("SSL SYSCALL error", CLOSED),
    ("connection has been closed", CLOSED),
];

/// The meaning of a text in the client's or server's own words.
fn of_text(text: &str) -> Option<Meaning> {
    // Only whole shapes: the name between the quotes may be anything.
    let missing = |what: &str| {
        text.contains(&format!("FATAL:  {what} \"")) && text.contains("\" does not exist")
    };
    if missing("database") {
        return Some(NO_DATABASE);
    }
    if missing("role") {
        return Some(REFUSED);
    }
    PATTERNS.iter().find(|(pattern, _)| text.contains(pattern)).map(|&(_, meaning)| meaning)
}

/// The meaning of an SQLSTATE.
fn of_state(state: &str) -> Option<Meaning> {
    Some(match (&state[..2], state) {
        ("08", _) | (_, "57P01" | "57P02" | "57P05") => CLOSED,
        ("28", _) => REFUSED,
        (_, "3D000") => NO_DATABASE,
        (_, "42501") => NO_RIGHT,
        (_, "53300") => FULL,
        (_, "55P03") => LOCKED,
        (_, "57P03") => NOT_READY,
        _ => return None,
    })
}

/// The SQLSTATE in what `psql` wrote with `VERBOSITY=verbose`: the five
/// characters after the severity, whatever language that is in.
fn sqlstate(complaints: &Complaints) -> Option<&str> {
    complaints.lines().find_map(|line| {
        line.match_indices(":  ").find_map(|(at, gap)| {
            let rest = &line[at + gap.len()..];
            let (state, _) = rest.split_once(':')?;
            let fits = state.len() == 5
                && state.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
            fits.then_some(state)
        })
    })
}

/// Why `psql` failed. `ready` is asked only where a connection failed in words
/// that are not known.
pub(super) fn query_failed(
    status: ExitStatus,
    complaints: &Complaints,
    ready: impl FnOnce() -> Ready,
) -> QueryError {
    let text = complaints.text();
    let state = sqlstate(complaints).map(str::to_owned);
    let known = state.as_deref().and_then(of_state).or_else(|| {
        // Status 2: the connection failed, so what was written is about that.
        (status.code() == Some(2)).then(|| of_text(&text).unwrap_or_else(|| by_answer(ready())))
    });
    let failure = match known {
        Some(meaning) => say(meaning),
        None => Failure::new(FailureKind::Tool, format!("psql failed with {}", ending(status))),
    };
    QueryError { sqlstate: state, failure: failure.detail(text) }
}

fn by_answer(ready: Ready) -> Meaning {
    match ready {
        Ready::Accepting => meaning(
            FailureKind::Authentication,
            "the server answers, but refused this connection",
            "the server's own words say why; check user name, password and database name",
        ),
        Ready::Rejecting => NOT_READY,
        Ready::Silent | Ready::Unknown => UNREACHABLE,
    }
}

/// Why `pg_dump` or `pg_restore` failed, by its exit status and its error lines.
pub(super) fn tool_failed(tool: &str, status: ExitStatus, complaints: &Complaints) -> Failure {
    // Of the tool's many lines, only errors speak about the failure; the rest
    // names tables, and a table may be called anything.
    let errors: Vec<&str> = complaints.lines().filter(|line| !is_chatter(line)).collect();
    let failure = match of_text(&errors.join("\n")) {
        Some(meaning) => say(meaning),
        None => Failure::new(FailureKind::Tool, format!("{tool} failed with {}", ending(status)))
            .hint("the tool's own words say why"),
    };
    failure.detail(errors.join("\n"))
}

/// Whether the line is neither an error nor part of one.
pub(super) fn is_chatter(line: &str) -> bool {
    let Some((tool, rest)) = line.split_once(": ") else { return false };
    matches!(tool, "pg_dump" | "pg_restore")
        && !["error: ", "detail: ", "hint: ", "fatal: "].iter().any(|p| rest.starts_with(p))
}

/// Whether the line is an error, whatever the exit status says later.
pub(super) fn is_error(line: &str) -> bool {
    ["pg_dump: error: ", "pg_restore: error: ", "pg_dump: fatal: "]
        .iter()
        .any(|p| line.starts_with(p))
}

/// Whether the line is a warning.
pub(super) fn is_warning(line: &str) -> bool {
    line.starts_with("pg_dump: warning: ")
}

/// The table that `pg_dump --verbose` says it begins with.
pub(super) fn table_begins(line: &str) -> Option<&str> {
    line.strip_prefix("pg_dump: dumping contents of table \"")?.strip_suffix('"')
}

/// The server was asked and did not answer.
pub(super) fn silent(limit: Duration) -> Failure {
    Failure::new(
        FailureKind::Stall,
        format!("the server gave no answer within {} seconds", limit.as_secs()),
    )
    .hint("check the network and the server's load")
}

fn say(meaning: Meaning) -> Failure {
    Failure::new(meaning.kind, meaning.message).hint(meaning.hint)
}

/// How a process ended, for people.
pub(super) fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::read_complaints;

    fn complaints(text: &str) -> Complaints {
        read_complaints(text.as_bytes(), |_| {})
    }

    fn exit(code: i32) -> ExitStatus {
        ExitStatus::from_raw(code << 8)
    }

    #[test]
    fn refused_connections_are_told_apart() {
        use FailureKind::{Authentication, Connection, Privilege, Settings};
        let head = "psql: error: connection to server at \"127.0.0.1\", port 5432 failed: ";
        for (text, kind) in [
            ("FATAL:  password authentication failed for user \"a\"", Authentication),
            ("fe_sendauth: no password supplied", Authentication),
            ("FATAL:  role \"a\" does not exist", Authentication),
            ("FATAL:  no pg_hba.conf entry for host \"::1\"", Authentication),
            ("FATAL:  database \"a\" does not exist", Settings),
            ("FATAL:  permission denied for database \"a\"", Privilege),
            ("Connection refused", Connection),
            ("timeout expired", Connection),
            ("FATAL:  sorry, too many clients already", Connection),
            ("FATAL:  the database system is starting up", Connection),
            ("SSL error: certificate verify failed", Connection),
        ] {
            let error = query_failed(exit(2), &complaints(&format!("{head}{text}")), || {
                panic!("the text suffices")
            });
            assert_eq!(error.failure.kind, kind, "{text}");
            assert!(error.failure.hint.is_some());
        }
    }

    #[test]
    fn words_in_another_language_leave_the_decision_to_whether_the_server_answers() {
        let text = complaints("psql: error: FATAL:  Passwort-Authentifizierung fehlgeschlagen");
        for (ready, kind) in [
            (Ready::Accepting, FailureKind::Authentication),
            (Ready::Rejecting, FailureKind::Connection),
            (Ready::Silent, FailureKind::Connection),
        ] {
            assert_eq!(query_failed(exit(2), &text, || ready).failure.kind, kind);
        }
    }

    #[test]
    fn a_statement_is_judged_by_its_sqlstate() {
        for (text, state, kind) in [
            ("ERROR:  42501: permission denied for table t", "42501", FailureKind::Privilege),
            ("FEHLER:  42501: keine Berechtigung", "42501", FailureKind::Privilege),
            ("FATAL:  57P01: terminating connection", "57P01", FailureKind::Connection),
            ("ERROR:  55P03: canceling statement", "55P03", FailureKind::Stall),
            ("ERROR:  42703: column \"permission denied\"", "42703", FailureKind::Tool),
        ] {
            let error = query_failed(exit(1), &complaints(text), || Ready::Unknown);
            assert_eq!(error.sqlstate.as_deref(), Some(state));
            assert_eq!(error.failure.kind, kind, "{text}");
        }
    }

    #[test]
    fn a_table_with_an_alarming_name_alarms_nobody() {
        let text = "pg_dump: dumping contents of table \"public.permission denied\"\n\
                    pg_dump: error: out of memory";
        let failure = tool_failed("pg_dump", exit(1), &complaints(text));
        assert_eq!(failure.kind, FailureKind::Tool);
        assert_eq!(failure.message, "pg_dump failed with exit status 1");
        assert_eq!(failure.detail.as_deref(), Some("pg_dump: error: out of memory"));
        assert_eq!(
            tool_failed("pg_dump", ExitStatus::from_raw(9), &complaints("")).message,
            "pg_dump failed with signal 9"
        );
    }
}
