//! A file of 1 GiB to an object store: the S3 plugin in the console's runtime
//! against what people use instead; and how long a plugin takes to be there.

mod deliveries;
mod native;
mod peers;
mod ready;
mod sink;

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use xtask::process::{self, AtParentsEnd};

use super::{folder::Folder, machine, size::Size, table::Table};
use crate::{
    binary,
    report::{say, step},
    setup,
};
use deliveries::{Deliveries, destination};
use peers::Peers;
use sink::Sink;

/// What the services know.
const ACCESS_KEY: &str = "AKIACOFFERDAMBENCH";
const SECRET_KEY: &str = "only-for-the-length-of-this-run";
const BUCKET: &str = "backups";

/// The rows of the table.
const CURL: &str = "curl, presigned URL";
const CURL_SUM: &str = "curl, with a checksum";
const RCLONE: &str = "rclone, one request";
const RCLONE_PARTS: &str = "rclone, as it comes";
const NATIVE: &str = "read and write, no more";
const PLUGIN: &str = "S3 plugin, one request";
const PLUGIN_PARTS: &str = "S3 plugin, parts of 64M";

const ROWS: [&str; 7] = [CURL, NATIVE, PLUGIN, CURL_SUM, PLUGIN_PARTS, RCLONE, RCLONE_PARTS];

/// How the plugin sends, and the size of its parts.
const WAYS: [(&str, &str); 2] = [("whole", "5 GiB"), ("parts", "64 MiB")];

/// The file that is sent.
struct Sample {
    path: PathBuf,
    bytes: u64,
    /// In hexadecimal digits.
    sha256: String,
}

/// Measures and prints.
pub(crate) fn bench(size: &Size) -> Result<ExitCode> {
    setup::for_delivery_bench()?;
    let program = size.program.clone().map_or_else(|| binary::build(true), Ok)?;
    let folder = Folder::new()?;
    let (sink, closed) = (Sink::start()?, Sink::start()?);
    sink.close(true);
    closed.close(true);
    let (mut deliveries, sample) = step("a backup to deliver", || {
        let services = [("sink", sink.port), ("s3s-fs", closed.port)];
        Deliveries::prepare(&program, folder.path(), &services, &WAYS, size.rounds, size.megabytes)
    })?;
    println!("\n{}", machine::describe(&peers::versions()?));
    println!("{:.0} MB, {} rounds, interleaved, medians", sample.bytes as f64 / 1e6, size.rounds);

    sink.close(false);
    println!("\nInto a server that throws all away:");
    compare(&mut deliveries, &sample, ("sink", sink.port), size.rounds, None)?.print_speed(CURL);
    let service = folder.path().join("service");
    let mut running = Service::start(&service, closed.free())?;
    println!("\nInto s3s-fs, which writes files and computes checksums:");
    let kept = service.join(BUCKET);
    let at = ("s3s-fs", running.port);
    compare(&mut deliveries, &sample, at, size.rounds, Some(&kept))?.print_speed(CURL_SUM);
    running.stop();
    println!("\na plugin's call, instantiation and all: {:.2} ms", deliveries.call()? * 1e3);
    let memory = deliveries.stop()? as f64 / 1024.0 / 1024.0;
    println!("the console while delivering: peak memory (RssAnon) {memory:.1} MiB");
    ready::bench(&program, folder.path())?;
    Ok(ExitCode::SUCCESS)
}

/// All rounds, to a service at this port, which keeps what it is sent there.
fn compare(
    deliveries: &mut Deliveries,
    sample: &Sample,
    (service, port): (&str, u16),
    rounds: usize,
    kept: Option<&Path>,
) -> Result<Table> {
    let peers = Peers::new(sample, port)?;
    let mut table = Table::default();
    for round in 0..=rounds {
        for row in ROWS {
            let key = format!("{row} {round}").replace([' ', ','], "-");
            let measured = match row {
                CURL => peers.curl(&key, false),
                CURL_SUM => peers.curl(&key, true),
                NATIVE => native::put(sample, &peers.presigned(&key, false)?),
                PLUGIN => deliveries.deliver(&destination(service, "whole", round), sample),
                PLUGIN_PARTS => deliveries.deliver(&destination(service, "parts", round), sample),
                RCLONE => peers.rclone(&key, true),
                _ => peers.rclone(&key, false),
            };
            let measured = measured.with_context(|| row)?;
            // The first round warms everybody up.
            if round > 0 {
                table.add(row, measured);
            }
            // What was written is not to be flushed while the next one is measured.
            if let Some(kept) = kept {
                fs::remove_dir_all(kept)?;
                fs::create_dir(kept)?;
            }
        }
    }
    Ok(table)
}

/// A service that keeps objects in files.
struct Service {
    child: Child,
    port: u16,
}

impl Service {
    fn start(folder: &Path, port: u16) -> Result<Self> {
        fs::create_dir_all(folder.join(BUCKET))?;
        let mut command = process::bound("s3s-fs", AtParentsEnd::Kill);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]).arg(folder);
        command.env("RUST_LOG", "error").stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = process::spawn(command).context("s3s-fs")?;
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(start.elapsed() < Duration::from_secs(20), "s3s-fs does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { child, port })
    }

    fn stop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            say(format_args!("s3s-fs: {error}"));
        }
    }
}
