//! WASI's own WIT files, which the contract in `wit/` builds upon.
//!
//! They are not in the repository: the crate that implements the interfaces
//! brings them along, and so they are always those of the version in use.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use crate::report::{cargo, root, say};

/// Its files are a whole: WASI with HTTP.
const CRATE: &str = "wasmtime-wasi-http";
/// Says which version the files beside it are of.
const MARK: &str = ".version";

/// Places the files in `wit/deps`, if they are not there already.
pub(crate) fn place() -> Result<()> {
    let folder = root().join("wit/deps");
    let wanted = locked_version()?;
    if fs::read_to_string(folder.join(MARK)).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    say(format_args!("placing the WIT files of {CRATE} {wanted} in wit/deps"));
    let source = source_folder()?.join("wit/deps");
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(&folder)? {
        fs::remove_file(entry?.path())?;
    }
    for entry in fs::read_dir(&source).with_context(|| source.display().to_string())? {
        let entry = entry?;
        fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    // Last, so that half of the files is never taken for all of them.
    fs::write(folder.join(MARK), wanted)?;
    Ok(())
}

/// From the lock file, which is read in no time.
fn locked_version() -> Result<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("Cargo.lock")?;
    let mut lines = lock.lines();
    lines
        .find(|line| *line == format!("name = \"{CRATE}\""))
        .and_then(|_| lines.next()?.strip_prefix("version = \"")?.strip_suffix('"'))
        .map(str::to_owned)
        .with_context(|| format!("{CRATE} is not in Cargo.lock"))
}

/// Where Cargo keeps the crate: asked without the network first.
fn source_folder() -> Result<PathBuf> {
    if let Ok(folder) = metadata(&["--offline"]) {
        return Ok(folder);
    }
    metadata(&[])
}

fn metadata(arguments: &[&str]) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["metadata", "--locked", "--format-version", "1"]).args(arguments);
    let output = command.output().context("cargo metadata")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = document["packages"].as_array().context("cargo names no packages")?;
    let package = packages.iter().find(|package| package["name"] == CRATE);
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let folder = manifest.and_then(|manifest| Path::new(manifest).parent());
    Ok(folder.with_context(|| format!("Cargo does not know {CRATE}"))?.to_owned())
}
