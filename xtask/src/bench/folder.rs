//! Where a benchmark works.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use xtask::process;

use crate::report::say;

/// A folder that goes when the benchmark ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes it.
    pub(crate) fn new() -> Result<Self> {
        // PostgreSQL, under another account for root, must be able to go there.
        let path = PathBuf::from(format!("/var/tmp/cofferdam-bench-{}", process::free_port()?));
        fs::create_dir(&path).with_context(|| path.display().to_string())?;
        say(format_args!("working in {}", path.display()));
        Ok(Self(path))
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            say(format_args!("{} stays: {error}", self.0.display()));
        }
    }
}
