//! Deliveries of one backup by the running console, each when it is asked for.

use std::{
    collections::HashMap,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{ACCESS_KEY, BUCKET, SECRET_KEY, Sample};
use crate::bench::{console::Console, pipeline::Measured};

/// How long one delivery may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// The console with one backup, whose deliveries wait to be tried again.
pub(super) struct Deliveries {
    console: Console,
    backup: String,
    /// By destination.
    ids: HashMap<String, String>,
}

/// One destination: a service, a size of parts, a round.
pub(super) fn destination(service: &str, way: &str, round: usize) -> String {
    format!("{service}-{way}-{round}")
}

impl Deliveries {
    /// Makes destinations for all rounds at these services, which send everybody
    /// away for now, and a backup for them all.
    pub(super) fn prepare(
        program: &Path,
        folder: &Path,
        services: &[(&str, u16)],
        ways: &[(&str, &str)],
        rounds: usize,
        megabytes: u64,
    ) -> Result<(Self, Sample)> {
        let data = folder.join("console");
        let mut console = Console::start(program, &data, &[])?;
        for (service, port) in services {
            for (way, part) in ways {
                for round in 0..=rounds {
                    let wish = json!({
                        "plugin": "s3", "name": destination(service, way, round),
                        "grant": true, "grant_private": true,
                        "settings": {
                            "endpoint": format!("http://127.0.0.1:{port}"), "bucket": BUCKET,
                            "access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY,
                            "part_size": part,
                            "path": format!("{way}-{round}/{{filename}}"),
                        },
                    });
                    console.client().post("/api/v1/destinations", &wish)?;
                }
            }
        }
        let database = folder.join("noise.db");
        noise(&database, megabytes)?;
        let wish = json!({ "name": "noise", "url": format!("sqlite:{}", database.display()) });
        console.client().post("/api/v1/databases", &wish)?;
        console.backup("noise")?;
        let list = console.client().get("/api/v1/backups?database=noise")?;
        let backup = list["backups"][0]["id"].as_str().context("a backup")?.to_owned();
        let record = settled(&console, &backup)?;
        let text = |name: &str| record[name].as_str().context("a text").map(str::to_owned);
        let sample = Sample {
            path: data.join("backups").join(text("filename")?),
            bytes: record["size_bytes"].as_u64().context("a size")?,
            sha256: text("sha256")?,
        };
        let each = record["deliveries"].as_array().context("deliveries")?.iter();
        let ids = each.filter_map(|it| {
            Some((it["destination"].as_str()?.to_owned(), it["id"].as_str()?.to_owned()))
        });
        let ids = ids.collect();
        // Anew, so that its memory is that of deliveries alone.
        console.stop()?;
        let console = Console::start(program, &data, &[])?;
        Ok((Self { console, backup, ids }, sample))
    }

    /// Makes one delivery. The time is that of its attempt by the record.
    pub(super) fn deliver(&mut self, destination: &str, sample: &Sample) -> Result<Measured> {
        let id = self.ids.get(destination).context("a delivery")?;
        let path = format!("/api/v1/backups/{}/deliveries/{id}", self.backup);
        let before = self.console.cpu()?;
        self.console.client().post(&format!("{path}/retry"), &json!({}))?;
        let start = Instant::now();
        let detail = loop {
            let detail = self.console.client().get(&path)?;
            match detail["status"].as_str() {
                Some("completed") => break detail,
                Some("failed" | "blocked" | "cancelled") => anyhow::bail!("{detail}"),
                _ => {}
            }
            ensure!(start.elapsed() < PATIENCE, "it takes too long: {detail}");
            thread::sleep(Duration::from_millis(50));
        };
        let cpu = self.console.cpu()? - before;
        let last = detail["history"].as_array().and_then(|all| all.last()).context("an attempt")?;
        Ok(Measured { wall: seconds(last)?, cpu, bytes: sample.bytes })
    }

    /// How long a call of a plugin takes that does next to nothing, over a
    /// request that calls none: median of many.
    pub(super) fn call(&self) -> Result<f64> {
        let wish = json!({
            "plugin": "email", "name": "nobody", "grant": true, "settings": { "to": ["a@example.org"] },
        });
        self.console.client().post("/api/v1/destinations", &wish)?;
        let median = |ask: &dyn Fn() -> Result<Value>| -> Result<f64> {
            let mut times = Vec::new();
            for _ in 0..200 {
                let start = Instant::now();
                ask()?;
                times.push(start.elapsed().as_secs_f64());
            }
            Measured::median(times).context("some")
        };
        let client = self.console.client();
        let whole = median(&|| client.post("/api/v1/destinations/nobody/check", &json!({})))?;
        let request = median(&|| client.get("/api/v1/destinations/nobody"))?;
        Ok(whole - request)
    }

    /// Stops the console. Returns the highest `RssAnon` seen, in bytes.
    pub(super) fn stop(mut self) -> Result<u64> {
        self.console.stop()
    }
}

/// From its begin to its end, by the record.
fn seconds(attempt: &Value) -> Result<f64> {
    let of = |name: &str| -> Result<f64> {
        let text = attempt[name].as_str().with_context(|| format!("{name}: {attempt}"))?;
        let output = Command::new("date").args(["--date", text, "+%s.%N"]).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    };
    Ok(of("ended_at")? - of("started_at")?)
}

/// Waits until each delivery has been tried once. Returns the backup's record.
fn settled(console: &Console, backup: &str) -> Result<Value> {
    let start = Instant::now();
    loop {
        let record = console.client().get(&format!("/api/v1/backups/{backup}"))?;
        let mut all = record["deliveries"].as_array().context("deliveries")?.iter();
        if all.all(|it| it["status"] == "retrying") {
            return Ok(record);
        }
        ensure!(start.elapsed() < PATIENCE, "the deliveries do not wait: {record}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// A database whose backup has about so many MiB: of bytes that nobody can
/// compress, but for their being written in hexadecimal digits.
fn noise(file: &Path, megabytes: u64) -> Result<()> {
    let sql = format!(
        "PRAGMA journal_mode = OFF; CREATE TABLE noise (bytes BLOB); \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {megabytes}) \
         INSERT INTO noise SELECT randomblob(940000) FROM n;"
    );
    let mut shell = Command::new("sqlite3");
    let made = shell.arg(file).arg(sql).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    ensure!(made.success(), "sqlite3 ended with {made}");
    Ok(())
}
