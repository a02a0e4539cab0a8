//! Clocks that jump. The console's own is moved with libfaketime, while it runs.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use cofferdam_tests::console::Builder;

use crate::world::World;

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// The console's clock, as a distance from the machine's.
struct Clock(tempfile::TempDir);

impl Clock {
    /// `None` where libfaketime is not installed.
    fn new() -> Option<Self> {
        if !Path::new(LIBRARY).exists() {
            println!("not run: libfaketime is not installed");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("cofferdam-clock-").tempdir().expect("one");
        let clock = Self(folder);
        clock.set("+0");
        Some(clock)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("clock")
    }

    fn set(&self, distance: &str) {
        // Renamed, so that a half-written one is never read.
        let new = self.0.path().join("new");
        fs::write(&new, format!("{distance}\n")).expect("it can be written");
        fs::rename(new, self.file()).expect("it can be renamed");
    }

    fn given_to(&self, builder: Builder) -> Builder {
        builder
            .env("LD_PRELOAD", LIBRARY)
            .env("FAKETIME_TIMESTAMP_FILE", self.file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // A session and a token outlive a jump of a day, not one of a year.
            .env("COFFERDAM_SESSION_HOURS", "100")
    }
}

#[test]
fn a_clock_that_jumps_under_a_running_backup_neither_ends_nor_stalls_it() {
    let Some(clock) = Clock::new() else { return };
    let mut world = World::with(|builder| clock.given_to(builder));
    for jump in ["+1d", "-1d", "+366d", "-366d"] {
        clock.set("+0");
        world.api = world.console.api();
        let id = world.begin_and_hold();
        clock.set(jump);
        // Renewals of the lease, and looks for dead workers, come and go.
        thread::sleep(Duration::from_secs(12));
        world.link.release();
        world.api = world.console.api();
        let backup = world.end_of(&id);
        assert_eq!(backup["status"], "completed", "{jump}: {backup}");
        // One that begins in the new time works too.
        world.back_up();
    }
    clock.set("+0");
    world.api = world.console.api();
    assert_eq!(world.backups().len(), 8);
    world.assert_whole();
}

#[test]
fn a_run_of_a_future_that_never_came_is_closed_at_the_next_start() {
    let Some(clock) = Clock::new() else { return };
    let mut world = World::with(|builder| clock.given_to(builder));
    for (then, afterwards) in [("+366d", "+0"), ("+0", "+366d"), ("+0", "-366d")] {
        clock.set(then);
        world.console.restart();
        world.api = world.console.api();
        let id = world.begin_and_hold();
        world.console.kill9();
        world.link.release();
        clock.set(afterwards);
        world.console.restart();
        world.api = world.console.api();
        world.failure_of(&id, "interrupted");
        world.back_up();
        world.assert_in_step();
    }
    clock.set("+0");
    world.console.restart();
    world.api = world.console.api();
    world.assert_whole();
}
