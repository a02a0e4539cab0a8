//! A look at the whole file's structure while it is dumped.
//!
//! Reading all rows does not show all damage: a flipped bit in a page's cell
//! count hides rows, and the rest reads well. SQLite's own quick check finds
//! this. It runs on a second connection in a thread of its own, and the dump
//! is whole only if both have come to their ends.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rusqlite::{Connection, InterruptHandle};

use crate::{DumpError, Snapshot};

/// What a report holds at most: enough to judge, and to fit a message.
const LINES: usize = 5;

impl Snapshot {
    /// Runs `work` beside the check. `work` is given a flag that turns true
    /// when the check has found damage and there is no sense in going on.
    pub(crate) fn checked<T>(
        &self,
        work: impl FnOnce(&AtomicBool) -> Result<T, DumpError>,
    ) -> Result<T, DumpError> {
        let damaged = AtomicBool::new(false);
        let Some(checker) = &self.checker else {
            check(&self.connection, self.wait)?;
            return work(&damaged);
        };
        let wait = self.wait;
        let interrupt = lock(checker).get_interrupt_handle();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let check = scope.spawn(|| {
                let connection = lock(checker);
                if stop.load(Ordering::SeqCst) {
                    return Ok(());
                }
                let found = check(&connection, wait);
                damaged.store(found.is_err(), Ordering::SeqCst);
                found
            });
            let done = work(&damaged);
            if done.is_err() && !damaged.load(Ordering::SeqCst) {
                stop.store(true, Ordering::SeqCst);
                stop_check(&interrupt, || check.is_finished());
                return done;
            }
            match check.join() {
                Ok(Ok(())) => done,
                Ok(Err(damage)) => Err(damage),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

/// An interruption is lost on a query that has not begun, so it is repeated.
fn stop_check(interrupt: &InterruptHandle, finished: impl Fn() -> bool) {
    while !finished() {
        interrupt.interrupt();
        thread::sleep(Duration::from_millis(2));
    }
}

fn lock(checker: &Mutex<Connection>) -> std::sync::MutexGuard<'_, Connection> {
    checker.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check(connection: &Connection, wait: Duration) -> Result<(), DumpError> {
    let damage = find_damage(connection).map_err(|e| DumpError::reading(e, wait))?;
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
