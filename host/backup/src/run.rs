//! One backup, from the first question to the published file.

use std::{
    sync::{Arc, OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use chrono::{SubsecRound, Utc};
use cofferdam_artifact::{Folder, Meter, Published, TempArtifact, artifact_filename, follow::Live};
use cofferdam_model::{
    BackupId, BackupOptions, Connection, DatabaseId, Failure, FailureKind, Label, Phase, Progress,
    SIDECAR_VERSION, Sidecar, Slug, SourceFacts, Timestamp, Trigger, size,
};

use crate::{
    Clients, Control, Observer,
    engine::{self, Dumped, Engine, Job, Survey, supports},
    observer::Journal,
    progress::Estimator,
    source::{disk, folder_failed, publish_failed},
    space,
    stage::Stage,
    watch::Watch,
};

/// How long a run may take, and what it must leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From its start to its end; `None` for no limit.
    pub whole: Option<Duration>,
    /// The longest time without a byte from the dump.
    pub stall: Duration,
    /// What must stay free in the backup folder.
    pub keep_free_bytes: u64,
}

/// What is to be backed up, and what its record says.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// The backup's identifier; also in the name of its sessions on the server.
    pub id: BackupId,
    /// The database's record.
    pub database_id: DatabaseId,
    /// The database's short name, for the file name.
    pub database: Slug,
    /// How to reach it.
    pub connection: &'a Connection,
    /// The choices for this backup.
    pub options: BackupOptions,
    /// What asked for it.
    pub trigger: Trigger,
    /// Who asked for it.
    pub created_by: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Whether it is never to be deleted.
    pub pinned: bool,
    /// Labels at its start.
    pub labels: Vec<Label>,
    /// Time and room.
    pub limits: Limits,
}

/// Makes one backup. Blocks until the file has its name and its sidecar is
/// beside it, or until everything of the attempt is gone.
///
/// # Errors
/// Why there is no backup. After [`Control::cancel`] it is that reason,
/// unless the file had its name before.
pub fn run(
    run: &Run<'_>,
    folder: &Folder,
    clients: &Clients,
    control: &Control,
    observer: &dyn Observer,
) -> Result<Sidecar, Failure> {
    let journal = Journal(observer);
    let began = Instant::now();
    let prepared = supports(engine::kind(run.connection), run.options.format)
        .and_then(|()| engine::open(run.connection, clients, Some(run.id)));
    let (outcome, last) = match prepared {
        Ok(engine) => watched(run, folder, control, journal, engine.as_ref()),
        Err(failure) => (Err(failure), Progress::default()),
    };
    // What a tool says that was killed is not why the run ended.
    let outcome = match (outcome, control.reason()) {
        (Err(_), Some(reason)) => Err(reason),
        (outcome, _) => outcome,
    };
    match &outcome {
        Ok(sidecar) => journal.info(summary(sidecar, began)),
        Err(failure) => tell_failure(journal, failure),
    }
    let percent = if outcome.is_ok() { Some(100.0) } else { last.percent };
    let over = Progress { phase: Phase::Done, table: None, seconds_left: None, percent, ..last };
    observer.progress(&over);
    outcome
}

/// The work, and beside it the thread that watches it.
fn watched(
    run: &Run<'_>,
    folder: &Folder,
    control: &Control,
    journal: Journal<'_>,
    engine: &dyn Engine,
) -> (Result<Sidecar, Failure>, Progress) {
    let stage = Arc::new(Stage::default());
    let meter = Arc::new(Meter::new());
    let known = OnceLock::new();
    let work =
        Work { run, folder, control, journal, engine, stage: &stage, meter: &meter, known: &known };
    let watch = Watch {
        control,
        stage: &stage,
        meter: &meter,
        engine,
        journal,
        limits: run.limits,
        folder,
        began: Instant::now(),
        known: &known,
        estimator: Estimator::new(run.options.format),
    };
    thread::scope(|scope| {
        let (working, ended) = mpsc::channel::<()>();
        let watcher = thread::Builder::new()
            .name("watch".to_owned())
            .spawn_scoped(scope, move || watch.keep(&ended));
        let Ok(watcher) = watcher else {
            let failure = Failure::new(FailureKind::Internal, "a thread could not be started");
            return (Err(failure), Progress::default());
        };
        let outcome = work.all();
        if outcome.as_ref().is_err_and(|failure| work.may_have_left_something(failure)) {
            engine.clear_up(journal);
        }
        drop(working);
        (outcome, watcher.join().unwrap_or_default())
    })
}

/// What every step needs.
struct Work<'a> {
    run: &'a Run<'a>,
    folder: &'a Folder,
    control: &'a Control,
    journal: Journal<'a>,
    engine: &'a dyn Engine,
    stage: &'a Arc<Stage>,
    meter: &'a Arc<Meter>,
    known: &'a OnceLock<Survey>,
}

