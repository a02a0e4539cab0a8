//! What goes on right now in this process: running backups, and word of
//! changes for whoever watches.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use cofferdam_artifact::follow::Live;
use cofferdam_backup::Control;
use cofferdam_model::{BackupId, DeliveryId, DestinationId, Progress};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};

use crate::service::Hearing;

/// Something changed; whoever cares asks the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// This backup: its progress, its state, its log.
    Backup(BackupId),
    /// The list: a backup came or went.
    List,
    /// A plugin's file or its approval.
    Plugins,
    /// A destination, or how deliveries to it stand.
    Destinations,
}

/// A backup that runs in this process.
#[derive(Clone, Default)]
pub struct Running {
    /// For followers of its file; nothing before its first byte.
    pub live: watch::Sender<Option<Live>>,
    /// Stops it.
    pub control: Control,
    /// Its newest progress.
    pub progress: Arc<Mutex<Progress>>,
    /// Whether it reads the console's own catalog, once that is known: before
    /// its first byte.
    pub own_catalog: Arc<OnceLock<bool>>,
}

/// Why a delivery that runs here is to end early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// Somebody cancelled it.
    Cancelled,
    /// The console stops.
    Interrupted,
}

/// A delivery that runs in this process.
#[derive(Clone, Default)]
pub struct Delivering {
    /// What it tells.
    pub hearing: Arc<Hearing>,
    /// Ends it early.
    pub halt: watch::Sender<Option<Halt>>,
}

/// So many copies are fetched from one destination at once; each has some MiB
/// in memory, and a connection.
const FETCHES: usize = 4;

/// See the module.
pub struct Hub {
    fetching: Mutex<HashMap<DestinationId, Arc<Semaphore>>>,
    delivering: Mutex<HashMap<DeliveryId, Delivering>>,
    running: Mutex<HashMap<BackupId, Running>>,
    changes: broadcast::Sender<Change>,
    closing: watch::Sender<bool>,
    /// Wakes the worker: there may be a job.
    pub work: Notify,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            fetching: Mutex::default(),
            delivering: Mutex::default(),
            running: Mutex::default(),
            changes: broadcast::channel(1024).0,
            closing: watch::Sender::new(false),
            work: Notify::new(),
        }
    }
}

impl Hub {
    /// Tells whoever watches.
    pub fn tell(&self, change: Change) {
        // Nobody watching is no error.
        let _ = self.changes.send(change);
    }

    /// Hears of changes from now on.
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// The console stops: streams that would never end by themselves do so now.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Ends when the console stops.
    pub fn closing(&self) -> impl Future<Output = ()> + use<> {
        let mut closing = self.closing.subscribe();
        async move {
            let _ = closing.wait_for(|closing| *closing).await;
        }
    }

    /// A run begins here.
    pub fn insert(&self, id: BackupId, running: Running) {
        self.lock().insert(id, running);
    }

    /// A run is over.
    pub fn remove(&self, id: BackupId) {
        self.lock().remove(&id);
    }

    /// The run, if it is one of this process.
    pub fn running(&self, id: BackupId) -> Option<Running> {
        self.lock().get(&id).cloned()
    }

    /// All runs of this process.
    pub fn all(&self) -> Vec<Running> {
        self.lock().values().cloned().collect()
    }

    /// The newest progress of a run of this process.
    pub fn progress(&self, id: BackupId) -> Option<Progress> {
        let running = self.running(id)?;
        let progress = running.progress.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(progress)
    }

    /// A delivery begins here.
    pub fn insert_delivery(&self, id: DeliveryId) -> Delivering {
        let delivering = Delivering::default();
        self.delivering().insert(id, delivering.clone());
        delivering
    }

    /// A delivery is over.
    pub fn remove_delivery(&self, id: DeliveryId) {
        self.delivering().remove(&id);
    }

    /// Whether the delivery runs in this process.
    pub fn delivers(&self, id: DeliveryId) -> bool {
        self.delivering().contains_key(&id)
    }

    /// How many bytes of the file have passed, of a delivery of this process.
    pub fn delivered_bytes(&self, id: DeliveryId) -> Option<u64> {
        self.delivering().get(&id).map(|it| it.hearing.sent_bytes())
    }

    /// A place among those that fetch a copy from this destination, until it is
    /// dropped. `None`: all are taken.
    pub fn fetching(&self, from: DestinationId) -> Option<OwnedSemaphorePermit> {
        let mut all = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        let places = all.entry(from).or_insert_with(|| Arc::new(Semaphore::new(FETCHES)));
        places.clone().try_acquire_owned().ok()
    }

    /// Stops a delivery, if it is one of this process.
    pub fn cancel_delivery(&self, id: DeliveryId) {
        if let Some(delivering) = self.delivering().get(&id) {
            delivering.halt.send_replace(Some(Halt::Cancelled));
        }
    }

    /// Stops all deliveries of this process; they are made again later.
    pub fn interrupt_deliveries(&self) {
        for delivering in self.delivering().values() {
            delivering.halt.send_replace(Some(Halt::Interrupted));
        }
    }

    fn delivering(&self) -> MutexGuard<'_, HashMap<DeliveryId, Delivering>> {
        self.delivering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // A panic while the map was held leaves it whole: every change is one call.
    fn lock(&self) -> MutexGuard<'_, HashMap<BackupId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_has_so_many_places_for_who_fetches_and_gets_them_back() {
        let hub = Hub::default();
        let (one, other) = (DestinationId::new(), DestinationId::new());
        let mut taken: Vec<_> = std::iter::from_fn(|| hub.fetching(one)).collect();
        assert_eq!(taken.len(), FETCHES);
        assert!(hub.fetching(one).is_none() && hub.fetching(other).is_some());
        taken.pop();
        assert!(hub.fetching(one).is_some());
    }
}
