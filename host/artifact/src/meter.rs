//! How far a copy has come, for other threads to look at.

use std::{
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The counters of one run. The copying threads move them on; a watchdog, a
/// progress display and followers read them at any time, at no cost to the copy.
#[derive(Debug, Default)]
pub struct Meter {
    raw_bytes: AtomicU64,
    written_bytes: AtomicU64,
    tables_done: AtomicU64,
    table_bytes: AtomicU64,
    table: Mutex<Option<String>>,
    /// Held while a counter that somebody may wait for moves.
    gate: Mutex<()>,
    moved: Condvar,
}

impl Meter {
    /// All counters at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes read from the source. Stands still when the source does.
    pub fn raw_bytes(&self) -> u64 {
        self.raw_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of the file that are finished: it can be read up to here, and up
    /// to here it consists of whole gzip members.
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes.load(Ordering::Acquire)
    }

    /// Tables whose rows are through.
    pub fn tables_done(&self) -> u64 {
        self.tables_done.load(Ordering::Relaxed)
    }

    /// The table whose rows stream by, and its bytes so far.
    pub fn table(&self) -> Option<(String, u64)> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some((table, self.table_bytes.load(Ordering::Relaxed)))
    }

    pub(crate) fn add_raw(&self, count: usize) {
        self.raw_bytes.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn set_table(&self, table: Option<&str>, bytes: u64, done: u64) {
        self.table_bytes.store(bytes, Ordering::Relaxed);
        self.tables_done.store(done, Ordering::Relaxed);
        let mut current = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_deref() != table {
            *current = table.map(ToOwned::to_owned);
        }
    }

    pub(crate) fn add_written(&self, count: usize) {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.written_bytes.fetch_add(count as u64, Ordering::Release);
        drop(gate);
        self.moved.notify_all();
    }

    /// Wakes everybody who waits, to look at something else than the counters.
    pub(crate) fn wake(&self) {
        drop(self.gate.lock().unwrap_or_else(PoisonError::into_inner));
        self.moved.notify_all();
    }

    /// Waits until `ready` holds; `false` when `limit` passed before.
    pub(crate) fn wait_until(&self, limit: Duration, ready: impl Fn() -> bool) -> bool {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.moved.wait_timeout_while(gate, limit, |()| !ready());
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}
