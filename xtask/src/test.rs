//! `cargo xtask test`: everything that must hold before a change lands.

use std::{
    io::{BufRead as _, BufReader, IsTerminal as _, Read},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    binary, deny, plugins,
    report::{cargo, must, say, step},
    setup,
    summary::Count,
};

/// Tests stop the program at named places; a release build has none of them.
const FEATURES: [&str; 2] = ["--features", "cofferdam/failpoints"];

/// Leaves out what takes long, for the time between two edits.
const FAST: &str = "not (package(cofferdam-tests) & binary(/^(browser|faults|hostile)$/))";

/// What has been found so far.
#[derive(Default)]
struct Findings {
    failed: Vec<&'static str>,
    count: Count,
}

impl Findings {
    /// Runs a check even when one before it has failed: one run tells all.
    fn check(&mut self, name: &'static str, work: impl FnOnce(&mut Count) -> Result<()>) {
        if let Err(error) = step(name, || work(&mut self.count)) {
            say(format_args!("{error:#}"));
            self.failed.push(name);
        }
    }
}

/// Checks and tests. With a filter, only builds and runs the tests it names.
pub(crate) fn test(mut arguments: Vec<String>) -> Result<ExitCode> {
    let start = Instant::now();
    let fast = arguments.iter().any(|word| word == "--fast");
    arguments.retain(|word| word != "--fast");
    let all = arguments.is_empty();

    setup::for_tests()?;
    let mut findings = Findings::default();
    if all {
        findings.check("formatting", |_| {
            must(cargo().args(["fmt", "--all", "--check"]))?;
            must(plugins::cargo_there().args(["fmt", "--all", "--check"]))
        });
        findings.check("licences and sources", |_| deny::check());
    }
    // The program and the tests come from one command, so that every crate is
    // compiled once, with one set of features.
    step("building", || must(&mut workspace("build", &["--all-targets", "--quiet"])))?;
    findings.check("tests", |count| nextest(fast, &arguments, count));
    if all {
        findings.check("examples in documentation", |count| {
            cargo_test(workspace("test", &["--doc", "--quiet"]), count)
        });
        findings.check("the plugins' own tests", |count| {
            let mut test = plugins::cargo_there();
            test.args(["test", "--workspace", "--locked", "--quiet"]);
            cargo_test(test, count)
        });
        // Last, because nothing else can use what it compiles.
        findings.check("clippy", |_| {
            must(&mut workspace("clippy", &["--all-targets", "--quiet", "--", "-D", "warnings"]))?;
            let mut clippy = plugins::cargo_there();
            clippy.args(["clippy", "--workspace", "--all-targets", "--locked", "--quiet"]);
            must(clippy.args(["--", "-D", "warnings"]))
        });
    }
    say(format_args!("in all {:.0} s", start.elapsed().as_secs_f64()));
    for name in &findings.failed {
        say(format_args!("failed: {name}"));
    }
    println!("{} passed, {} failed", findings.count.passed, findings.count.failed);
    Ok(if findings.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A Cargo command over the whole workspace.
fn workspace(task: &str, arguments: &[&str]) -> Command {
    let mut command = cargo();
    command.arg(task).arg("--workspace").args(FEATURES).args(arguments);
    command
}

fn nextest(fast: bool, arguments: &[String], count: &mut Count) -> Result<()> {
    let mut command = cargo();
    // The whole workspace even with a filter, so that nothing is compiled
    // again with other features: `-E 'package(cofferdam-tests)'` chooses.
    command.args(["nextest", "run", "--workspace", "--cargo-quiet"]).args(FEATURES);
    command.env("COFFERDAM_BIN", binary::target_folder()?.join("debug/cofferdam"));
    if fast {
        command.args(["-E", FAST]);
    }
    command.args(arguments).stderr(Stdio::piped());
    if std::io::stderr().is_terminal() {
        command.args(["--color", "always"]);
    }
    let mut child = command.spawn().context("cargo nextest cannot be started")?;
    let mut summary = None;
    let output = child.stderr.take().context("nextest has an output")?;
    relay(output, |line| summary = Count::of_nextest(line).or(summary))?;
    let status = child.wait()?;
    count.add(summary.unwrap_or_default());
    ensure!(status.success(), "cargo nextest ended with {status}");
    ensure!(summary.is_some_and(|count| count.passed > 0), "no test was run");
    Ok(())
}

/// Runs `cargo test` and counts what it tells.
fn cargo_test(mut command: Command, count: &mut Count) -> Result<()> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cargo test")?;
    let mut sum = Count::default();
    let output = child.stdout.take().context("cargo has an output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        match Count::of_cargo_test(&line) {
            Some(found) => sum.add(found),
            // Most crates have none, and say so at length.
            None if line.is_empty() || line.starts_with("running 0 tests") => {}
            None => println!("{line}"),
        }
    }
    let status = child.wait()?;
    count.add(sum);
    ensure!(status.success(), "cargo test ended with {status}");
    Ok(())
}

/// Shows a program's lines as they come, and lets somebody read along.
fn relay(output: impl Read, mut read: impl FnMut(&str)) -> Result<()> {
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        read(&line);
        println!("{line}");
    }
    Ok(())
}
