//! The servers that the tests start beside PostgreSQL: two S3 services and a
//! mail relay, none of which Debian has.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::Result;

use crate::{
    binary,
    deny::cargo_install,
    report::{installed, must, root, say, step},
};

/// An S3 service that checks signatures. The newest that the toolchain builds.
const S3: (&str, &str) = ("s3s-fs", "0.14.1");

/// Installs what is missing.
pub(crate) fn install() -> Result<()> {
    s3()?;
    environment()
}

/// The S3 service in Rust.
fn s3() -> Result<()> {
    let (package, version) = S3;
    let mut ask = Command::new(package);
    let told = ask.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let told = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned());
    if told.is_ok_and(|told| told.trim_end().ends_with(version)) {
        return Ok(());
    }
    say(format_args!("building {package}, once; this takes some minutes"));
    cargo_install(package, Some(version), &["--features", "binary"], "3")
}

/// Python's, in an environment of their own below the target folder. Its
/// list of packages is copied into it last, so that an interrupted install is
/// done again.
fn environment() -> Result<()> {
    let wanted = root().join("tests/servers.txt");
    let folder = folder()?;
    let stamp = folder.join("servers.txt");
    if fs::read(&stamp).is_ok_and(|found| fs::read(&wanted).is_ok_and(|wanted| found == wanted)) {
        return Ok(());
    }
    step("installing test servers from PyPI", || {
        if !folder.join("bin/python").exists() {
            must(quiet("python3").args(["-m", "venv"]).arg(&folder))?;
        }
        let mut pip = quiet(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        // Everything is named in the list, and nothing is compiled or run.
        pip.args(["--no-deps", "--only-binary=:all:", "--no-input", "--requirement"]).arg(&wanted);
        must(&mut pip)?;
        // Without, each start of a server would compile all of it anew.
        let mut compile = quiet(folder.join("bin/python"));
        must(compile.args(["-m", "compileall", "-qq"]).arg(folder.join("lib")))?;
        fs::copy(&wanted, &stamp)?;
        Ok(())
    })
}

/// The Python that has them.
pub(crate) fn python() -> Result<PathBuf> {
    Ok(folder()?.join("bin/python"))
}

fn folder() -> Result<PathBuf> {
    Ok(binary::target_folder()?.join("servers"))
}

/// Whether Python can make such an environment.
pub(crate) fn lacks_python() -> bool {
    if !installed("python3") {
        return true;
    }
    let mut look = quiet("python3");
    look.args(["-c", "import ensurepip, venv"]).stderr(Stdio::null());
    !look.status().is_ok_and(|status| status.success())
}

fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}
