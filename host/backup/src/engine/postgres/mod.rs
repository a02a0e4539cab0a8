//! PostgreSQL, through its own client programs and nothing else.

mod access;
mod archive;
mod backends;
mod dump;
mod psql;
mod ready;
mod role;
mod survey;
mod words;

use std::{sync::OnceLock, time::Duration};

use cofferdam_artifact::TempArtifact;
use cofferdam_model::{BackupId, Failure, FailureKind, PostgresConnection, SourceFacts};
use serde_json::Value;

use super::{Dumped, Engine, Job, Survey};
use crate::{Clients, Control, observer::Journal};
use access::Access;

pub use backends::end_backends;

const FACTS: &str = include_str!("facts.sql");
/// How long the facts may take.
const FACTS_LIMIT: Duration = Duration::from_secs(150);

/// A PostgreSQL database, and the folder with its password.
#[derive(Debug)]
pub(super) struct Postgres {
    access: Access,
    connection: PostgresConnection,
    id: Option<BackupId>,
    /// What the survey found and the dump needs.
    found: OnceLock<Found>,
}

#[derive(Debug)]
struct Found {
    major: u32,
    /// Whether the role's strings are standard.
    conforming: bool,
    tables: u64,
}

/// What the server's list of sessions calls the run's own.
fn application(id: BackupId) -> String {
    format!("cofferdam-{id}")
}

impl Postgres {
    pub(super) fn open(
        connection: &PostgresConnection,
        clients: &Clients,
        id: Option<BackupId>,
    ) -> Result<Self, Failure> {
        let application = id.map_or_else(|| "cofferdam-check".to_owned(), application);
        let access = Access::new(connection, clients, &application)?;
        Ok(Self { access, connection: connection.clone(), id, found: OnceLock::new() })
    }
}

impl Engine for Postgres {
    fn survey(&self, control: &Control) -> Result<Survey, Failure> {
        let answer = survey::ask(&self.access, control)?;
        let (major, conforming) = (answer.major(), answer.conforming);
        let survey = survey::survey(answer, &self.access.clients);
        let found = Found { major, conforming, tables: survey.tables.len() as u64 };
        // A second look in the same run would find the same server.
        let _ = self.found.set(found);
        Ok(survey)
    }

    fn facts(&self, survey: &Survey, control: &Control) -> Result<SourceFacts, Failure> {
        let mut document: Value = psql::ask(&self.access, FACTS, FACTS_LIMIT, control)?;
        // Whoever compares should know that something may have changed in between.
        document["snapshot"] = "read in a transaction of its own, right before the dump".into();
        Ok(SourceFacts { server_version: survey.server_version.clone(), document })
    }

    fn dump(&self, job: &Job<'_>, temp: &mut TempArtifact) -> Result<Dumped, Failure> {
        let found = self.found.get().ok_or_else(|| {
            Failure::new(FailureKind::Internal, "a dump was begun before the look at the database")
        })?;
        dump::dump(&self.access, found, job, temp)
    }

    fn what_holds_it(&self, control: &Control) -> Option<String> {
        backends::blocked_by(&self.access, control)
    }

    fn clear_up(&self, journal: Journal<'_>) {
        let Some(id) = self.id else { return };
        match end_backends(&self.connection, &self.access.clients, id) {
            Ok(0) => {}
            Ok(1) => journal.info("one session of this run was ended on the server"),
            Ok(count) => {
                journal.info(format!("{count} sessions of this run were ended on the server"))
            }
            Err(failure) => journal.warning(format!(
                "the server could not be asked whether a session of this run is left: {failure}"
            )),
        }
    }
}
