//! What a call has used, and the watch over it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;

use crate::{CallError, LimitBroken, Limits};

/// What a call has used so far, and which limit it has broken. Shared between
/// the store, its streams, its connections and the watch over the call.
pub(crate) struct Meter {
    limits: Limits,
    start: Instant,
    /// Milliseconds after `start` when a byte of the file last passed.
    progress: AtomicU64,
    waits: Mutex<Waits>,
    computing: Computing,
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) file_bytes: AtomicU64,
    hashed: AtomicU64,
    pub(crate) memory_peak: AtomicU64,
    outgoing_limit: AtomicU64,
    broken: OnceLock<LimitBroken>,
    host: Mutex<Option<CallError>>,
    stopped: Notify,
}

/// The watch over a call looks no more often than this.
const LOOK: Duration = Duration::from_millis(10);

/// The component's computing time in nanoseconds, the console's own work for it
/// included. Only the thread that it runs on adds to it.
#[derive(Default)]
struct Computing {
    sum: AtomicU64,
    since_progress: AtomicU64,
    /// The thread's own time when this was last counted.
    begun: AtomicU64,
}

/// The processor time of this thread, in nanoseconds.
fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let whole = u64::try_from(time.tv_sec).unwrap_or_default() * 1_000_000_000;
    whole + u64::try_from(time.tv_nsec).unwrap_or_default()
}

/// Counts the computing time of a call while it is polled.
pub(crate) struct Counted<F> {
    pub(crate) call: Pin<Box<F>>,
    pub(crate) meter: Arc<Meter>,
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.meter.begin_computing();
        let polled = self.call.as_mut().poll(cx);
        // The watch beside the call hears of it.
        let _ = self.meter.computed();
        polled
    }
}

/// Answers that are waited for, since a byte of the file last passed.
#[derive(Default)]
struct Waits {
    open: usize,
    /// Since when there is one.
    since: Option<Instant>,
    /// Waits that are over.
    sum: Duration,
}

impl Waits {
    fn time(&self) -> Duration {
        self.sum + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// An answer is waited for as long as this lives.
pub(crate) struct Waiting(Arc<Meter>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waits = self.0.waits();
        waits.open -= 1;
        if waits.open == 0 {
            waits.sum = waits.time();
            waits.since = None;
        }
    }
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            outgoing_limit: AtomicU64::new(limits.outgoing_bytes),
            limits,
            start: Instant::now(),
            progress: AtomicU64::new(0),
            waits: Mutex::default(),
            computing: Computing::default(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            file_bytes: AtomicU64::new(0),
            hashed: AtomicU64::new(0),
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
        Duration::from_nanos(self.computing.sum.load(Relaxed))
    }

    /// Bytes of the file have passed. After every so many of them the budgets of
    /// time begin anew: reading byte by byte, or none, gives nobody more time.
    pub(crate) fn passed(&self, bytes: u64) {
        self.step(&self.file_bytes, bytes);
    }

    /// Bytes of the file were hashed for the component, which counts in the same way.
    pub(crate) fn hashed(&self, bytes: u64) {
        self.step(&self.hashed, bytes);
    }

    fn step(&self, sum: &AtomicU64, bytes: u64) {
        const STEP: u64 = 64 << 10;
        let before = sum.fetch_add(bytes, Relaxed);
        if before / STEP != (before + bytes) / STEP {
            self.progress();
        }
    }

    fn progress(&self) {
        let now = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.progress.store(now, Relaxed);
        self.computing.since_progress.store(0, Relaxed);
        let mut waits = self.waits();
        waits.sum = Duration::ZERO;
        waits.since = waits.since.map(|_| Instant::now());
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A server has all of a request, and its answer is waited for.
    pub(crate) fn wait(self: &Arc<Self>) -> Waiting {
        let mut waits = self.waits();
        waits.open += 1;
        waits.since.get_or_insert_with(Instant::now);
        Waiting(Arc::clone(self))
    }

    /// The component goes on computing on this thread.
    pub(crate) fn begin_computing(&self) {
        self.computing.begun.store(thread_time(), Relaxed);
    }

    /// Counts what it has computed since; again and again while it goes on. An
    /// error when it was too much.
    pub(crate) fn computed(&self) -> Result<(), LimitBroken> {
        let now = thread_time();
        let more = now.saturating_sub(self.computing.begun.swap(now, Relaxed));
        self.computing.sum.fetch_add(more, Relaxed);
        let since = self.computing.since_progress.fetch_add(more, Relaxed) + more;
        if Duration::from_nanos(since) > self.limits.cpu {
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
    pub(crate) fn host_failed(&self, why: CallError) {
        self.host.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    pub(crate) fn host_failure(&self) -> Option<CallError> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends when a limit is broken, be it one of time.
    pub(crate) async fn watch(&self) -> LimitBroken {
        loop {
            if let Some(reason) = self.broken() {
                return reason;
            }
            let limits = &self.limits;
            let since = Duration::from_millis(self.progress.load(Relaxed));
            let waited = self.waits().time();
            let now = self.elapsed();
            let idle = now.saturating_sub(since).saturating_sub(waited);
            if now >= limits.longest {
                return self.stop(LimitBroken::Longest(limits.longest));
            }
            if waited >= limits.answer {
                return self.stop(LimitBroken::Answer(limits.answer));
            }
            if idle >= limits.idle {
                return self.stop(LimitBroken::Idle(limits.idle));
            }
            let left = limits
                .answer
                .saturating_sub(waited)
                .min(limits.idle.saturating_sub(idle))
                .max(LOOK);
            // Which of the two runs may change meanwhile, and progress moves both
            // further away: it is looked at again then.
            let next = left.min(limits.longest.saturating_sub(now));
            let _ = tokio::time::timeout(next, self.stopped.notified()).await;
        }
    }
}
