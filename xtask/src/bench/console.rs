//! The real console, as somebody would run it, asked over its API.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use xtask::{
    postgres::Cluster,
    process::{self, AtParentsEnd, Signal},
    sample,
};

use super::{http::Client, pipeline::Measured};

const USER: &str = "bench";
const PASSWORD: &str = "only for the length of this run";

/// A running console with the shop as its first database.
pub(crate) struct Console {
    child: Child,
    client: Client,
    peak: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    inside: Vec<f64>,
}

impl Console {
    /// What the table calls it.
    pub(crate) const NAME: &'static str = "Cofferdam";

    /// Starts it with default settings and signs in.
    pub(crate) fn start(program: &Path, data: &Path, cluster: &Cluster) -> Result<Self> {
        fs::create_dir_all(data)?;
        let mut serve = process::bound(program, AtParentsEnd::Kill);
        serve.arg("serve").env("COFFERDAM_DATA_DIR", data).env("COFFERDAM_LISTEN", "127.0.0.1:0");
        serve.env("COFFERDAM_ADMIN_USER", USER).env("COFFERDAM_ADMIN_PASSWORD", PASSWORD);
        serve.env("POSTGRES_HOST", "127.0.0.1").env("POSTGRES_PORT", cluster.port().to_string());
        serve.env("POSTGRES_DB", sample::DATABASE).env("POSTGRES_USER", sample::OWNER);
        serve.env("POSTGRES_PASSWORD", cluster.password());
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
        // Read on, so that it never waits for somebody to take its lines.
        thread::spawn(move || lines.for_each(drop));
        let peak = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        watch(child.id(), &peak, &stop);
        let client = Client::sign_in(&address, USER, PASSWORD)?;
        Ok(Self { child, client, peak, stop, inside: vec![] })
    }

    /// One backup, from the request until the record says completed.
    pub(crate) fn backup(&mut self) -> Result<Measured> {
        let before = cpu_seconds(self.child.id())?;
        let start = Instant::now();
        let asked =
            self.client.post("/api/v1/backups", &json!({ "database": sample::DATABASE }))?;
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

    /// Stops it. Returns the highest `RssAnon` seen, in bytes.
    pub(crate) fn stop(&mut self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        process::stop(&mut self.child, Signal::TERM, Duration::from_secs(10))?;
        Ok(self.peak.load(Ordering::Relaxed))
    }
}

/// Looks at a process's memory fifty times a second.
fn watch(pid: u32, peak: &Arc<AtomicU64>, stop: &Arc<AtomicBool>) {
    let (peak, stop) = (Arc::clone(peak), Arc::clone(stop));
    thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            if let Some(now) = rss_anon(pid) {
                peak.fetch_max(now, Ordering::Relaxed);
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
}

fn rss_anon(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// Processor time of a process and of its children that have ended.
fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("/proc tells no times")?;
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(4).filter_map(|f| f.parse::<u64>().ok()).sum();
    // Linux has shown 100 ticks a second to programs for as long as it has had this file.
    Ok(ticks as f64 / 100.0)
}
