//! `cargo xtask bench`: programs that measure, each against its peers in the
//! same run, because only ratios move from machine to machine.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

mod backup;
mod console;
mod delivery;
mod folder;
mod http;
mod machine;
mod memory;
mod pipeline;
mod size;
mod table;

use size::Size;

/// Which benchmark, and how large.
pub(crate) fn bench(arguments: &[String]) -> Result<ExitCode> {
    let (name, options) =
        arguments.split_first().context("which one? there are: backup, delivery")?;
    match name.as_str() {
        "backup" => {
            let usual = Size { megabytes: 480, rounds: 3, program: None };
            backup::bench(&usual.parse("MB", options)?)
        }
        "delivery" => {
            let usual = Size { megabytes: 1024, rounds: 5, program: None };
            delivery::bench(&usual.parse("MiB", options)?)
        }
        other => bail!("there is no benchmark {other:?}; there are: backup, delivery"),
    }
}
