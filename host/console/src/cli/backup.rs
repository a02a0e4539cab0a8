//! `cofferdam backup …`

use std::{
    io::IsTerminal as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use chrono::TimeDelta;
use cofferdam_model::{BackupId, BackupStatus, FileState, Phase, Progress};
use cofferdam_views::format;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

use super::{
    args::Backup,
    client::{Client, is_over},
    delivering::{deliver, undelivered},
    download, failed,
    output::{self, exact},
    problem::Problem,
};
use crate::{
    app::App,
    dto,
    service::{backups, reconcile::Caretaker},
    worker,
};

/// Whoever waits for a turn looks so often whether it has come.
pub(super) const TURN: Duration = Duration::from_millis(500);
/// Every so many looks, dead workers are looked for: two looks in a row must
/// be longer apart than a living worker's renewals.
pub(super) const CARE_EVERY: u32 = 10;
/// A look that takes longer than this counts as one without an answer.
const ANSWER: Duration = Duration::from_secs(30);
/// So long it may stay unknown how a backup stands that runs elsewhere.
const PATIENCE: Duration = Duration::from_mins(2);

/// Does it.
pub async fn run(command: Backup, client: &Client, as_json: bool) -> anyhow::Result<()> {
    match command {
        Backup::Create { database, description, level, format, destinations, nowhere } => {
            let wish = dto::NewBackup {
                destinations: (nowhere || !destinations.is_empty()).then_some(destinations),
                database,
                description,
                compression_level: level,
                format,
                ..dto::NewBackup::default()
            };
            create(client, &wish, as_json).await
        }
        Backup::List { database, status, query, limit, offset } => {
            let query = dto::BackupQuery {
                database,
                status,
                q: query,
                limit: Some(limit),
                offset: Some(offset),
                ..dto::BackupQuery::default()
            };
            list(client, &query, as_json).await
        }
        Backup::Show { id } => show(client, &id, as_json).await,
        Backup::Download { id, output } => download::run(client, &id, output, as_json).await,
        Backup::Delete { id, keep_remote, yes } => {
            let backup = client.backup(&id).await?;
            let name =
                backup.filename.unwrap_or_else(|| format!("the record of {}", backup.database));
            output::confirm(&format!("Delete {name}? It cannot be brought back."), yes)?;
            client.delete(&backup.id, keep_remote).await?;
            if as_json {
                output::json(&serde_json::json!({ "deleted": backup.id }))
            } else {
                output::line(&format!("{name} was deleted."))
            }
        }
        Backup::Pin { id, off } => {
            let backup = client.pin(&id, !off).await?;
            let said = if backup.pinned {
                "The backup is pinned: nothing deletes it."
            } else {
                "The pin was taken off."
            };
            if as_json { output::json(&backup) } else { output::line(said) }
        }
        Backup::Label { id, labels, none: _ } => {
            // As on the page, a comma stands between labels.
            let labels = labels.iter().flat_map(|it| backups::split_labels(it)).collect();
            let backup = client.label(&id, labels).await?;
            let said = if backup.labels.is_empty() {
                "No labels".to_owned()
            } else {
                backup.labels.join(", ")
            };
            if as_json { output::json(&backup) } else { output::line(&said) }
        }
        Backup::Cancel { id } => {
            let id = client.backup(&id).await?.id;
            client.cancel(&id).await?;
            if as_json {
                output::json(&client.state(&id).await?)
            } else {
                output::line("The backup is being cancelled.")
            }
        }
    }
}

async fn create(client: &Client, wish: &dto::NewBackup, as_json: bool) -> anyhow::Result<()> {
    // Heard from here on, whatever this task does when a signal comes.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let created = client.create(wish).await?;
    let worker = format!("cli-{}", std::process::id());
    let mut run = match client {
        // The job waits its turn among the others, and then runs in this process.
        Client::Local(app) => {
            let id: BackupId = created.id.parse()?;
            let (app, name) = (app.clone(), worker.clone());
            Some(tokio::spawn(async move { run_here(app, id, name).await }))
        }
        Client::Remote(_) => None,
    };
    let bar = bar(as_json, &created.database);
    let mut trouble: Option<Instant> = None;
    let ended = loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(250)) => {}
            _ = interrupt.recv() => cancel(client, &created.id).await?,
            _ = terminate.recv() => cancel(client, &created.id).await?,
            done = outcome(&mut run) => if let Err(error) = done {
                // Nobody else may take the job; left waiting, it would wait for ever.
                let _ = client.cancel(&created.id).await;
                return Err(error);
            },
        }
        match look(client, &created.id, &bar).await {
            Ok(None) => trouble = None,
            Ok(Some(backup)) => break backup,
            Err(error) if !Problem::may_pass(&error) => return Err(error),
            Err(error) => {
                let since = *trouble.get_or_insert_with(Instant::now);
                // A run that goes on here is waited for; it has limits of its own.
                if run.is_none() && since.elapsed() > PATIENCE {
                    return Err(
                        error.context(format!("how backup {} stands cannot be told", created.id))
                    );
                }
            }
        }
    };
    bar.finish_and_clear();
    if run.is_some() {
        outcome(&mut run).await?;
    }
    let ended = match ended.status {
        BackupStatus::Completed => deliver(client, ended, &worker).await?,
        _ => ended,
    };
    if as_json {
        output::json(&ended)?;
    } else if ended.status == BackupStatus::Completed {
        output::line(&summary(&ended))?;
    }
    match ended.error {
        Some(failure) => Err(failed(failure)),
        None if ended.status == BackupStatus::Cancelled => {
            anyhow::bail!("the backup was cancelled; nothing of it was kept")
        }
        None => undelivered(&ended),
    }
}

