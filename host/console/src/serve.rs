//! `cofferdam serve`: the console, from its start to its end.

use std::{fs::File, io::Write as _, os::unix::fs::OpenOptionsExt as _, sync::Arc, time::Duration};

use actix_web::web::Data;
use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time,
};

use crate::{
    app::App,
    config::Config,
    http,
    service::{
        audit,
        reconcile::{self, Caretaker},
        retention, setup,
    },
    worker,
};

/// Dead workers are looked for so often.
const CARE: Duration = Duration::from_secs(5);
/// Missing files are looked for every so many rounds of that.
const FILES_EVERY: u32 = 12;
/// Beside what follows each delivery, copies that have had their time are
/// looked for so often: a day without backups still passes.
const HOUSE: Duration = Duration::from_hours(24);

/// What nobody needs any more is kept in the catalog for so long.
const KEPT: TimeDelta = TimeDelta::days(30);
/// So many logs are forgotten in one transaction.
const LOGS_AT_ONCE: u32 = 500;

/// A plugin may hold hundreds of files open, connections and dumps some, too.
const OPEN_FILES: u64 = 65_536;

/// Takes as many open files as the system gives this account: what it gives
/// without being asked is often no more than 1,024.
fn take_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(OPEN_FILES).min(OPEN_FILES);
    if limit.current.is_some_and(|now| now < most) {
        limit.current = Some(most);
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!("no more files can be opened at once than before: {error}");
        }
    }
}

/// Runs until asked to stop.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    // Before anything is opened: not even a migration may run under another console.
    let _lock = lock(&config)?;
    take_open_files();
    let listener = http::listen(&config.access)?;
    let app = Arc::new(App::open(config).await?);
    if let Some(database) = setup::first_start(&app).await? {
        tokio::spawn(setup::look_at_first(app.clone(), database));
    }
    let name = format!("{}{}", reconcile::CONSOLE, uuid::Uuid::new_v4());
    let caretaker = reconcile::at_start(&app, name.clone()).await?;

    let bound = http::bind(Data::from(app.clone()), listener)?;
    announce(&app, &bound).await?;
    let handle = bound.server.handle();
    let (stop, stopped) = watch::channel(false);
    let care = tokio::spawn(take_care(caretaker));
    let notes = tokio::spawn(take_notes(app.clone()));
    let keeping = tokio::spawn(keep_house(app.clone()));
    let work = tokio::spawn(worker::work(app.clone(), name, stopped));
    tokio::spawn(crate::plugins::watch(app.clone()));
    let server = tokio::spawn(bound.server);

    wait_for_signal().await?;
    tracing::info!("stopping");
    stop.send_replace(true);
    app.hub.work.notify_one();
    // Runs end first: whoever follows one is cut off rather than left waiting.
    let limit = app.config.shutdown + Duration::from_secs(20);
    if time::timeout(limit, work).await.is_err() {
        tracing::warn!("a run did not end in time; the next start puts things in step");
    }
    care.abort();
    notes.abort();
    keeping.abort();
    app.hub.close();
    handle.stop(true).await;
    server.await.context("the server ended badly")??;
    audit::write_counted(&app, true).await;
    app.catalog.close().await;
    Ok(())
}

/// Every few seconds what was only counted, whatever the backup folder's disk does.
async fn take_notes(app: Arc<App>) {
    let mut pulse = time::interval(CARE);
    loop {
        pulse.tick().await;
        audit::write_counted(&app, false).await;
    }
}

/// At the start and daily: what has had its time at destinations, and what is
/// no longer worth keeping in the catalog.
async fn keep_house(app: Arc<App>) {
    let mut pulse = time::interval(HOUSE);
    loop {
        pulse.tick().await;
        retention::sweep(&app).await;
        if let Err(error) = forget_old(&app).await {
            tracing::warn!("old records could not be removed: {error:#}");
        }
    }
}

/// Removals of deleted backups' copies that are done, what was logged by
/// deliveries that are, and plugins that nobody ever approved and whose file is gone.
async fn forget_old(app: &App) -> anyhow::Result<()> {
    let before = app.now() - KEPT;
    app.plugins.ready(app).await?;
    let components = app.plugins.forget_gone(app, before).await?;
    let mut tx = app.catalog.begin().await?;
    let deliveries = tx.forget_removals(before).await?;
    tx.commit().await?;
    let mut logs = 0;
    loop {
        let mut tx = app.catalog.begin().await?;
        let some = tx.forget_logs(before, LOGS_AT_ONCE).await?;
        tx.commit().await?;
        logs += some;
        if some < u64::from(LOGS_AT_ONCE) {
            break;
        }
    }
    if components + deliveries + logs > 0 {
        tracing::info!(components, deliveries, logs, "old records were removed");
    }
    Ok(())
}

/// Every few seconds the jobs, every minute the files.
async fn take_care(mut caretaker: Caretaker) {
    let mut pulse = time::interval(CARE);
    for round in 0_u32.. {
        pulse.tick().await;
        if let Err(error) = caretaker.jobs().await {
            tracing::warn!("expired jobs cannot be looked at: {error:#}");
        }
        if round.is_multiple_of(FILES_EVERY)
            && let Err(error) = caretaker.files().await
        {
            tracing::warn!("the backup folder cannot be looked at: {error:#}");
        }
    }
}

/// One console per catalog, wherever its data folder is. The lock lies beside
/// the catalog and ends with the process, however that ends.
fn lock(config: &Config) -> anyhow::Result<File> {
    crate::app::make_folders(config)?;
    let path = config.catalog.with_added_extension("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("the lock {} cannot be opened", path.display()))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        bail!(
            "another console already serves the catalog {}\nHINT: stop it first, or choose another data folder",
            config.catalog.display()
        );
    }
    Ok(file)
}

/// The lines that a person, and whatever starts the console, waits for.
async fn announce(app: &App, bound: &http::Bound) -> anyhow::Result<()> {
    let base = format!("{}://{}", bound.scheme, bound.address);
    let public = app.config.access.public_url.clone().unwrap_or_else(|| base.clone());
    let mut out = std::io::stdout().lock();
    writeln!(out, "Cofferdam {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "Listening on {base}")?;
    if let Some(secret) = setup::link(app).await.map_err(anyhow::Error::new)? {
        writeln!(out, "Set up: {public}/setup/{}", secret.expose())?;
    }
    out.flush()?;
    Ok(())
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
