//! Stopping a run from outside, and why it stopped.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use cofferdam_model::{Failure, FailureKind};

/// Why somebody stops a run from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// A person cancelled it.
    Cancelled,
    /// The console is stopping.
    Interrupted,
    /// The lease went to another worker.
    LeaseLost,
}

impl Stop {
    /// The stop as the run's outcome.
    pub(crate) fn failure(self) -> Failure {
        match self {
            Self::Cancelled => Failure::new(
                FailureKind::Cancelled,
                "the backup was cancelled; nothing of it was kept",
            ),
            Self::Interrupted => Failure::new(
                FailureKind::Interrupted,
                "the console was stopped while the backup ran; nothing of it was kept",
            )
            .hint("start the backup again"),
            Self::LeaseLost => Failure::new(
                FailureKind::Interrupted,
                "another worker took this run over, because this one had not reported for too \
                 long; nothing of it was kept",
            )
            .hint("look for a machine that slept or was short of processor time"),
        }
    }
}

/// The handle by which a run is stopped: clone it, hand one to [`crate::run`],
/// keep the other. Stopping is idempotent; the first reason stands.
#[derive(Debug, Clone, Default)]
pub struct Control(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// The reason, once there is one.
    state: Mutex<Option<Failure>>,
    changed: Condvar,
}

impl Control {
    /// A handle that nobody has used yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the run: its child processes are killed with their whole group,
    /// and [`crate::run`] returns the reason. Returns at once; the run needs a
    /// moment to clear up.
    pub fn cancel(&self, stop: Stop) {
        self.stop_for(stop.failure());
    }

    /// Whether the run was stopped, from outside or by its own limits.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state().is_some()
    }

    /// Stops the run for a reason found inside it. The first reason stands.
    pub(crate) fn stop_for(&self, failure: Failure) {
        let mut state = self.state();
        if state.is_none() {
            *state = Some(failure);
            self.0.changed.notify_all();
        }
    }

    /// Why the run was stopped.
    pub(crate) fn reason(&self) -> Option<Failure> {
        self.state().clone()
    }

    /// `Err` with the reason once the run was stopped.
    pub(crate) fn go_on(&self) -> Result<(), Failure> {
        self.reason().map_or(Ok(()), Err)
    }

    /// Sleeps, but no longer than until the run is stopped; says whether it was.
    pub(crate) fn sleep(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut state = self.state();
        while state.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let woken = self.0.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, Option<Failure>> {
        // The lock guards one assignment, which no panic can leave half done.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stands() {
        let control = Control::new();
        assert!(!control.sleep(Duration::from_millis(1)));
        control.cancel(Stop::Cancelled);
        control.cancel(Stop::Interrupted);
        assert_eq!(control.reason().map(|f| f.kind), Some(FailureKind::Cancelled));
        assert!(control.sleep(Duration::from_mins(1)));
    }

    #[test]
    fn a_stop_wakes_whoever_sleeps() {
        let control = Control::new();
        let other = control.clone();
        let begin = Instant::now();
        let sleeper = std::thread::spawn(move || other.sleep(Duration::from_mins(1)));
        std::thread::sleep(Duration::from_millis(20));
        control.cancel(Stop::LeaseLost);
        assert!(sleeper.join().expect("the sleeper ends"));
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}
