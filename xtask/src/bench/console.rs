//! The real console, as somebody would run it, asked over its API.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use xtask::process::{self, AtParentsEnd, Signal};

use super::{
    http::Client,
    memory::{Memory, cpu_seconds},
    pipeline::Measured,
};

const USER: &str = "bench";
const PASSWORD: &str = "only for the length of this run";

/// A running console.
pub(crate) struct Console {
    child: Child,
    client: Client,
    memory: Memory,
    listening: Instant,
    inside: Vec<f64>,
}

impl Console {
    /// What the table calls it.
    pub(crate) const NAME: &'static str = "Cofferdam";

    /// Starts it with default settings and these variables, and signs in.
    pub(crate) fn start(program: &Path, data: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        fs::create_dir_all(data)?;
        let mut serve = process::bound(program, AtParentsEnd::Kill);
        serve.arg("serve").env("COFFERDAM_DATA_DIR", data).env("COFFERDAM_LISTEN", "127.0.0.1:0");
        serve.env("COFFERDAM_ADMIN_USER", USER).env("COFFERDAM_ADMIN_PASSWORD", PASSWORD);
        serve.envs(environment.iter().copied());
        serve.stdin(Stdio::null()).stdout(Stdio::piped());
        serve.stderr(fs::File::create(data.join("stderr.log"))?);
        let mut child = process::spawn(serve)?;
        let output = BufReader::new(child.stdout.take().context("the console has an output")?);
        let mut lines = output.lines();
        let address = loop {
            let Some(line) = lines.next() else {
                let told = fs::read_to_string(data.join("stderr.log"))?;
                bail!("the console ended at its start: {told}");
            };
            if let Some(address) = line?.strip_prefix("Listening on http://") {
                break address.to_owned();
            }
        };
        let listening = Instant::now();
        // Read on, so that it never waits for somebody to take its lines.
        thread::spawn(move || lines.for_each(drop));
        let memory = Memory::watch(child.id());
        let client = Client::sign_in(&address, USER, PASSWORD)?;
        Ok(Self { child, client, memory, listening, inside: vec![] })
    }

    /// One backup, from the request until the record says completed.
    pub(crate) fn backup(&mut self, database: &str) -> Result<Measured> {
        let before = cpu_seconds(self.child.id())?;
        let start = Instant::now();
        let asked = self.client.post("/api/v1/backups", &json!({ "database": database }))?;
        let id = asked["id"].as_str().context("the answer has no id")?.to_owned();
        let record = loop {
            let record = self.client.get(&format!("/api/v1/backups/{id}"))?;
            match record["status"].as_str() {
                Some("pending" | "running") => thread::sleep(Duration::from_millis(20)),
                Some("completed") => break record,
                _ => bail!("the backup did not complete: {record}"),
            }
        };
        let wall = start.elapsed().as_secs_f64();
        let cpu = cpu_seconds(self.child.id())? - before;
        let inside = record["duration_ms"].as_f64().context("the record has no duration_ms")?;
        self.inside.push(inside / 1000.0);
        let bytes = record["size_bytes"].as_u64().context("the record has no size_bytes")?;
        ensure!(bytes > 0, "the backup is empty");
        Ok(Measured { wall, cpu, bytes })
    }

    /// Seconds of each run by the console's own record.
    pub(crate) fn inside(&self) -> impl Iterator<Item = f64> {
        self.inside.iter().copied()
    }

    /// Processor time that it has used.
    pub(crate) fn cpu(&self) -> Result<f64> {
        cpu_seconds(self.child.id())
    }

    /// When it said that it listens.
    pub(crate) fn listening(&self) -> Instant {
        self.listening
    }

    /// Its API.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Stops it. Returns the highest `RssAnon` seen, in bytes.
    pub(crate) fn stop(&mut self) -> Result<u64> {
        process::stop(&mut self.child, Signal::TERM, Duration::from_secs(10))?;
        Ok(self.memory.peak())
    }
}
