//! A look at the whole file's structure while it is dumped.
//!
//! Reading all rows does not show all damage: a flipped bit in a page's cell
//! count hides rows, and the rest reads well. SQLite's own quick check finds
//! this. It runs on a second connection in a thread of its own, and the dump
//! is whole only if both have come to their ends.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use rusqlite::{Connection, InterruptHandle};

use crate::{DumpError, DumpObserver, Snapshot, rows::Listeners};

/// What a report holds at most: enough to judge, and to fit a message.
const LINES: usize = 5;

/// So many of SQLite's steps, or pages, show that the check goes on.
const STEPS: i32 = 256;

/// How often somebody who waits for the check is told and asked.
const TICK: Duration = Duration::from_millis(20);

impl Snapshot {
    /// Runs `work` beside the check, and waits for both. The observer is told
    /// and asked during that wait too. What `work` listens to also says when
    /// the check has found damage and there is no sense in going on.
    pub(crate) fn checked<T>(
        &self,
        observer: &mut dyn DumpObserver,
        work: impl FnOnce(&mut Listeners<'_>) -> Result<T, DumpError>,
    ) -> Result<T, DumpError> {
        let damaged = AtomicBool::new(false);
        let Some(checker) = &self.checker else {
            self.check_first(observer)?;
            return work(&mut Listeners { observer, damaged: &damaged });
        };
        let wait = self.wait;
        let interrupt = lock(checker).get_interrupt_handle();
        let (steps, (working, end)) = (Arc::<AtomicU64>::default(), mpsc::channel::<()>());
        thread::scope(|scope| {
            let (counter, flag) = (Arc::clone(&steps), &damaged);
            let check = scope.spawn(move || {
                let _working = working;
                let found = check(&lock(checker), wait, counter);
                flag.store(found.is_err(), Ordering::SeqCst);
                found
            });
            let done = work(&mut Listeners { observer, damaged: &damaged });
            let give_up = done.is_err() && !damaged.load(Ordering::SeqCst);
            let stopped = attend(observer, &interrupt, &steps, &end, give_up);
            let found = check.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            match (give_up, stopped) {
                (true, _) => done,
                (false, true) => Err(DumpError::Cancelled),
                (false, false) => found.and(done),
            }
        })
    }

    /// The check on the dump's own connection, before the dump.
    fn check_first(&self, observer: &mut dyn DumpObserver) -> Result<(), DumpError> {
        let interrupt = self.connection.get_interrupt_handle();
        let (steps, (working, end)) = (Arc::<AtomicU64>::default(), mpsc::channel::<()>());
        let counter = Arc::clone(&steps);
        thread::scope(|scope| {
            let waiting = scope.spawn(move || attend(observer, &interrupt, &steps, &end, false));
            let found = check(&self.connection, self.wait, counter);
            drop(working);
            match waiting.join() {
                Ok(true) => Err(DumpError::Cancelled),
                Ok(false) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

/// Waits until the check has ended, and interrupts it when the observer says
/// so, or at once with `stopped`. An interruption is lost on a query that has
/// not begun, so it is repeated. Gives whether the check was interrupted.
fn attend(
    observer: &mut dyn DumpObserver,
    interrupt: &InterruptHandle,
    steps: &AtomicU64,
    end: &Receiver<()>,
    mut stopped: bool,
) -> bool {
    let mut seen = 0;
    loop {
        let tick = if stopped { Duration::from_millis(2) } else { TICK };
        if stopped {
            interrupt.interrupt();
        }
        if !matches!(end.recv_timeout(tick), Err(RecvTimeoutError::Timeout)) {
            return stopped;
        }
        let now = steps.load(Ordering::Relaxed);
        if now != seen {
            seen = now;
            observer.check_moved();
        }
        stopped = stopped || !observer.keep_going();
    }
}

fn lock(checker: &Mutex<Connection>) -> std::sync::MutexGuard<'_, Connection> {
    checker.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check(connection: &Connection, wait: Duration, steps: Arc<AtomicU64>) -> Result<(), DumpError> {
    let count = move || {
        steps.fetch_add(1, Ordering::Relaxed);
        false
    };
    let found = connection
        .progress_handler(STEPS, Some(count))
        .and_then(|()| find_damage(connection))
        .and_then(|damage| connection.progress_handler(0, None::<fn() -> bool>).map(|()| damage));
    let damage = found.map_err(|e| DumpError::reading(e, wait))?;
    if damage.is_empty() { Ok(()) } else { Err(DumpError::Corrupt { detail: damage.join("; ") }) }
}

fn find_damage(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    // Constraints are the application's affair, and may need its functions.
    connection.pragma_update(None, "ignore_check_constraints", true)?;
    let mut statement = connection.prepare("PRAGMA quick_check(10000)")?;
    let mut rows = statement.query([])?;
    let mut damage = Vec::new();
    while let (Some(row), true) = (rows.next()?, damage.len() < LINES) {
        let line: String = row.get(0)?;
        if line != "ok" && !is_about_types(&line) {
            damage.push(line.trim_end().to_owned());
        }
    }
    Ok(damage)
}

/// A value of a type that its column would have converted. It comes about
/// when a column's declared type is changed later, and is no damage.
fn is_about_types(line: &str) -> bool {
    line.starts_with("NUMERIC value in ") || line.starts_with("TEXT value in ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts, and says stop when the check has moved so often.
    #[derive(Default)]
    struct Watcher {
        moved: u32,
        asked: u32,
        patience: Option<u32>,
    }

    impl DumpObserver for Watcher {
        fn check_moved(&mut self) {
            self.moved += 1;
        }

        fn keep_going(&mut self) -> bool {
            self.asked += 1;
            self.patience.is_none_or(|patience| self.moved < patience)
        }
    }

    /// A file whose check takes some ticks, and a snapshot of it with or
    /// without a second reader.
    fn large(second_reader: bool) -> (tempfile::TempDir, Snapshot) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.db");
        let connection = Connection::open(&path).unwrap();
        let script = "PRAGMA synchronous=OFF; CREATE TABLE t(a, b); CREATE INDEX i ON t(b, a);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
             INSERT INTO t SELECT i, 'some text, and more of it, ' || i FROM n;";
        connection.execute_batch(script).unwrap();
        connection.close().unwrap();
        let mut snapshot = Snapshot::open(&path).unwrap();
        assert!(snapshot.checker.is_some());
        if !second_reader {
            snapshot.checker = None;
        }
        (folder, snapshot)
    }

    #[test]
    fn whoever_waits_for_the_check_hears_that_it_goes_on_and_can_stop_it() {
        for second_reader in [true, false] {
            let (_folder, snapshot) = large(second_reader);
            let mut watcher = Watcher::default();
            snapshot.checked(&mut watcher, |_| Ok(())).unwrap();
            assert!(watcher.moved > 0 && watcher.asked > 0, "{second_reader}: {}", watcher.moved);
            let mut watcher = Watcher { patience: Some(1), ..Watcher::default() };
            let stopped = snapshot.checked(&mut watcher, |_| Ok(()));
            assert!(matches!(stopped, Err(DumpError::Cancelled)), "{stopped:?}");
            assert_eq!(watcher.moved, 1, "{second_reader}");
            // And the snapshot is still good.
            snapshot.checked(&mut Watcher::default(), |_| Ok(())).unwrap();
        }
    }
}
