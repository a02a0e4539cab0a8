//! A password is where it must be, and nowhere else.

use std::os::unix::fs::MetadataExt as _;
use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use cofferdam_backup::{Control, Stop, run};
use cofferdam_model::{BackupId, Connection, Format, Secret};

use crate::{
    faults::large,
    listener::{Listener, Place, a_run, children, clients, fail, pg_dump_of, signal},
    server::shared,
};

const CANARY: &str = "canary-7f3a91c2";

/// Looks into every process's arguments and environment; `true` if the secret is there.
fn is_seen() -> bool {
    let entries = fs::read_dir("/proc").expect("there is /proc");
    entries.flatten().any(|entry| {
        ["cmdline", "environ"].iter().any(|file| {
            let text = fs::read(entry.path().join(file)).unwrap_or_default();
            text.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
        })
    })
}

/// The password file of a run's child.
fn password_file(id: BackupId) -> Option<PathBuf> {
    let pid = children(id).into_iter().next()?;
    let environ = fs::read_to_string(format!("/proc/{pid}/environ")).ok()?;
    let file = environ.split('\0').find_map(|variable| variable.strip_prefix("PGPASSFILE="))?;
    Some(PathBuf::from(file))
}

#[test]
fn a_password_is_in_no_argument_environment_log_failure_or_sidecar() {
    let server = shared();
    let database = large(server);
    server.sql(
        &database,
        &format!("CREATE ROLE canary LOGIN PASSWORD '{CANARY}' IN ROLE pg_read_all_data"),
    );
    let mut postgres = server.postgres(&database);
    (postgres.user, postgres.password) = ("canary".to_owned(), Some(Secret::new(CANARY)));
    let connection = Connection::Postgres(postgres.clone());
    let (over, seen) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                seen.fetch_or(is_seen(), Ordering::Relaxed);
            }
        });

        // Once to its end…
        let (place, listener) = (Place::new(), Listener::default());
        let run_ = a_run(&connection, Format::Custom);
        let sidecar = run(&run_, &place.folder, clients(), &Control::new(), &listener);
        let sidecar = sidecar.expect("the backup succeeds");
        let file = fs::read_to_string(place.path(&sidecar).with_extension("dump.json"));
        assert!(!file.expect("there is a sidecar").contains(CANARY));
        assert!(!listener.log().contains(CANARY) && !format!("{run_:?}").contains(CANARY));

        // …and once cut off, in the middle of it.
        let (listener, control) = (Listener::default(), Control::new());
        let run_ = a_run(&connection, Format::Plain);
        let failure = thread::scope(|scope| {
            let running = scope.spawn(|| run(&run_, &place.folder, clients(), &control, &listener));
            let pid = pg_dump_of(run_.id);
            signal(pid, "STOP");
            let file = password_file(run_.id).expect("there is one");
            let links = fs::metadata(&file).expect("it is there").nlink();
            assert_eq!(links, 0, "no folder has the password file, so no disk keeps it");
            control.cancel(Stop::Cancelled);
            let failure = running.join().expect("no panic").expect_err("it was cancelled");
            // Its number among the open files may be another file's by now.
            let there = fs::read_link(&file);
            let there = there.is_ok_and(|it| it.to_string_lossy().contains("memfd:pgpass"));
            assert!(!there, "the password file is gone");
            failure
        });
        assert!(!format!("{failure:?}{}", listener.log()).contains(CANARY));

        // …and once as a wrong password.
        postgres.user = "postgres".to_owned();
        let wrong = Connection::Postgres(postgres.clone());
        let (failure, listener) = fail(&a_run(&wrong, Format::Plain));
        assert!(!format!("{failure:?}{}", listener.log()).contains(CANARY));
        over.store(true, Ordering::Relaxed);
    });
    assert!(!seen.load(Ordering::Relaxed), "the password was in a command line or an environment");
}

#[test]
fn a_child_sees_nothing_of_this_process_s_environment() {
    let server = shared();
    let connection = server.connection(&large(server));
    let (place, listener, control) = (Place::new(), Listener::default(), Control::new());
    let run_ = a_run(&connection, Format::Plain);
    let environ = thread::scope(|scope| {
        let running = scope.spawn(|| run(&run_, &place.folder, clients(), &control, &listener));
        let pid = pg_dump_of(run_.id);
        signal(pid, "STOP");
        let environ = fs::read_to_string(format!("/proc/{pid}/environ")).expect("it runs");
        control.cancel(Stop::Cancelled);
        running.join().expect("no panic").expect_err("it was cancelled");
        environ
    });
    let mut names: Vec<&str> =
        environ.split('\0').filter_map(|v| v.split_once('=')).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LC_ALL", "PATH", "PGAPPNAME", "PGCONNECT_TIMEOUT", "PGPASSFILE"]);
}