/// The end of the run in this process, once; never where there is none.
async fn outcome(run: &mut Option<JoinHandle<anyhow::Result<()>>>) -> anyhow::Result<()> {
    let Some(handle) = run else { return std::future::pending().await };
    let done = handle.await;
    *run = None;
    done?
}

/// Shows how it stands, and gives the record once it is over.
async fn look(client: &Client, id: &str, bar: &ProgressBar) -> anyhow::Result<Option<dto::Backup>> {
    let look = async {
        let state = client.state(id).await?;
        if let Some(progress) = &state.progress {
            show_progress(bar, progress);
        }
        if is_over(state.status) { client.backup(id).await.map(Some) } else { Ok(None) }
    };
    // A network that swallows packets answers never.
    tokio::time::timeout(ANSWER, look).await.context("there was no answer")?
}

/// What is over already needs no cancelling; the next look says how it ended.
async fn cancel(client: &Client, id: &str) -> anyhow::Result<()> {
    match client.cancel(id).await {
        Err(_) if is_over(client.state(id).await?.status) => Ok(()),
        done => done,
    }
}

async fn run_here(app: Arc<App>, id: BackupId, name: String) -> anyhow::Result<()> {
    let mut caretaker = Caretaker::beside(app.clone(), name.clone());
    let mut told = false;
    for round in 0_u32.. {
        // First of all: a console that is faster takes the job.
        match turn(&app, id, &name).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) if worker::passes(&error) => {
                if !told {
                    tracing::error!(
                        "the catalog cannot be written now and is tried again: {error}"
                    );
                }
                told = true;
            }
            Err(error) => return Err(error.into()),
        }
        // A run that died holds its database's turn until somebody closes it.
        if round.is_multiple_of(CARE_EVERY)
            && let Err(error) = caretaker.jobs().await
        {
            tracing::warn!("expired jobs cannot be looked at: {error:#}");
        }
        tokio::time::sleep(TURN).await;
    }
    Ok(())
}

/// Runs the job if its turn has come. Another run of its database may go on,
/// or a console took the job. `true` when it is over.
async fn turn(app: &Arc<App>, id: BackupId, name: &str) -> cofferdam_catalog::Result<bool> {
    let Some(backup) = app.catalog.backup(id).await? else { return Ok(true) };
    if backup.status == BackupStatus::Pending {
        let mut tx = app.catalog.begin().await?;
        let job = tx.lease_backup(id, name, app.now(), worker::LEASE, u32::MAX).await?;
        tx.commit().await?;
        if let Some(job) = job {
            worker::run_job(app.clone(), id, job).await;
        }
    }
    Ok(is_over(backup.status))
}

