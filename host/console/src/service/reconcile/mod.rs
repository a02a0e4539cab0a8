//! Puts records and files back in step: after a crash or a kill at the start,
//! and for jobs whose worker has died.

mod caretaker;
mod files;
mod jobs;

use std::sync::Arc;

use crate::app::App;
use files::{list, put_in_step, unclaimed};
use jobs::{close_all, requeue};

pub use caretaker::Caretaker;

/// Prefix of the names under which consoles hold leases. Only one console
/// serves a data folder, so at its start every such lease is a dead one's.
pub const CONSOLE: &str = "console-";

/// What was found and done, for the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Runs that had been cut off.
    pub interrupted: u32,
    /// Partial files removed.
    pub partials: u32,
    /// Files that had no finished record and now have one.
    pub adopted: u32,
    /// Deletions that had been cut off and are done now.
    pub deleted: u32,
    /// Records whose file is missing or has another size.
    pub damaged: u32,
}

/// The start of a console: holds the data folder's lock, before any job runs.
/// `name` is the one under which it will hold its leases.
pub async fn at_start(app: &Arc<App>, name: String) -> anyhow::Result<Caretaker> {
    let mut report = Report::default();
    let mut dead = app.catalog.leases().await?;
    dead.retain(|lease| lease.worker.starts_with(CONSOLE));
    let behind = match app.folder().await {
        Ok(folder) => {
            let entries = list(&folder).await?;
            let unclaimed = unclaimed(app, &folder, &entries).await?;
            close_all(app, &dead, &name, Some(&unclaimed), &mut report).await?;
            put_in_step(app, &folder, &entries, &unclaimed, &name, &mut report).await?;
            false
        }
        Err(failure) => {
            tracing::error!("{failure}; nothing is deleted, and no backup runs until it is there");
            // Whether a run had published its file cannot be seen now; once
            // the folder is there, what was marked interrupted is adopted.
            close_all(app, &dead, &name, None, &mut report).await?;
            true
        }
    };
    let mut dead = app.catalog.delivery_leases().await?;
    dead.retain(|lease| lease.worker.starts_with(CONSOLE));
    requeue(app, &dead, &name).await?;
    tell(&report);
    Ok(Caretaker::new(app.clone(), name, behind))
}

fn tell(report: &Report) {
    if *report != Report::default() {
        let Report { interrupted, partials, adopted, deleted, damaged } = report;
        tracing::info!(
            interrupted,
            partials,
            adopted,
            deleted,
            damaged,
            "records and files were put back in step"
        );
    }
}
