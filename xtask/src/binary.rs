//! Building the console, and where Cargo puts it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::report::{cargo, must, step};

/// The folder with what Cargo builds; a setting of Cargo may have moved it.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = metadata.output().context("cargo metadata")?;
    let document: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let folder = document["target_directory"].as_str().context("cargo names no target folder")?;
    Ok(folder.into())
}

/// Builds the console alone. Returns the path of the program.
pub(crate) fn build(release: bool) -> Result<PathBuf> {
    let profile = if release { "release" } else { "debug" };
    step(&format!("cargo build ({profile})"), || {
        let mut build = cargo();
        build.args(["build", "--package", "cofferdam", "--bin", "cofferdam"]);
        if release {
            build.arg("--release");
        }
        must(&mut build)
    })?;
    Ok(target_folder()?.join(profile).join("cofferdam"))
}
