//! A run's own sessions on the server: what they wait for, and their end.

use std::{
    thread,
    time::{Duration, Instant},
};

use cofferdam_model::{BackupId, Failure, FailureKind, PostgresConnection};
use serde::Deserialize;

use super::{access::Access, application, psql};
use crate::{Clients, Control};

/// How long the sessions may take to end once they were told to.
const END: Duration = Duration::from_secs(15);
/// How long one question may take.
const QUESTION: Duration = Duration::from_secs(20);
/// How long the question what a dump waits for may take; the dump stands still meanwhile.
const WONDER: Duration = Duration::from_secs(5);

/// Ends every session that a backup run left on the server, and waits until
/// none is left; gives how many there were. Safe to call for a run that never
/// was, or whose sessions are long gone.
///
/// # Errors
/// Where the server cannot be asked, or a session does not end.
pub fn end_backends(
    connection: &PostgresConnection,
    clients: &Clients,
    id: BackupId,
) -> Result<u64, Failure> {
    let access = Access::new(connection, clients, "cofferdam-clear-up")?;
    let sql = format!(
        "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name = '{}' AND usename = current_user \
         AND pid <> pg_backend_pid() OFFSET 0) ended",
        application(id)
    );
    let control = Control::new();
    let until = Instant::now() + END;
    let mut most = 0;
    loop {
        let left: u64 = psql::ask(&access, &sql, QUESTION, &control)?;
        most = most.max(left);
        if left == 0 {
            return Ok(most);
        }
        if Instant::now() > until {
            return Err(Failure::new(
                FailureKind::Connection,
                "a session of this run on the server did not end when it was told to",
            )
            .hint(format!("look for {} in pg_stat_activity", application(id))));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[derive(Debug, Deserialize)]
struct Holder {
    relation: Option<String>,
    pid: i64,
    user: Option<String>,
    application: Option<String>,
}

/// Who holds the lock that this run's session waits for, in one clause.
pub(super) fn blocked_by(access: &Access, control: &Control) -> Option<String> {
    let sql = format!(
        "SELECT json_build_object('relation', (SELECT relation::regclass::text FROM pg_locks l \
         WHERE l.pid = w.pid AND NOT l.granted AND l.relation IS NOT NULL LIMIT 1), \
         'pid', b.pid, 'user', b.usename, 'application', b.application_name) \
         FROM pg_stat_activity w, unnest(pg_blocking_pids(w.pid)) h(pid), pg_stat_activity b \
         WHERE w.application_name = '{}' AND w.pid <> pg_backend_pid() AND b.pid = h.pid LIMIT 1",
        access.application
    );
    let holder: Holder = psql::ask(access, &sql, WONDER, control).ok()?;
    let what =
        holder.relation.map_or_else(|| "something".to_owned(), |name| format!("the table {name}"));
    let mut who = format!("session {}", holder.pid);
    if let Some(user) = holder.user {
        who.push_str(&format!(" of {user}"));
    }
    if let Some(name) = holder.application.filter(|name| !name.is_empty()) {
        who.push_str(&format!(" ({name})"));
    }
    Some(format!("{what} is locked by {who}"))
}
