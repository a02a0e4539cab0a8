//! A dump that stands still for as long as a test looks at it.

use std::{fs, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{Api, Console, TestCluster, wait_until};

/// A process that was stopped; it goes on when this is dropped.
#[derive(Debug)]
pub struct Held(Pid);

impl Held {
    /// Lets it go on.
    pub fn release(self) {}

    /// Ends it as nobody would wish.
    pub fn kill(self) {
        // It may be gone already.
        let _ = kill_process(self.0, Signal::KILL);
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.0.as_raw_nonzero().get()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = kill_process(self.0, Signal::CONT);
    }
}

/// A database whose dump takes a few seconds: about 150 MB of text that
/// compresses badly.
#[track_caller]
pub fn create_wide(cluster: &TestCluster, name: &str) {
    cluster.create_db(name);
    cluster.psql(
        name,
        "CREATE TABLE wide AS SELECT n, md5(n::text) || md5((n * 7)::text) || md5((n * 11)::text) \
         || md5((n * 13)::text) AS noise FROM generate_series(1, 1000000) AS n;",
    );
}

/// Asks for a backup, and stops its `pg_dump` once bytes have reached the file.
///
/// # Panics
/// When the backup is over before it can be stopped.
#[track_caller]
pub fn hold_backup(console: &Console, api: &Api, wish: &Value) -> (String, Held) {
    let created = api.post("/api/v1/backups", wish).expect(202).json();
    let id = created["id"].as_str().expect("an id").to_owned();
    let held = wait_until("bytes in the file", Duration::from_mins(1), || {
        let state = api.get(&format!("/api/v1/backups/{id}/status")).expect(200).json();
        let status = state["status"].as_str().unwrap_or_default().to_owned();
        assert!(["pending", "running"].contains(&status.as_str()), "too late to hold: {state}");
        if state["progress"]["written_bytes"].as_u64().unwrap_or(0) == 0 {
            return None;
        }
        stop_dump(console.pid())
    });
    (id, held)
}

/// Stops the `pg_dump` below this process, if there is one that dumps: asked
/// for its version only, it has no database among its arguments.
#[must_use]
pub fn stop_dump(parent: u32) -> Option<Held> {
    let dumps = |pid: u32| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.split(|byte| *byte == 0).any(|word| word == b"--dbname")
    };
    let (pid, _) =
        children(parent).into_iter().find(|(pid, name)| name == "pg_dump" && dumps(*pid))?;
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    kill_process(pid, Signal::STOP).ok()?;
    Some(Held(pid))
}

/// The processes that one started, with their names.
#[must_use]
pub fn children(parent: u32) -> Vec<(u32, String)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in brackets and may hold anything, brackets too.
        let (head, rest) = stat.rsplit_once(')')?;
        let name = head.split_once('(')?.1.to_owned();
        let of = rest.split_whitespace().nth(1)?.parse::<u32>().ok()?;
        (of == parent).then_some((pid, name))
    })
    .collect()
}
