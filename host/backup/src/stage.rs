//! Where a run is, shared between the thread that works and the one that watches.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cofferdam_model::Phase;

use crate::process::Group;

/// Notes that wait for the watching thread; more are counted, not kept.
const NOTES: usize = 100;

/// The shared place. Every method is short and never blocks on anything else.
#[derive(Debug, Default)]
pub(crate) struct Stage(Mutex<State>);

/// What the watching thread looks at.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    /// The table by the tool's own account, where the bytes cannot tell.
    pub(crate) table: Option<String>,
    pub(crate) tables_done: u64,
    /// Of the check of a finished file: how far, of how far.
    pub(crate) checked: (u64, u64),
    /// Grows with whatever shows that the work goes on, besides the bytes of the dump.
    pub(crate) signs: u64,
    /// The child that works, if one does.
    pub(crate) group: Option<Group>,
    notes: Vec<String>,
    notes_lost: u64,
}

impl Stage {
    /// The next phase.
    pub(crate) fn enter(&self, phase: Phase) {
        let mut state = self.lock();
        state.phase = phase;
        state.signs += 1;
    }

    /// The tool says that this table begins; so the one before is through.
    pub(crate) fn table_begins(&self, name: &str) {
        let mut state = self.lock();
        if state.table.replace(name.to_owned()).is_some() {
            state.tables_done += 1;
        }
        state.signs += 1;
    }

    /// The tool says that the table is through.
    pub(crate) fn table_ends(&self) {
        let mut state = self.lock();
        if state.table.take().is_some() {
            state.tables_done += 1;
        }
    }

    /// How far the check of the finished file is.
    pub(crate) fn checked(&self, through: u64, of: u64) {
        let mut state = self.lock();
        state.checked = (through, of);
        state.signs += 1;
    }

    /// The work goes on where no byte and no table can show it.
    pub(crate) fn goes_on(&self) {
        self.lock().signs += 1;
    }

    /// The child that works from now on.
    pub(crate) fn works(&self, group: Option<Group>) {
        self.lock().group = group;
    }

    /// A line for the run's log, from a thread that cannot write it itself.
    pub(crate) fn note(&self, line: &str) {
        let mut state = self.lock();
        if state.notes.len() < NOTES {
            state.notes.push(line.to_owned());
        } else {
            state.notes_lost += 1;
        }
    }

    /// The notes since the last call, and how many more there were.
    pub(crate) fn take_notes(&self) -> (Vec<String>, u64) {
        let mut state = self.lock();
        (std::mem::take(&mut state.notes), std::mem::take(&mut state.notes_lost))
    }

    /// Everything as it is now, without the notes.
    pub(crate) fn look(&self) -> State {
        let state = self.lock();
        State {
            table: state.table.clone(),
            group: state.group.clone(),
            notes: Vec::new(),
            ..*state
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
