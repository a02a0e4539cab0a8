//! Debian packages: which are missing, and installing them.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Result, bail, ensure};
use xtask::process::is_root;

use crate::report::{installed, must, say, step};

/// Before PostgreSQL is installed, so that Debian's package makes no server of
/// its own; taken away afterwards, so that later packages do as they always do.
const NO_SERVER: &str = "/etc/postgresql-common/createcluster.d/cofferdam.conf";

/// Installs Debian packages. Nothing is asked and nothing else is upgraded.
///
/// # Errors
/// Where this is not Debian or nobody may install, an error that names the
/// one line to run.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    let line = format!("apt-get install --no-install-recommends {list}");
    if !installed("apt-get") {
        bail!("these Debian packages, or what they stand for, are missing: {list}");
    }
    let Some(prefix) = privilege() else {
        bail!("packages are missing, and only root may install them\nHINT: run: sudo {line}");
    };
    say(format_args!("installing {list}"));
    let guard =
        packages.iter().any(|package| package.starts_with("postgresql-")) && no_server(prefix)?;
    // The list of packages may be older than the mirror; without network the
    // install itself says what is wrong.
    let updated = step("apt-get update", || quietly(apt(prefix, &["update", "-qq"])));
    let mut options = vec!["install", "-y", "-qq", "--no-install-recommends"];
    options.extend(packages);
    let result = step("apt-get install", || quietly(apt(prefix, &options)));
    if guard {
        must(&mut privileged(prefix, "rm", &["-f", NO_SERVER]))?;
    }
    result.map_err(|error| match updated {
        Ok(()) => error,
        Err(_) => error.context("the package lists could not be read either; is there a network?"),
    })
}

/// Those of the packages that are not installed. For programs whose names
/// other packages have, too.
pub(crate) fn missing(packages: &[&'static str]) -> Result<Vec<&'static str>> {
    if !installed("dpkg-query") {
        return Ok(packages.to_vec());
    }
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"]).args(packages);
    // It fails where one of them is unknown, and tells the others nevertheless.
    let output = query.stdin(Stdio::null()).output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    let there = |package: &str| told.lines().any(|line| line == format!("{package} installed"));
    Ok(packages.iter().filter(|package| !there(package)).copied().collect())
}

/// What comes before a command that needs root: nothing for root, `sudo -n`
/// where that works, `None` where nothing does.
fn privilege() -> Option<&'static [&'static str]> {
    if is_root() {
        return Some(&[]);
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["-n", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    sudo.status().is_ok_and(|status| status.success()).then_some(&["sudo", "-n"])
}

fn privileged(prefix: &[&str], program: &str, arguments: &[&str]) -> Command {
    let mut words = prefix.iter().copied().chain([program]).chain(arguments.iter().copied());
    let mut command = Command::new(words.next().unwrap_or(program));
    command.args(words).stdin(Stdio::null());
    command
}

fn apt(prefix: &[&str], arguments: &[&str]) -> Command {
    let mut options = vec!["DEBIAN_FRONTEND=noninteractive", "apt-get"];
    options.extend(["-o", "Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=--force-confold"]);
    options.extend(arguments);
    privileged(prefix, "env", &options)
}

/// Runs a command whose many lines matter to nobody unless it fails.
fn quietly(mut command: Command) -> Result<()> {
    let output = command.output()?;
    let told = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&told).trim());
    Ok(())
}

/// Where PostgreSQL was never installed, tells its packages to make no server.
/// On a machine that has it, the administrator's choice stands.
fn no_server(prefix: &[&str]) -> Result<bool> {
    let folder = Path::new(NO_SERVER).parent().unwrap_or(Path::new("/"));
    if fs::exists("/etc/postgresql-common")? {
        return Ok(false);
    }
    must(&mut privileged(prefix, "mkdir", &["-p", &folder.display().to_string()]))?;
    let mut write = privileged(
        prefix,
        "sh",
        &["-c", &format!("echo 'create_main_cluster = false' > {NO_SERVER}")],
    );
    must(&mut write)?;
    Ok(true)
}
