//! What breaks in the middle of a dump leaves nothing behind.

use std::{
    thread,
    time::{Duration, Instant},
};

use cofferdam_backup::{Control, Limits, Observer, Stop, end_backends, run};
use cofferdam_model::{
    BackupId, Connection, Failure, FailureKind, Format, LogLine, Phase, Progress,
};

use crate::{
    listener::{
        LIMITS, Listener, Place, a_run, back_up, children, clients, pg_dump_of, signal, wait,
    },
    server::{Server, shared},
};

/// A database whose dump takes a second or two.
pub(crate) fn large(server: &Server) -> String {
    let database = server.database("large");
    server.sql(
        &database,
        "CREATE TABLE big AS SELECT i, repeat(md5(i::text), 40) AS t FROM generate_series(1, 120000) i",
    );
    database
}

/// Runs a backup while `disturb` does something to it once its dump flows;
/// the failure, and how long it took from then on.
fn disturbed(
    server: &Server,
    connection: &Connection,
    limits: Limits,
    disturb: impl FnOnce(BackupId, &Control, &Listener) + Send,
) -> (Failure, Duration) {
    let (place, listener, control) = (Place::new(), Listener::default(), Control::new());
    let mut run_ = a_run(connection, Format::Plain);
    run_.limits = limits;
    let (failure, time) = thread::scope(|scope| {
        let running = scope.spawn(|| run(&run_, &place.folder, clients(), &control, &listener));
        let pid = pg_dump_of(run_.id);
        listener.wait_for_bytes(1 << 20);
        // Held still, so that the dump cannot end before it is disturbed.
        signal(pid, "STOP");
        let begin = Instant::now();
        disturb(run_.id, &control, &listener);
        (running.join().expect("no panic"), begin.elapsed())
    });
    let failure = failure.expect_err("the backup fails");
    assert_eq!(place.files(), Vec::<String>::new());
    assert_eq!(children(run_.id), Vec::<u32>::new());
    let progress = listener.progress.lock().expect("no panic");
    let last = progress.last().expect("there was progress");
    assert_eq!(last.phase, Phase::Done);
    assert!(last.percent.is_some_and(|percent| percent < 100.0));
    if server.is_up() {
        assert_eq!(server.sessions(run_.id), 0);
    }
    (failure, time)
}

#[test]
fn a_killed_pg_dump_is_a_tool_failure_without_a_file() {
    let server = shared();
    let connection = server.connection(&large(server));
    let (failure, _) = disturbed(server, &connection, LIMITS, |id, _, _| {
        signal(pg_dump_of(id), "KILL");
    });
    assert_eq!(failure.kind, FailureKind::Tool);
    assert_eq!(failure.message, "pg_dump failed with signal 9");
}

#[test]
fn a_stopped_pg_dump_meets_the_stall_limit() {
    let server = shared();
    let connection = server.connection(&large(server));
    let limits = Limits { stall: Duration::from_secs(2), ..LIMITS };
    let (failure, time) = disturbed(server, &connection, limits, |_, _, _| {});
    assert_eq!(failure.kind, FailureKind::Stall);
    assert_eq!(failure.message, "the dump made no progress for 2 seconds; it was ended");
    assert!((2.0..6.0).contains(&time.as_secs_f64()), "{time:?}");
}

#[test]
fn a_run_that_takes_too_long_meets_its_limit() {
    let server = shared();
    let connection = server.connection(&large(server));
    let limits = Limits { whole: Some(Duration::from_secs(3)), ..LIMITS };
    let (failure, time) = disturbed(server, &connection, limits, |_, _, _| {});
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.message, "the run took longer than its limit of 3 seconds; it was ended");
    assert!(time < Duration::from_secs(6), "{time:?}");
}

#[test]
fn a_cancelled_run_leaves_no_file_no_process_and_no_session() {
    let server = shared();
    let connection = server.connection(&large(server));
    for (stop, kind) in [
        (Stop::Cancelled, FailureKind::Cancelled),
        (Stop::Interrupted, FailureKind::Interrupted),
        (Stop::LeaseLost, FailureKind::Interrupted),
    ] {
        let (failure, time) = disturbed(server, &connection, LIMITS, |_, control, _| {
            control.cancel(stop);
            control.cancel(Stop::Cancelled);
        });
        assert_eq!(failure.kind, kind);
        assert!(time < Duration::from_secs(5), "{time:?}");
    }
}

#[test]
fn a_run_that_was_cancelled_before_it_began_does_nothing() {
    let connection = shared().connection("postgres");
    let (place, listener, control) = (Place::new(), Listener::default(), Control::new());
    control.cancel(Stop::Cancelled);
    let run_ = a_run(&connection, Format::Plain);
    let failure = run(&run_, &place.folder, clients(), &control, &listener);
    assert_eq!(failure.map_err(|f| f.kind).err(), Some(FailureKind::Cancelled));
    assert!(place.files().is_empty());
}

#[test]
fn a_server_that_crashes_is_a_connection_failure() {
    let server = Server::start();
    let connection = server.connection(&large(&server));
    let (failure, time) = disturbed(&server, &connection, LIMITS, |id, _, _| {
        server.crash();
        signal(pg_dump_of(id), "CONT");
    });
    assert_eq!(failure.kind, FailureKind::Connection, "{failure:?}");
    assert_eq!(failure.message, "the server closed the connection");
    assert!(time < Duration::from_secs(20), "{time:?}");
    // And it works again afterwards.
    server.run();
    back_up(&connection, Format::Plain);
}

