//! What is looked after while a console runs.

use std::sync::Arc;

use cofferdam_catalog::{DeliveryLease, Lease};

use super::{
    Report,
    files::{check_presence, list, put_in_step, unclaimed},
    jobs::{close_all, requeue},
    tell,
};
use crate::app::{App, FOLDER_LIMIT, at_folder};

/// Looks after jobs whose worker has died, and files that go missing, while
/// the console runs.
pub struct Caretaker {
    app: Arc<App>,
    name: String,
    /// Leases that were expired at the last look. One that is expired and
    /// unrenewed at two looks in a row is a dead worker's, whatever the clock did.
    suspects: Vec<Lease>,
    /// The same of deliveries.
    delivery_suspects: Vec<DeliveryLease>,
    /// The folder could not be used at the start, and its files wait for a look.
    behind: bool,
}

impl Caretaker {
    /// For a console; `behind` when the folder's files still wait for a look.
    pub(super) fn new(app: Arc<App>, name: String, behind: bool) -> Self {
        Self { app, name, suspects: Vec::new(), delivery_suspects: Vec::new(), behind }
    }

    /// For a command line, which closes dead workers' jobs so that its own is
    /// not kept waiting by them, and does nothing else to the folder.
    pub fn beside(app: Arc<App>, name: String) -> Self {
        Self::new(app, name, false)
    }

    /// Puts the deliveries of dead workers back into the queue.
    async fn deliveries(&mut self) -> anyhow::Result<()> {
        let now = self.app.now();
        let mut expired = self.app.catalog.delivery_leases().await?;
        expired.retain(|lease| lease.is_expired(now) && !self.app.hub.delivers(lease.delivery));
        let dead: Vec<DeliveryLease> =
            expired.iter().filter(|it| self.delivery_suspects.contains(it)).cloned().collect();
        self.delivery_suspects = expired;
        requeue(&self.app, &dead, &self.name).await
    }

    /// Closes the jobs of dead workers.
    pub async fn jobs(&mut self) -> anyhow::Result<()> {
        self.deliveries().await?;
        let mut expired = self.app.catalog.expired_jobs(self.app.now()).await?;
        expired.retain(|lease| self.app.hub.running(lease.backup_id).is_none());
        let dead: Vec<Lease> =
            expired.iter().filter(|lease| self.suspects.contains(lease)).cloned().collect();
        self.suspects = expired;
        // Without the folder it cannot be told whether a file was published.
        let Ok(folder) = self.app.folder().await else { return Ok(()) };
        if dead.is_empty() && !self.behind {
            return Ok(());
        }
        let entries = list(&folder).await?;
        let unclaimed = unclaimed(&self.app, &folder, &entries).await?;
        if self.behind {
            let mut report = Report::default();
            put_in_step(&self.app, &folder, &entries, &unclaimed, &self.name, &mut report).await?;
            tell(&report);
            self.behind = false;
        }
        let closed =
            close_all(&self.app, &dead, &self.name, Some(&unclaimed), &mut Report::default())
                .await?;
        // Should its worker only have slept, it finds its file gone, as it must.
        for partial in &entries.partials {
            if partial.backup.is_some_and(|id| closed.contains(&id)) {
                let (folder, partial) = (folder.clone(), partial.clone());
                at_folder(FOLDER_LIMIT, move || Ok(folder.remove_partial(&partial)?)).await?;
            }
        }
        Ok(())
    }

    /// Notes files that are no longer there, or are there again.
    pub async fn files(&self) -> anyhow::Result<()> {
        let Ok(folder) = self.app.folder().await else { return Ok(()) };
        check_presence(&self.app, &list(&folder).await?, &mut Report::default()).await
    }
}
