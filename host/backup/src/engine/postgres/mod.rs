//! PostgreSQL, through its own client programs and nothing else.

mod access;
mod archive;
mod backends;
mod dump;
mod held;
mod psql;
mod ready;
mod role;
mod survey;
mod words;

use std::{
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use cofferdam_artifact::TempArtifact;
use cofferdam_model::{BackupId, Failure, FailureKind, PostgresConnection, SourceFacts};

use super::{Dumped, Engine, Job, Survey};
use crate::{Clients, Control, observer::Journal};
use access::Access;
use held::Held;

pub(crate) use backends::end_backends;

/// How long a server may take to forget a session that has ended.
const FORGETS: Duration = Duration::from_secs(1);

/// A PostgreSQL database, and the folder with its password.
#[derive(Debug)]
pub(super) struct Postgres {
    access: Access,
    connection: PostgresConnection,
    id: Option<BackupId>,
    /// What the survey found and the dump needs.
    found: OnceLock<Found>,
    /// The snapshot that the facts were read in, until the dump takes it over.
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
struct Found {
    major: u32,
    /// Whether the role's strings are standard.
    conforming: bool,
    /// Whether the role may have one session only.
    single: bool,
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
        Ok(Self {
            access,
            connection: connection.clone(),
            id,
            found: OnceLock::new(),
            held: Mutex::default(),
        })
    }

    /// A role with one session may open the next one only when the server has
    /// forgotten the last, which is a moment after its client has ended.
    fn let_sessions_end(&self, control: &Control) {
        if self.found.get().is_some_and(|found| found.single) {
            control.sleep(FORGETS);
        }
    }
}

impl Engine for Postgres {
    fn survey(&self, control: &Control) -> Result<Survey, Failure> {
        let answer = survey::ask(&self.access, control)?;
        let (major, conforming, single) =
            (answer.major(), answer.conforming, answer.single_session);
        let survey = survey::survey(answer, &self.access.clients);
        let found = Found { major, conforming, single, tables: survey.tables.len() as u64 };
        // A second look in the same run would find the same server.
        let _ = self.found.set(found);
        Ok(survey)
    }

    fn facts(&self, survey: &Survey, control: &Control) -> Result<SourceFacts, Failure> {
        let export = self.found.get().is_some_and(|found| !found.single);
        self.let_sessions_end(control);
        let (mut document, held) = held::facts(&self.access, export, control)?;
        // Where it is not, something may have changed between the facts and the dump.
        document["same_snapshot"] = held.is_some().into();
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
        Ok(SourceFacts { server_version: survey.server_version.clone(), document })
    }

    fn dump(&self, job: &Job<'_>, temp: &mut TempArtifact) -> Result<Dumped, Failure> {
        let found = self.found.get().ok_or_else(|| {
            Failure::new(FailureKind::Internal, "a dump was begun before the look at the database")
        })?;
        self.let_sessions_end(job.control);
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        dump::dump(&self.access, found, held, job, temp)
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
                journal.info(format!("{count} sessions of this run were ended on the server"));
            }
            Err(failure) => journal.warning(format!(
                "the server could not be asked whether a session of this run is left: {failure}"
            )),
        }
    }
}
