//! The look at a PostgreSQL database before its dump.

use std::time::Duration;

use cofferdam_model::Failure;
use serde::Deserialize;

use super::{access::Access, psql, role};
use crate::{
    Client, Clients, Control, Problem, ProblemKind,
    engine::{Survey, TableSize},
};

const SQL: &str = include_str!("survey.sql");
/// A table's size with what is stored aside. Waits for a table's lock.
const SIZE: &str = "pg_table_size(oid)";
/// The size at the last ANALYZE or VACUUM. Waits for nothing.
const SIZE_REMEMBERED: &str = "(SELECT (greatest(c.relpages, 0) + coalesce(greatest(t.relpages, 0), 0))::bigint \
     * current_setting('block_size')::bigint FROM pg_class c LEFT JOIN pg_class t \
     ON t.oid = c.reltoastrelid WHERE c.oid = relation.oid)";

/// How long the look may take.
const LIMIT: Duration = Duration::from_secs(150);

/// Large objects and tables hold more than the SQL text in gzip takes: four
/// times as much is usual. What the guess misses, the run's own watch sees.
const SHRINKS: u64 = 4;
/// A run without a byte of data still writes a file.
const LEAST: u64 = 1024 * 1024;

/// The answer to `survey.sql`.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    version_num: u32,
    version: String,
    pub(super) database: String,
    pub(super) role: String,
    size: u64,
    pub(super) conforming: bool,
    pub(super) single_session: bool,
    large_object_bytes: u64,
    pub(super) large_objects: bool,
    pub(super) schemas: Vec<String>,
    tables: Vec<(String, String, Option<u64>)>,
    pub(super) unreadable: Vec<String>,
    pub(super) filtered: Vec<String>,
}

impl Answer {
    /// 15 in 15.18.
    pub(super) fn major(&self) -> u32 {
        self.version_num / 10_000
    }
}

/// Asks the server.
pub(super) fn ask(access: &Access, control: &Control) -> Result<Answer, Failure> {
    let exact = SQL.replace("{size}", SIZE);
    match psql::ask(access, &exact, LIMIT, control) {
        // Somebody holds a table's strictest lock. Its size is no reason to fail.
        Err(error) if error.sqlstate.as_deref() == Some("55P03") => {
            let remembered = SQL.replace("{size}", SIZE_REMEMBERED);
            Ok(psql::ask(access, &remembered, LIMIT, control)?)
        }
        other => Ok(other?),
    }
}

/// Turns the answer into findings.
pub(super) fn survey(answer: Answer, clients: &Clients) -> Survey {
    let major = answer.major();
    let mut problems = Vec::new();
    let client = match clients.for_server(major) {
        Ok(client) => {
            problems.extend(below_floor(client));
            Some(client)
        }
        Err(failure) => {
            let Failure { message, hint, .. } = failure;
            problems.push(Problem { kind: ProblemKind::ClientTooOld, text: message, hint });
            None
        }
    };
    problems.extend(role::problems(&answer));
    let role_sql = Some(role::sql(&answer));
    let tables: Vec<TableSize> = answer
        .tables
        .into_iter()
        .map(|(name, plain, bytes)| TableSize { name, plain, bytes: bytes.unwrap_or(0) })
        .collect();
    let data: u64 = tables.iter().map(|table| table.bytes).sum();
    Survey {
        server_version: Some(format!("PostgreSQL {}", answer.version)),
        tool_version: client.map(|client| client.banner().to_owned()),
        tool_path: client.map(|client| client.program("pg_dump")),
        tool_reason: client.map(|client| Clients::reason(client, major)),
        size_bytes: answer.size,
        other_bytes: answer.large_object_bytes,
        needed_bytes: (data + answer.large_object_bytes) / SHRINKS + LEAST,
        tables,
        problems,
        expected_raw: None,
        unreadable: answer.unreadable,
        role_sql,
    }
}

fn below_floor(client: &Client) -> Option<Problem> {
    let version = client.version();
    let floor = version.below_floor()?;
    Some(Problem {
        kind: ProblemKind::ClientBelowFloor,
        text: format!(
            "client {version} has known holes through which a hostile server or dump can run \
             commands; {floor} closes them"
        ),
        hint: Some(format!("update the package postgresql-client-{}", floor.major)),
    })
}
