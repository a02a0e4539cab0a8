//! What one call may use, what it has used, and the limiter inside the store.

use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use cofferdam_model::size;
use tokio::sync::Notify;
use wasmtime::ResourceLimiter;

use crate::engine::TICK;

/// The bounds of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in all linear memories together.
    pub memory_bytes: u64,
    /// Computing without a byte of the file passing between the console and the
    /// component: time that runs on while bytes pass would punish large files.
    pub cpu: Duration,
    /// The longest time, waiting included, without a byte of the file passing.
    /// For calls that move no file this is the longest time of the call.
    pub idle: Duration,
    /// The longest time of any call, whatever passes.
    pub longest: Duration,
    /// Open resources: streams, requests, files, and entries in tables.
    pub handles: usize,
    /// Bytes that may be sent over the network, beside four times the file's
    /// size in a call that stores one.
    pub outgoing_bytes: u64,
    /// Log lines that are kept, those written to standard output and error included.
    pub lines: u32,
    /// Bytes of one log line that are kept.
    pub line_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            cpu: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            longest: Duration::from_hours(24),
            handles: 1000,
            outgoing_bytes: 64 << 20,
            lines: 500,
            line_bytes: 2000,
        }
    }
}

/// The limit that ended a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitBroken {
    /// See [`Limits::memory_bytes`].
    #[error("the plugin was stopped: it asked for more than {} of memory", size(*.0))]
    Memory(u64),
    /// See [`Limits::cpu`].
    #[error("the plugin was stopped: it computed for {:.1} s without passing on a byte of a file", .0.as_secs_f64())]
    Cpu(Duration),
    /// See [`Limits::idle`].
    #[error("the plugin was stopped: {:.0} s went by without an answer or a byte of a file", .0.as_secs_f64())]
    Idle(Duration),
    /// See [`Limits::longest`].
    #[error("the plugin was stopped: the call took longer than {:.0} s", .0.as_secs_f64())]
    Longest(Duration),
    /// See [`Limits::handles`].
    #[error("the plugin was stopped: it held more than {0} streams, requests and files open")]
    Handles(usize),
    /// See [`Limits::outgoing_bytes`].
    #[error("the plugin was stopped: it sent more than {} over the network", size(*.0))]
    Outgoing(u64),
    /// Bytes of the file read or hashed, far more than once.
    #[error("the plugin was stopped: it read more than {} of the file, which is many times its size", size(*.0))]
    Rereads(u64),
    /// One message to the console was too large.
    #[error("the plugin was stopped: it passed more than {} to the console at once", size(*.0))]
    Message(u64),
}

impl LimitBroken {
    /// Whether the next attempt may well succeed: what broke was the patience
    /// with somebody else.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Idle(_) | Self::Longest(_))
    }
}

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
            let _ = tokio::time::timeout(next - now, self.stopped.notified()).await;
        }
    }
}

/// Core instances, tables and memories of one component; languages with a
/// runtime of their own bring dozens of instances.
const INSTANCES: usize = 300;
const TABLES: usize = 300;
const MEMORIES: usize = 50;
/// Entries of one table: functions that are called through a pointer.
const TABLE_ENTRIES: usize = 200_000;

/// Asked by the store before any memory or table grows.
pub(crate) struct Limiter {
    meter: std::sync::Arc<Meter>,
    bytes: u64,
    last: u64,
}

impl Limiter {
    pub(crate) fn new(meter: std::sync::Arc<Meter>) -> Self {
        Self { meter, bytes: 0, last: 0 }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Asked for each memory by itself, so the sum is kept here.
        let more = desired.saturating_sub(current) as u64;
        let limit = self.meter.limits.memory_bytes;
        if self.bytes.saturating_add(more) > limit {
            return Err(self.meter.stop(LimitBroken::Memory(limit)).into());
        }
        self.last = more;
        self.bytes += more;
        self.meter.memory_peak.fetch_max(self.bytes, Relaxed);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.bytes -= std::mem::take(&mut self.last);
        Ok(())
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ENTRIES)
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}
