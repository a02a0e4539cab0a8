//! Answers that are larger, longer or odder than anybody needs them.

use std::{fs, path::PathBuf, process::Command};

use serde_json::json;

use crate::stage::{Stage, short};

/// What a plugin passes to the console in one call of a function has a bound of
/// its own, below what its memory may hold.
pub const MUCH: &str = "the plugin crashed: too much data is being copied between the host and the \
     guest: fuel allocated for hostcalls has been exhausted";
pub const ANSWER: &str = "the plugin's answer is not what the contract allows: ";
const LOCATION: &str = "a location has 1 to 4096 bytes and no control characters";

#[test]
fn answers_that_fit_into_its_memory_are_bounded_all_the_same() {
    let builder = short()
        .env("COFFERDAM_PLUGIN_MEMORY_MB", "256")
        // So that nothing but the answer's size is in its way.
        .env("COFFERDAM_PLUGIN_CPU_SECONDS", "20");
    let mut stage = Stage::with(builder, &[]);
    let of = |mode: &str, bytes: u64| json!({ "mode": mode, "bytes": bytes });
    let location = format!("{ANSWER}{LOCATION}");
    let cut = format!("{}…", "x".repeat(4 << 10));
    stage.play(&[
        (of("receipt-huge", 60_000_000), "failed", MUCH),
        (of("receipt-huge", 20_000_000), "failed", MUCH),
        // Passed, and then looked at.
        (of("receipt-huge", 10_000_000), "failed", &location),
        (of("note-huge", 20_000_000), "failed", MUCH),
        (of("note-huge", 10_000_000), "completed", &cut),
        (of("message-huge", 20_000_000), "failed", MUCH),
        (of("message-huge", 10_000_000), "failed", &cut),
        (of("log-line", 20_000_000), "failed", MUCH),
        (of("log-line", 10_000_000), "completed", "written"),
        // What it writes to its standard error is passed in pieces, and cut.
        (
            of("words-huge", 50_000_000),
            "failed",
            "the plugin crashed: wasm trap: wasm `unreachable` instruction executed; \
             the last that it wrote is: panic panic panic *panic …",
        ),
    ]);
}

/// A small disk at a folder, until the end of the test.
struct Disk(PathBuf);

impl Disk {
    fn at(folder: PathBuf, size: &str) -> Option<Self> {
        let options = format!("size={size},mode=700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&folder);
        let done = mount.output().ok()?;
        done.status.success().then_some(Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The test is over, and its folder is removed next.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

#[test]
fn a_folder_that_it_fills_up_is_its_own_trouble() {
    let mut stage = Stage::new(&[]);
    let Some(_disk) = Disk::at(stage.granted.clone(), "16m") else {
        println!("not run: this account may not mount");
        return;
    };
    let fill = |bytes: u64| json!({ "mode": "fill", "bytes": bytes });
    stage.play(&[
        (fill(4 << 20), "completed", "wrote 4194304 bytes"),
        (fill(1 << 40), "retrying", "writing: No space left on device (os error 28)"),
        // What was written is gone again, and there is room.
        (fill(4 << 20), "completed", "wrote 4194304 bytes"),
    ]);
    let names = fs::read_dir(&stage.granted).expect("the folder").flatten();
    let names: Vec<_> = names.map(|it| it.file_name().into_string().expect("a name")).collect();
    assert!(names.iter().all(|name| name.starts_with("backup_")), "{names:?}");
}
