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
/// How long one question may take. Short, because whoever cancelled a run waits
/// for it; a server that does not answer by then is asked in vain.
const QUESTION: Duration = Duration::from_secs(5);
/// How long the question what a dump waits for may take; the dump stands still meanwhile.
const WONDER: Duration = Duration::from_secs(5);

/// See [`crate::end_backends`].
pub(crate) fn end_backends(
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
    let user = holder.user.map(|user| format!(" of {user}")).unwrap_or_default();
    let name = holder.application.filter(|name| !name.is_empty());
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    Some(format!("{what} is locked by session {}{user}{name}", holder.pid))
}
