//! What a call has used, and the watch over it.

use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::{LimitBroken, Limits, engine::TICK};

/// What a call has used so far, and which limit it has broken. Shared between
/// the store, its streams, its connections and the watch over the call.
pub(crate) struct Meter {
    limits: Limits,
    start: Instant,
    /// Milliseconds after `start` when a byte of the file last passed.
    progress: AtomicU64,
    ticks: AtomicU64,
    ticks_since_progress: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) file_bytes: AtomicU64,
    pub(crate) memory_peak: AtomicU64,
    outgoing_limit: AtomicU64,
    broken: OnceLock<LimitBroken>,
    host: Mutex<Option<String>>,
    stopped: Notify,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            outgoing_limit: AtomicU64::new(limits.outgoing_bytes),
            limits,
            start: Instant::now(),
            progress: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            ticks_since_progress: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            file_bytes: AtomicU64::new(0),
            memory_peak: AtomicU64::new(0),
            broken: OnceLock::new(),
            host: Mutex::new(None),
            stopped: Notify::new(),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Lets a call that stores a file send it, some parts more than once.
    pub(crate) fn allow_file(&self, bytes: u64) {
        self.outgoing_limit
            .store(self.limits.outgoing_bytes.saturating_add(bytes.saturating_mul(4)), Relaxed);
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn cpu(&self) -> Duration {
        TICK * u32::try_from(self.ticks.load(Relaxed)).unwrap_or(u32::MAX)
    }

    /// Bytes of the file have passed: the budgets of time begin anew.
    pub(crate) fn passed(&self, bytes: u64) {
        self.file_bytes.fetch_add(bytes, Relaxed);
        self.progress();
    }

    /// Work on the file has gone on, without a byte of it passing.
    pub(crate) fn progress(&self) {
        let now = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.progress.store(now, Relaxed);
        self.ticks_since_progress.store(0, Relaxed);
    }

    /// The component is computing, and the clock has moved on.
    pub(crate) fn tick(&self) -> Result<(), LimitBroken> {
        self.ticks.fetch_add(1, Relaxed);
        let since = self.ticks_since_progress.fetch_add(1, Relaxed) + 1;
        if TICK * u32::try_from(since).unwrap_or(u32::MAX) > self.limits.cpu {
            return Err(self.stop(LimitBroken::Cpu(self.limits.cpu)));
        }
        Ok(())
    }

    /// Bytes go out over the network.
    pub(crate) fn sending(&self, bytes: u64) -> Result<(), LimitBroken> {
        let sum = self.sent.fetch_add(bytes, Relaxed) + bytes;
        let limit = self.outgoing_limit.load(Relaxed);
        if sum > limit { Err(self.stop(LimitBroken::Outgoing(limit))) } else { Ok(()) }
    }

    /// Ends the call for this reason, unless there was one before.
    pub(crate) fn stop(&self, reason: LimitBroken) -> LimitBroken {
        let reason = self.broken.get_or_init(|| reason).clone();
        self.stopped.notify_one();
        reason
    }

    pub(crate) fn broken(&self) -> Option<LimitBroken> {
        self.broken.get().cloned()
    }

    /// The console's own part of a call has failed, and the component cannot
    /// know why: a file that cannot be read, say.
    pub(crate) fn host_failed(&self, why: String) {
        self.host.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    pub(crate) fn host_failure(&self) -> Option<String> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends when a limit is broken, be it one of time.
    pub(crate) async fn watch(&self) -> LimitBroken {
        loop {
            if let Some(reason) = self.broken() {
                return reason;
            }
            let since = Duration::from_millis(self.progress.load(Relaxed));
            let next = (since + self.limits.idle).min(self.limits.longest);
            let now = self.elapsed();
            if now >= self.limits.longest {
                return self.stop(LimitBroken::Longest(self.limits.longest));
            }
            if now >= next {
                return self.stop(LimitBroken::Idle(self.limits.idle));
            }
            // Progress only moves the end further away: it is looked at again then.
            let _ = tokio::time::timeout(next.saturating_sub(now), self.stopped.notified()).await;
        }
    }
}
