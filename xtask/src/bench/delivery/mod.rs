//! A file of 1 GiB to an object store: the S3 plugin in the console's runtime
//! against what people use instead; and how long a plugin takes to be there.

mod peers;
mod ready;
mod sender;
mod sink;

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use xtask::process::{self, AtParentsEnd};

use super::{folder::Folder, machine, table::Table};
use crate::{
    binary,
    report::{say, step},
    setup,
};
use peers::Peers;
use sender::Sender;
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
const NATIVE: &str = "sender, no component";
const PLUGIN: &str = "S3 plugin, one request";
const PLUGIN_PARTS: &str = "S3 plugin, parts of 64M";

const ROWS: [&str; 7] = [CURL, NATIVE, PLUGIN, CURL_SUM, PLUGIN_PARTS, RCLONE, RCLONE_PARTS];

/// How much is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Size {
    megabytes: u64,
    rounds: usize,
    program: Option<PathBuf>,
}

impl Size {
    /// Reads `--size MiB`, `--rounds N` and `--program FILE`.
    pub(crate) fn parse(options: &[String]) -> Result<Self> {
        let mut size = Self { megabytes: 1024, rounds: 5, program: None };
        let mut words = options.iter();
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} takes a value"))?;
            let number = || {
                let number = value.parse().ok().filter(|number| (1..=100_000).contains(number));
                number.with_context(|| format!("{word} takes a number from 1 to 100000"))
            };
            match word.as_str() {
                "--size" => size.megabytes = number()?,
                "--rounds" => size.rounds = usize::try_from(number()?)?,
                "--program" => size.program = Some(PathBuf::from(value).canonicalize()?),
                _ => bail!("the options are --size MiB, --rounds N and --program FILE"),
            }
        }
        Ok(size)
    }
}

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
    let sender = sender::build()?;
    let component = binary::target_folder()?.join("plugins/s3.wasm");
    let folder = Folder::new()?;
    let sample = step("a file of random bytes", || sample(&folder.path().join("file"), size))?;
    let mut sender = Sender::start(&sender)?;
    let steps = sender.steps(&component)?;
    sender.load(&component)?;

    println!("\n{}", machine::describe(&peers::versions()?));
    let sink = Sink::start()?;
    println!("\nInto a server that throws all away, {} rounds, interleaved, medians", size.rounds);
    compare(&mut sender, &sample, sink.port, size.rounds, None)?.print_speed(CURL);
    let mut service = Service::start(&folder.path().join("service"))?;
    println!("\nInto s3s-fs, {} rounds, interleaved, medians", size.rounds);
    let kept = folder.path().join("service").join(BUCKET);
    compare(&mut sender, &sample, service.port, size.rounds, Some(&kept))?.print_speed(CURL);
    service.stop();
    let memory = sender.stop()?;
    println!("\nthe runtime with the plugin: peak memory (RssAnon) {:.1} MiB", mebibytes(memory));
    println!(
        "s3.wasm: compiled in {:.0} ms, loaded from the cache in {:.1} ms; a call of check {:.0} µs (99 of 100 within {:.0} µs)",
        steps.compiled * 1e3,
        steps.loaded * 1e3,
        steps.called * 1e6,
        steps.called_99 * 1e6
    );
    ready::bench(&program, folder.path())?;
    Ok(ExitCode::SUCCESS)
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn sample(path: &Path, size: &Size) -> Result<Sample> {
    let megabytes = size.megabytes;
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("head -c {}M /dev/urandom > \"$1\" && sha256sum \"$1\"", megabytes));
    let output = shell.arg("sh").arg(path).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8_lossy(&output.stdout);
    let sha256 = told.split_whitespace().next().context("sha256sum told nothing")?.to_owned();
    Ok(Sample { path: path.to_owned(), bytes: fs::metadata(path)?.len(), sha256 })
}

/// All rounds, to a service at this port, which keeps what it is sent here.
fn compare(
    sender: &mut Sender,
    sample: &Sample,
    port: u16,
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
                NATIVE => sender.native(&peers.presigned(&key, false)?, sample),
                PLUGIN => sender.plugin(sample, port, &key, "5 GiB"),
                PLUGIN_PARTS => sender.plugin(sample, port, &key, "64 MiB"),
                RCLONE => peers.rclone(&key, true),
                _ => peers.rclone(&key, false),
            };
            // The first round warms everybody up.
            if round > 0 {
                table.add(row, measured.with_context(|| row)?);
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
    fn start(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder.join(BUCKET))?;
        let port = process::free_port()?;
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
