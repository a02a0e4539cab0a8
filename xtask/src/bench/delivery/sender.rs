//! The runtime with the plugin, as a program of its own, told what to do line
//! by line.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use xtask::process::{self, AtParentsEnd};

use super::{ACCESS_KEY, BUCKET, SECRET_KEY, Sample};
use crate::{
    bench::{
        memory::{Memory, cpu_seconds},
        pipeline::Measured,
    },
    binary,
    report::{cargo, must, step},
};

/// The program.
pub(super) struct Sender {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    memory: Memory,
}

/// Seconds that the steps of a plugin's life take.
pub(super) struct Steps {
    pub(super) compiled: f64,
    pub(super) loaded: f64,
    pub(super) called: f64,
    pub(super) called_99: f64,
}

/// Builds it. Returns its path.
pub(super) fn build() -> Result<PathBuf> {
    step("cargo build (release, the sender)", || {
        let mut build = cargo();
        build.args(["build", "--release", "--package", "cofferdam-runtime"]);
        must(build.args(["--example", "delivery", "--example", "compile"]))
    })?;
    Ok(binary::target_folder()?.join("release/examples/delivery"))
}

impl Sender {
    pub(super) fn start(program: &Path) -> Result<Self> {
        let mut command = process::bound(program, AtParentsEnd::Kill);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = process::spawn(command)?;
        let input = child.stdin.take().context("an input")?;
        let output = BufReader::new(child.stdout.take().context("an output")?);
        let memory = Memory::watch(child.id());
        Ok(Self { child, input, output, memory })
    }

    fn ask(&mut self, wish: &Value) -> Result<Value> {
        writeln!(self.input, "{wish}")?;
        self.input.flush()?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("{}: it ended", wish["do"]))
    }

    pub(super) fn load(&mut self, component: &Path) -> Result<()> {
        self.ask(&json!({ "do": "load", "component": component })).map(|_| ())
    }

    pub(super) fn steps(&mut self, component: &Path) -> Result<Steps> {
        let told = self.ask(&json!({ "do": "steps", "component": component }))?;
        let seconds = |name: &str| told[name].as_f64().with_context(|| name.to_owned());
        Ok(Steps {
            compiled: seconds("compiled")?,
            loaded: seconds("loaded")?,
            called: seconds("called")?,
            called_99: seconds("called_99")?,
        })
    }

    /// Sends the file without any component.
    pub(super) fn native(&mut self, url: &str, sample: &Sample) -> Result<Measured> {
        self.measured(&json!({ "do": "native", "file": sample.path, "url": url }), sample)
    }

    /// Delivers the file by the plugin.
    pub(super) fn plugin(
        &mut self,
        sample: &Sample,
        port: u16,
        name: &str,
        part: &str,
    ) -> Result<Measured> {
        let wish = json!({
            "do": "plugin", "file": sample.path, "sha256": sample.sha256, "name": name,
            "settings": {
                "endpoint": format!("http://127.0.0.1:{port}"), "bucket": BUCKET,
                "access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY, "part_size": part,
            },
        });
        self.measured(&wish, sample)
    }

    fn measured(&mut self, wish: &Value, sample: &Sample) -> Result<Measured> {
        let before = cpu_seconds(self.child.id())?;
        let wall = self.ask(wish)?["wall"].as_f64().context("no time was told")?;
        let cpu = cpu_seconds(self.child.id())? - before;
        Ok(Measured { wall, cpu, bytes: sample.bytes })
    }

    /// Ends it. Returns the highest `RssAnon` seen, in bytes.
    pub(super) fn stop(self) -> Result<u64> {
        let Self { mut child, input, memory, .. } = self;
        drop(input);
        child.wait()?;
        Ok(memory.peak())
    }
}
