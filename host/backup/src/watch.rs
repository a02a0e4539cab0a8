//! The thread beside the work: reports progress, keeps the limits, and ends
//! the child when the run is stopped.

use std::{
    sync::{
        OnceLock,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use cofferdam_artifact::{Folder, Meter};
use cofferdam_model::{Failure, FailureKind, Phase, Progress};

use crate::{
    Control, Limits,
    engine::{Engine, Survey},
    observer::Journal,
    progress::{Estimator, Sample},
    space,
    stage::{Stage, State},
};

/// How soon a stop is seen.
const TICK: Duration = Duration::from_millis(50);
/// How often progress is told, unless the phase changes.
const TELL: Duration = Duration::from_millis(250);
/// How often the free room is looked at.
const ROOM: Duration = Duration::from_secs(1);
/// A silence of this long is worth a question to the server.
const WONDER: Duration = Duration::from_secs(20);

/// What a run hands to its watch.
pub(crate) struct Watch<'a> {
    pub(crate) control: &'a Control,
    pub(crate) stage: &'a Stage,
    pub(crate) meter: &'a Meter,
    pub(crate) engine: &'a dyn Engine,
    pub(crate) journal: Journal<'a>,
    pub(crate) limits: Limits,
    pub(crate) folder: &'a Folder,
    pub(crate) began: Instant,
    /// What the look at the database found, once there was one.
    pub(crate) known: &'a OnceLock<Survey>,
    pub(crate) estimator: Estimator,
}

/// When something last happened, and what was done about it.
struct Signs {
    last: (u64, u64, Phase),
    since: Instant,
    wondered: bool,
}

impl Watch<'_> {
    /// Watches until the other end of `ended` is dropped. Gives the last
    /// progress, from which the run's own last word is made.
    pub(crate) fn keep(mut self, ended: &Receiver<()>) -> Progress {
        let _unwatched = Unwatched { control: self.control, stage: self.stage };
        let mut signs =
            Signs { last: (0, 0, Phase::Waiting), since: Instant::now(), wondered: false };
        let mut told = None;
        let mut looked = Instant::now();
        loop {
            let over = !matches!(ended.recv_timeout(TICK), Err(RecvTimeoutError::Timeout));
            let state = self.stage.look();
            let now = Instant::now();
            let due = told
                .is_none_or(|(at, phase)| phase != state.phase || now.duration_since(at) >= TELL);
            self.pass_notes_on();
            if due || over {
                told = Some((now, state.phase));
                let progress = self.progress(&state, now);
                self.journal.0.progress(&progress);
                if over {
                    return progress;
                }
            }
            if self.control.is_stopped() {
                if let Some(group) = state.group {
                    group.end();
                }
                continue;
            }
            self.keep_time(&state, now, &mut signs);
            if now.duration_since(looked) >= ROOM {
                looked = now;
                self.keep_room();
            }
        }
    }

    fn progress(&mut self, state: &State, now: Instant) -> Progress {
        if !self.estimator.knows()
            && let Some(survey) = self.known.get()
        {
            self.estimator.know(survey);
        }
        let (table, table_bytes) = match self.meter.table() {
            Some((table, bytes)) => (Some(table), Some(bytes)),
            None => (state.table.clone(), None),
        };
        let sample = Sample {
            phase: state.phase,
            table,
            table_bytes,
            tables_done: self.meter.tables_done().max(state.tables_done),
            raw_bytes: self.meter.raw_bytes(),
            written_bytes: self.meter.written_bytes(),
            checked: state.checked,
        };
        self.estimator.advance(sample, now)
    }

    fn pass_notes_on(&self) {
        let (notes, lost) = self.stage.take_notes();
        for note in notes {
            self.journal.warning(note);
        }
        if lost > 0 {
            self.journal.warning(format!("{lost} more lines of the tool are not shown"));
        }
    }

    fn keep_time(&self, state: &State, now: Instant, signs: &mut Signs) {
        if let Some(limit) = self.limits.whole.filter(|&limit| now - self.began >= limit) {
            return self.control.stop_for(too_long(limit));
        }
        let current = (self.meter.raw_bytes(), state.signs, state.phase);
        // Other phases are bounded by the limits of each question to the server.
        let counts = matches!(state.phase, Phase::Dumping | Phase::Checking);
        if current != signs.last || !counts {
            *signs = Signs { last: current, since: now, wondered: false };
            return;
        }
        let silence = now - signs.since;
        if silence >= self.limits.stall {
            let failure = stalled(self.limits.stall, state.phase);
            let failure = match self.engine.what_holds_it(self.control) {
                Some(reason) => blocked(self.limits.stall, &reason),
                None => failure,
            };
            self.control.stop_for(failure);
        } else if silence >= WONDER && !signs.wondered {
            signs.wondered = true;
            if let Some(reason) = self.engine.what_holds_it(self.control) {
                self.journal.warning(format!("the dump waits: {reason}"));
            }
        }
    }

    fn keep_room(&self) {
        let keep = self.limits.keep_free_bytes;
        if let Some(free) = space::free(self.folder).ok().filter(|&free| free < keep) {
            self.control.stop_for(space::ran_out(free, keep));
        }
    }
}

/// Ends the run if its watch breaks down, say because the observer panics:
/// without it, nothing would keep the limits.
struct Unwatched<'a> {
    control: &'a Control,
    stage: &'a Stage,
}

impl Drop for Unwatched<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.control.stop_for(Failure::new(
                FailureKind::Internal,
                "the thread that watches the run broke down, so the run was ended",
            ));
            if let Some(group) = self.stage.look().group {
                group.end();
            }
        }
    }
}

fn too_long(limit: Duration) -> Failure {
    Failure::new(
        FailureKind::Timeout,
        format!("the run took longer than its limit of {}; it was ended", span(limit)),
    )
    .hint("raise the time limit, or see in the log what took so long")
}

fn stalled(limit: Duration, phase: Phase) -> Failure {
    let what = if phase == Phase::Checking { "the check" } else { "the dump" };
    Failure::new(
        FailureKind::Stall,
        format!("{what} made no progress for {}; it was ended", span(limit)),
    )
    .hint("check the server's load, the network and the disk, or raise the stall limit")
}

fn blocked(limit: Duration, reason: &str) -> Failure {
    Failure::new(
        FailureKind::Stall,
        format!("the dump waited for {} and was ended: {reason}", span(limit)),
    )
    .hint("end that session, or run the backup at a quieter time")
}

/// A limit for people, in the largest unit that says it exactly.
fn span(time: Duration) -> String {
    let (number, unit) = match time.as_secs() {
        0 => return format!("{} ms", time.as_millis()),
        s if s % 3600 == 0 => (s / 3600, "hour"),
        s if s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_well() {
        for (seconds, text) in
            [(1, "1 second"), (90, "90 seconds"), (600, "10 minutes"), (3600, "1 hour")]
        {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
        assert_eq!(span(Duration::from_millis(300)), "300 ms");
    }
}