impl Work<'_> {
    fn all(&self) -> Result<Sidecar, Failure> {
        let started_at = now();
        self.stage.enter(Phase::Preparing);
        let survey = self.prepare()?;
        let source = self.engine.facts(survey, self.control)?;
        self.control.go_on()?;
        let temp = self.folder.begin(self.run.id).map_err(|error| folder_failed(&error))?;
        let live =
            Live::start(&temp, Arc::clone(self.meter)).map_err(|error| disk(&error, &error))?;
        // However this function is left, followers learn that it is over.
        let _guard = live.guard();
        self.journal.0.followable(live.clone());
        let (temp, dumped) = self.dump(temp)?;
        let sidecar = |filename: &str| self.sidecar(filename, started_at, survey, &source, &dumped);
        let published = self.publish(temp, sidecar)?;
        live.published(published.size_bytes);
        Ok(published.sidecar)
    }

    /// Whether a session may go on elsewhere, although its client here has
    /// ended: where a dump was begun, or a client killed.
    fn may_have_left_something(&self, failure: &Failure) -> bool {
        self.stage.look().phase >= Phase::Dumping
            || self.control.is_stopped()
            || failure.kind == FailureKind::Stall
    }

    /// Looks at the database and the folder, and refuses what cannot succeed.
    fn prepare(&self) -> Result<&Survey, Failure> {
        let Run { database, options, limits, .. } = self.run;
        self.journal.info(format!(
            "backing up {database}: {} format, compression level {}",
            options.format.as_str(),
            options.level.get()
        ));
        let mut survey = self.engine.survey(self.control)?;
        let free = space::free(self.folder)?;
        survey.problems.extend(space::problem(survey.needed_bytes, free, limits.keep_free_bytes));
        let survey = self.known.get_or_init(|| survey);
        self.tell_survey(survey, free);
        for problem in survey.problems.iter().filter(|problem| !problem.kind.blocks()) {
            self.journal.warning(&problem.text);
        }
        match survey.problems.iter().find(|problem| problem.kind.blocks()) {
            Some(problem) => Err(problem.failure()),
            None => Ok(survey),
        }
    }

    fn tell_survey(&self, survey: &Survey, free: u64) {
        if let Some(server) = &survey.server_version {
            self.journal.info(format!(
                "{server}, {} in {}, {} free in the backup folder",
                size(survey.size_bytes),
                counted(survey.tables.len() as u64, "table"),
                size(free)
            ));
        }
        if let (Some(tool), Some(reason)) = (&survey.tool_version, &survey.tool_reason) {
            self.journal.info(format!("using {tool}: {reason}"));
        }
    }

    /// Fills the file.
    fn dump(&self, mut temp: TempArtifact) -> Result<(TempArtifact, Dumped), Failure> {
        self.stage.enter(Phase::Dumping);
        self.journal.info("dumping");
        let job = Job {
            format: self.run.options.format,
            level: self.run.options.level,
            stall: self.run.limits.stall,
            meter: self.meter,
            stage: self.stage,
            control: self.control,
            journal: self.journal,
        };
        let dumped = self.engine.dump(&job, &mut temp)?;
        Ok((temp, dumped))
    }

    /// Gives the file its name, if everybody still agrees.
    fn publish(
        &self,
        mut temp: TempArtifact,
        sidecar: impl FnMut(&str) -> Sidecar,
    ) -> Result<Published, Failure> {
        self.stage.enter(Phase::Publishing);
        self.journal.info("flushing the file to the disk and giving it its name");
        // The flush takes long, so it comes before the question.
        temp.flush_to_disk().map_err(|error| publish_failed(&error))?;
        self.control.go_on()?;
        self.journal.0.before_publish()?;
        let Run { database, created_at, options, .. } = self.run;
        let filename = artifact_filename(database, *created_at, options.format);
        temp.publish(&filename, sidecar).map_err(|error| publish_failed(&error))
    }

    fn sidecar(
        &self,
        filename: &str,
        started_at: Timestamp,
        survey: &Survey,
        source: &SourceFacts,
        dumped: &Dumped,
    ) -> Sidecar {
        let run = self.run;
        Sidecar {
            format_version: SIDECAR_VERSION,
            id: run.id,
            database_id: run.database_id,
            database: run.database.clone(),
            engine: engine::kind(run.connection),
            filename: filename.to_owned(),
            format: run.options.format,
            level: run.options.level,
            trigger: run.trigger,
            description: run.options.description.as_str().to_owned(),
            created_by: run.created_by.clone(),
            created_at: run.created_at,
            started_at,
            completed_at: now(),
            size_bytes: dumped.copied.size_bytes,
            raw_bytes: dumped.raw_bytes,
            sha256: dumped.copied.sha256.clone(),
            tool_version: survey.tool_version.clone(),
            pinned: run.pinned,
            labels: run.labels.clone(),
            drop_section_end: dumped.drop_section_end,
            tables: dumped.tables.clone(),
            source: SourceFacts {
                document: dumped.document.as_ref().unwrap_or(&source.document).clone(),
                ..source.clone()
            },
        }
    }
}

/// Now, no finer than the catalog keeps it.
fn now() -> Timestamp {
    Utc::now().trunc_subsecs(3)
}

fn summary(sidecar: &Sidecar, began: Instant) -> String {
    let Sidecar { filename, size_bytes, raw_bytes, tables, .. } = sidecar;
    let seconds = began.elapsed().as_secs_f64().max(0.001);
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate of bytes fits"
    )]
    let rate = size((*raw_bytes as f64 / seconds) as u64);
    format!(
        "{filename} is complete: {} from {} of dump ({:.1} to 1) with {} in {}, {seconds:.1} s, {rate}/s",
        size(*size_bytes),
        size(*raw_bytes),
        *raw_bytes as f64 / (*size_bytes).max(1) as f64,
        counted(rows, "row"),
        counted(tables.len() as u64, "table"),
    )
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn tell_failure(journal: Journal<'_>, failure: &Failure) {
    if failure.kind == FailureKind::Cancelled {
        // Somebody wished it; nothing went wrong.
        return journal.info(&failure.message);
    }
    for line in failure.detail.iter().flat_map(|detail| detail.lines()) {
        journal.error(line);
    }
    journal.error(&failure.message);
    if let Some(hint) = &failure.hint {
        journal.info(format!("HINT: {hint}"));
    }
}
