//! Set-up, run, test and bench: `cargo xtask help`.
#![expect(clippy::print_stdout, reason = "telling what happens is what this program is for")]

use std::process::ExitCode;

use anyhow::{Result, bail};

mod apt;
mod bench;
mod binary;
mod deny;
mod examples;
mod npm;
mod plugins;
mod report;
mod run;
mod servers;
mod setup;
mod summary;
mod test;
mod wit;

const HELP: &str = "\
cargo xtask run [--release] [-- ARGUMENTS OF serve]
    Sets up what is missing, starts a scratch PostgreSQL with a sample shop
    (unless DATABASE_URL or POSTGRES_* names a database), and runs the console.
cargo xtask test [--fast] [FILTER AND OPTIONS OF cargo nextest run]
    Sets up what is missing, then checks and tests everything.
    --fast leaves out the browser and the fault tests; a filter leaves out
    everything but the tests it names.
cargo xtask bench backup [--size MB] [--rounds N] [--program FILE]
    Measures backups against pg_dump and its usual pipelines, in one run.
cargo xtask bench delivery [--size MiB] [--rounds N] [--program FILE]
    Measures the S3 plugin against curl, rclone and a sender without plugins,
    and how long plugins take to be there.
cargo xtask plugins
    Builds the plugins in plugins/ to target/plugins, if they have changed.
cargo xtask plugin FOLDER
    Builds one plugin in Rust, anywhere, with the same toolchain.
cargo xtask setup [--build]
    Only sets up what `test` needs, or what a build needs.
";

fn main() -> ExitCode {
    match dispatch(std::env::args().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            println!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(mut arguments: Vec<String>) -> Result<ExitCode> {
    if arguments.is_empty() {
        arguments.push("help".to_owned());
    }
    let task = arguments.remove(0);
    match task.as_str() {
        "run" => run::run(arguments),
        "test" => test::test(arguments),
        "bench" => bench::bench(&arguments),
        "plugins" => plugins::build_all().map(|()| ExitCode::SUCCESS),
        "plugin" => match arguments.as_slice() {
            [folder] => plugins::build_one(folder.as_ref()).map(|()| ExitCode::SUCCESS),
            _ => bail!("plugin takes the folder of one plugin\n\n{HELP}"),
        },
        "setup" => match arguments.first().map(String::as_str) {
            None => setup::for_tests().map(|()| ExitCode::SUCCESS),
            Some("--build") => setup::for_run(false).map(|()| ExitCode::SUCCESS),
            Some(other) => bail!("setup does not know {other:?}\n\n{HELP}"),
        },
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("there is no task {other:?}\n\n{HELP}"),
    }
}
