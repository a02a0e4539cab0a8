//! The look at everything that may be left behind.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use cofferdam_tests::wait_until;
use rustix::process::Pid;
use serde_json::Value;

use crate::world::{PATIENCE, World, files, is_open};

impl World {
    /// Holds that nothing is left of what went wrong, that records and files
    /// say the same, that every completed backup is what it says, that the
    /// password is nowhere, and that the next backup works.
    #[track_caller]
    pub fn assert_whole(&self) {
        self.link.release();
        self.assert_quiet();
        self.assert_in_step();
        self.back_up();
        self.assert_quiet();
        self.assert_in_step();
        self.assert_no_secret();
    }

    /// Holds that no process, and no session on the server, is left.
    #[track_caller]
    pub fn assert_quiet(&self) {
        wait_until("the end of all tools", PATIENCE, || self.dump_tools().is_empty().then_some(()));
        wait_until("the end of all sessions", PATIENCE, || {
            self.sessions().is_empty().then_some(())
        });
        wait_until("the end of the console's children", PATIENCE, || {
            children(self.console.pid()).is_empty().then_some(())
        });
    }

    /// Holds that the folder has the files of the completed backups and
    /// nothing else, and that each is whole.
    #[track_caller]
    pub fn assert_in_step(&self) {
        let mut expected = BTreeSet::from([".cofferdam-folder".to_owned()]);
        for backup in self.backups() {
            assert!(!is_open(&backup), "{backup}");
            if backup["status"] != "completed" {
                assert!(backup["filename"].is_null(), "{backup}");
                continue;
            }
            assert_eq!(backup["file"], "present", "{backup}");
            let name = backup["filename"].as_str().expect("a name");
            assert_verified(&self.folder.join(name), &backup);
            expected.extend([name.to_owned(), format!("{name}.json")]);
        }
        assert_eq!(files(&self.folder), expected);
    }

    /// Holds that the database's password is in no file and no process.
    #[track_caller]
    pub fn assert_no_secret(&self) {
        let secret = self.cluster.password();
        let found = Command::new("grep")
            .args(["-rlaF", "--", secret])
            .arg(self.console.folder())
            .output()
            .expect("grep runs");
        assert_eq!(String::from_utf8_lossy(&found.stdout), "", "files with the password");
        assert!(tools(secret).is_empty(), "a process with the password on its command line");
    }
}

/// Holds that a file is what its record and its sidecar say, by other
/// programs' judgement.
#[track_caller]
pub fn assert_verified(file: &Path, record: &Value) {
    let size = fs::metadata(file).map(|facts| facts.len()).ok();
    assert_eq!(size, record["size_bytes"].as_u64(), "{record}");
    let script = "set -eo pipefail; sha256sum < \"$0\" | cut -c-64; \
                  gzip -dc < \"$0\" | grep -aA3 '^-- PostgreSQL database dump complete' | head -c 100";
    let told = Command::new("bash").args(["-c", script]).arg(file).output().expect("bash runs");
    assert!(told.status.success(), "{record}: {}", String::from_utf8_lossy(&told.stderr));
    let sum = String::from_utf8_lossy(&told.stdout[..64]).into_owned();
    assert_eq!(Some(sum.as_str()), record["sha256"].as_str());
    let sidecar = fs::read(format!("{}.json", file.display())).expect("a sidecar");
    let sidecar: Value = serde_json::from_slice(&sidecar).expect("JSON");
    for field in ["id", "sha256", "size_bytes", "raw_bytes", "filename", "database", "created_by"] {
        assert_eq!(sidecar[field], record[field], "{field}: {record}");
    }
}

/// Processes of PostgreSQL's clients whose command line has this text.
pub fn tools(text: &str) -> Vec<Pid> {
    ["pg_dump", "psql", "pg_restore"].iter().flat_map(|name| tools_named(name, text)).collect()
}

/// The same of one program.
pub fn tools_named(name: &str, text: &str) -> Vec<Pid> {
    let has = |pid: &Pid| {
        let read = |file| fs::read(format!("/proc/{}/{file}", pid.as_raw_nonzero()));
        let command = read("cmdline").unwrap_or_default();
        read("comm").is_ok_and(|comm| comm.trim_ascii_end() == name.as_bytes())
            && String::from_utf8_lossy(&command).contains(text)
    };
    processes().into_iter().filter(has).collect()
}

/// The processes that one has started and not reaped.
fn children(parent: u32) -> Vec<String> {
    let stat = |pid: Pid| fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok();
    let stats = processes().into_iter().filter_map(stat);
    let of = |stat: &String| stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok();
    stats.filter(|stat| of(stat) == Some(parent)).collect()
}

fn processes() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(Pid::from_raw).collect()
}