fn bar(as_json: bool, database: &str) -> ProgressBar {
    if as_json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos:>3} % {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(100).with_style(style).with_prefix(database.to_owned())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A percentage is 0 to 100.
fn show_progress(bar: &ProgressBar, progress: &Progress) {
    bar.set_position(progress.percent.unwrap_or(0.0) as u64);
    let mut text = progress.phase.as_str().to_owned();
    if progress.phase == Phase::Dumping {
        if let Some(table) = &progress.table {
            text = format!("{text} {table}");
        }
        text = format!("{text}, {}/s", format::bytes(progress.bytes_per_second));
        if let Some(seconds) = progress.seconds_left {
            text = format!("{text}, about {} left", format::duration(seconds * 1000));
        }
    }
    bar.set_message(text);
}

fn summary(backup: &dto::Backup) -> String {
    let size = backup.size_bytes.map_or_else(String::new, format::bytes);
    let took =
        backup.duration_ms.map_or_else(String::new, |ms| format::duration(ms.unsigned_abs()));
    format!("{}  {size} in {took}\n{}", backup.filename.as_deref().unwrap_or(""), backup.id)
}

async fn list(client: &Client, query: &dto::BackupQuery, as_json: bool) -> anyhow::Result<()> {
    let page = client.backups(query).await?;
    // A slip in the name must not look like a database without backups.
    if let Some(database) = query.database.as_deref().filter(|_| page.total == 0) {
        client.expect_database(database).await?;
    }
    if as_json {
        return output::json(&page);
    }
    if page.backups.is_empty() {
        return output::line("No backup fits.");
    }
    let rows: Vec<_> = page
        .backups
        .iter()
        .map(|it| {
            vec![
                it.id.clone(),
                it.database.clone(),
                standing(it),
                it.size_bytes.map_or_else(String::new, format::bytes),
                it.created_relative.clone(),
                it.filename.clone().unwrap_or_default(),
            ]
        })
        .collect();
    output::table(&["ID", "DATABASE", "STATUS", "SIZE", "CREATED", "FILE"], &rows)?;
    if page.total > page.offset + page.backups.len() as u64 {
        output::line(&format!(
            "{} of {}; go on with --offset {}",
            page.backups.len(),
            page.total,
            page.offset + page.backups.len() as u64
        ))?;
    }
    Ok(())
}

/// The status in a few words: of a completed backup what became of its file,
/// of a failed one why.
fn standing(backup: &dto::Backup) -> String {
    let mut words = match (backup.file, &backup.error) {
        (Some(state @ (FileState::Missing | FileState::Corrupt)), _) => {
            format!("file {}", state.as_str())
        }
        (_, Some(failure)) if backup.status == BackupStatus::Failed => {
            format!("failed: {}", failure.kind.as_str())
        }
        _ => backup.status.as_str().to_owned(),
    };
    if backup.pinned {
        words.push_str(", pinned");
    }
    words
}

async fn show(client: &Client, id: &str, as_json: bool) -> anyhow::Result<()> {
    let backup = client.backup(id).await?;
    let log = client.log(&backup.id).await?;
    if as_json {
        let mut document = serde_json::to_value(&backup)?;
        document["log"] = serde_json::to_value(&log.lines)?;
        return output::json(&document);
    }
    let mut rows = vec![
        ("Database", backup.database.clone()),
        ("Status", backup.status.as_str().to_owned()),
        ("File", backup.filename.clone().unwrap_or_default()),
        (
            "Size",
            backup
                .size_bytes
                .map_or_else(String::new, |it| format!("{} ({it} bytes)", format::bytes(it))),
        ),
        ("Before", backup.raw_bytes.map_or_else(String::new, format::bytes)),
        ("SHA-256", backup.sha256.clone().unwrap_or_default()),
        ("Created", format!("{} by {}", exact(backup.created_at), backup.created_by)),
        (
            "Took",
            backup.duration_ms.map(TimeDelta::milliseconds).map_or_else(String::new, |it| {
                format::duration(it.num_milliseconds().unsigned_abs())
            }),
        ),
        ("Tool", backup.tool_version.clone().unwrap_or_default()),
        ("Labels", backup.labels.join(", ")),
        ("Pinned", if backup.pinned { "yes" } else { "" }.to_owned()),
        ("About", backup.description.clone()),
    ];
    if let Some(failure) = &backup.error {
        rows.push(("Error", failure.message.clone()));
        rows.push(("HINT", failure.hint.clone().unwrap_or_default()));
    }
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        output::line(&format!("{name:9} {value}"))?;
    }
    for it in &backup.deliveries {
        let what = it.location.as_deref().or(it.error.as_deref()).unwrap_or_default();
        let status = it.status.as_str();
        output::line(&format!(
            "To        {}: {} {status} {what}",
            it.destination,
            it.purpose.as_str()
        ))?;
    }
    for entry in &log.lines {
        output::line(&format!("{}  {}", exact(entry.line.at), entry.line.text))?;
    }
    Ok(())
}
