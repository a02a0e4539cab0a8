//! What happened, in short plain lines with timings.

use std::{
    fmt::Display,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};

/// The repository's top folder.
pub(crate) fn root() -> PathBuf {
    // Cargo says where this checkout is now; what was compiled in may have been moved since.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or(manifest.clone(), PathBuf::from)
}

/// One line about what is.
pub(crate) fn say(text: impl Display) {
    println!("xtask: {text}");
}

/// Does something, and says how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = work().with_context(|| what.to_owned());
    let seconds = start.elapsed().as_secs_f64();
    match &result {
        Ok(_) => println!("xtask: {what}: {seconds:.1} s"),
        Err(_) => println!("xtask: {what}: failed after {seconds:.1} s"),
    }
    result
}

/// Cargo, the same that runs this program, in the repository's top folder.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).stdin(Stdio::null());
    // What `cargo run` set for this program is not meant for what it builds:
    // build scripts that watch these variables would run again.
    for (name, _) in std::env::vars_os() {
        let foreign = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if foreign {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end, with its output shown; an error if it fails.
pub(crate) fn must(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("{name} cannot be started"))?;
    ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

/// Whether a program is in PATH.
pub(crate) fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