#[test]
fn a_session_that_is_ended_on_the_server_is_a_connection_failure() {
    let server = shared();
    let connection = server.connection(&large(server));
    let (failure, _) = disturbed(server, &connection, LIMITS, |id, _, _| {
        // The dump's own, and the one that holds its snapshot.
        assert_eq!(end_backends(&connection, clients(), id).expect("it can be asked"), 2);
        assert_eq!(end_backends(&connection, clients(), id).expect("it can be asked"), 0);
        signal(pg_dump_of(id), "CONT");
    });
    assert_eq!(failure.kind, FailureKind::Connection, "{failure:?}");
}

#[test]
fn a_locked_table_ends_the_run_and_names_who_holds_it() {
    let server = shared();
    let database = server.database("locked");
    server.sql(&database, "CREATE TABLE busy (a int)");
    let mut holder = server
        .tool("psql", &database)
        .env("PGAPPNAME", "migration")
        .args(["-X", "-q", "-c", "BEGIN; LOCK TABLE busy; SELECT pg_sleep(60)"])
        .spawn()
        .expect("psql starts");
    wait("the lock", || {
        let sql = "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' \
                   AND relation = 'busy'::regclass";
        server.sql(&database, sql) == "1"
    });
    let connection = server.connection(&database);
    let (place, listener) = (Place::new(), Listener::default());
    let mut run_ = a_run(&connection, Format::Plain);
    run_.limits.stall = Duration::from_secs(2);
    let begin = Instant::now();
    let failure = run(&run_, &place.folder, clients(), &Control::new(), &listener);
    let time = begin.elapsed();
    holder.kill().expect("it still sleeps");
    holder.wait().expect("it ends");
    let failure = failure.expect_err("the backup fails");
    assert_eq!(failure.kind, FailureKind::Stall);
    let message = &failure.message;
    let head =
        "the dump waited for 2 seconds and was ended: the table public.busy is locked by session ";
    assert!(
        message.starts_with(head) && message.ends_with(" of postgres (migration)"),
        "{message}"
    );
    assert!(time < Duration::from_secs(15), "{time:?}");
    assert_eq!((place.files().len(), server.sessions(run_.id)), (0, 0));
}

#[test]
fn a_lost_lease_drops_the_file_that_was_already_whole() {
    let connection = shared().connection("postgres");
    let (place, listener) = (Place::new(), Listener::default());
    let refusal = Failure::new(FailureKind::Interrupted, "the lease is gone");
    *listener.refusal.lock().expect("no panic") = Some(refusal.clone());
    let run_ = a_run(&connection, Format::Plain);
    let failure = run(&run_, &place.folder, clients(), &Control::new(), &listener);
    assert_eq!(failure.err(), Some(refusal));
    assert!(place.files().is_empty());
}

#[test]
fn a_disk_that_fills_up_ends_the_run() {
    let server = shared();
    let database = server.database("wide");
    server.sql(
        &database,
        "CREATE EXTENSION pgcrypto; \
         CREATE TABLE wide AS SELECT gen_random_bytes(500) AS b FROM generate_series(1, 60000)",
    );
    let connection = server.connection(&database);
    // Nobody else writes there, so what is free changes with the backup alone.
    let place = Place::within("/dev/shm");
    let free = place.folder.free_bytes().expect("it can be asked");
    // What the look at the database asks for fits; what the dump writes does not.
    let limits = Limits { keep_free_bytes: free - (16 << 20), ..LIMITS };
    let listener = Listener::default();
    let mut run_ = a_run(&connection, Format::Plain);
    run_.limits = limits;
    let failure = thread::scope(|scope| {
        let running =
            scope.spawn(|| run(&run_, &place.folder, clients(), &Control::new(), &listener));
        let pid = pg_dump_of(run_.id);
        // Unless the room was short before, the dump waits here until it is seen.
        wait("the dump", || running.is_finished() || listener.bytes() >= 45 << 20);
        if !running.is_finished() {
            signal(pid, "STOP");
        }
        running.join().expect("no panic")
    });
    let failure = failure.expect_err("the backup fails");
    assert_eq!(failure.kind, FailureKind::Space, "{failure:?}");
    assert!(failure.message.starts_with("the backup folder ran short of room: "), "{failure}");
    assert!(place.files().is_empty());
}

/// Listens to nothing, and breaks down once the dump flows.
struct Broken;

impl Observer for Broken {
    fn progress(&self, progress: &Progress) {
        assert!(progress.phase < Phase::Dumping || progress.phase == Phase::Done, "on purpose");
    }

    fn log(&self, _: LogLine) {}

    fn before_publish(&self) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn a_run_whose_watch_breaks_down_is_ended() {
    let server = shared();
    let connection = server.connection(&large(server));
    let place = Place::new();
    let run_ = a_run(&connection, Format::Plain);
    let failure = run(&run_, &place.folder, clients(), &Control::new(), &Broken);
    let failure = failure.expect_err("the backup fails");
    assert_eq!(failure.kind, FailureKind::Internal, "{failure:?}");
    assert_eq!((place.files().len(), server.sessions(run_.id)), (0, 0));
}
