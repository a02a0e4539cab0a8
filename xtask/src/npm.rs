//! The pages' style sheets and scripts, from npm, pinned by the lock file.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::SystemTime,
};

use anyhow::{Context as _, Result};

use crate::report::{must, root, step};

fn folder() -> PathBuf {
    root().join("views/assets")
}

/// Whether the installed packages are missing or older than the lock file.
pub(crate) fn is_needed() -> bool {
    let changed = |file: &str| -> Option<SystemTime> {
        fs::metadata(folder().join(file)).ok()?.modified().ok()
    };
    // npm writes the second one last, so an interrupted install is done again.
    match (changed("package-lock.json"), changed("node_modules/.package-lock.json")) {
        (Some(wanted), Some(installed)) => installed < wanted,
        (wanted, _) => wanted.is_some(),
    }
}

/// Installs them where they are missing. No package's own script is run.
pub(crate) fn install() -> Result<()> {
    if !is_needed() {
        return Ok(());
    }
    step("npm ci", || {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        must(npm.current_dir(folder()).stdin(Stdio::null()).stdout(Stdio::null()))?;
        // npm leaves the date alone when nothing in it changed.
        let stamp = fs::File::options()
            .append(true)
            .open(folder().join("node_modules/.package-lock.json"))?;
        stamp.set_modified(SystemTime::now()).context("marking the packages as new")
    })
}
