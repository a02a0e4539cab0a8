//! cargo-nextest and cargo-deny: present at the wanted version or built once,
//! into Cargo's own folder.

use std::process::Stdio;

use anyhow::Result;

use crate::report::{cargo, must, root, say, step};

/// A Cargo subcommand, the oldest version that will do, and the one to build.
const TOOLS: [(&str, &str, (u32, u32, u32)); 2] =
    [("nextest", "cargo-nextest", (0, 9, 100)), ("deny", "cargo-deny", (0, 20, 2))];

/// Builds the tools that are missing or too old.
pub(crate) fn install() -> Result<()> {
    for (subcommand, package, wanted) in TOOLS {
        if version(subcommand).is_some_and(|version| version >= wanted) {
            continue;
        }
        say(format_args!("building {package}, once; this takes some minutes"));
        // These run for seconds: building them fast is worth more than their own speed.
        cargo_install(package, (package == "cargo-deny").then_some("0.20.2"), &[], "1")?;
    }
    Ok(())
}

/// Builds a program from crates.io into Cargo's own folder.
pub(crate) fn cargo_install(
    package: &str,
    version: Option<&str>,
    options: &[&str],
    optimisation: &str,
) -> Result<()> {
    step(&format!("cargo install {package}"), || {
        let mut install = cargo();
        install.args(["install", "--locked", "--force", package]).args(options);
        if let Some(version) = version {
            install.args(["--version", version]);
        }
        install.env("CARGO_PROFILE_RELEASE_LTO", "off");
        install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", optimisation);
        must(&mut install)
    })
}

fn version(subcommand: &str) -> Option<(u32, u32, u32)> {
    let mut ask = cargo();
    let output = ask.args([subcommand, "--version"]).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.split_whitespace().nth(1)?.split('.').map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

/// Licences, sources and doubles of everything that the two workspaces use.
/// The advisories, which are no registry's, are not part of it.
pub(crate) fn check() -> Result<()> {
    for manifest in ["Cargo.toml", "plugins/Cargo.toml"] {
        // Also what only other systems need, which no build here has fetched.
        let mut fetch = cargo();
        fetch.args(["fetch", "--locked", "--quiet", "--manifest-path"]).arg(root().join(manifest));
        must(&mut fetch)?;
        let mut deny = cargo();
        deny.args(["deny", "--manifest-path"]).arg(root().join(manifest));
        deny.args(["--offline", "--workspace", "--all-features", "--log-level", "error"]);
        deny.arg("--config").arg(root().join(".config/deny.toml"));
        must(deny.args(["check", "bans", "licenses", "sources"]))?;
    }
    Ok(())
}
