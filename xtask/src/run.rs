//! `cargo xtask run`: the console, with a database to back up.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    thread,
    time::Instant,
};

use anyhow::{Context as _, Result};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};
use xtask::{
    postgres::{Cluster, Durability, Programs},
    process::{self, AtParentsEnd, Signal},
    sample,
};

use crate::{
    binary,
    report::{say, step},
    setup,
};

/// Any of these names a database, and then none is made.
const DATABASE_VARIABLES: [&str; 5] =
    ["DATABASE_URL", "POSTGRES_HOST", "POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PORT"];

/// Orders in the sample shop: 215,000 rows in all, made in some four seconds.
const ORDERS: u64 = 50_000;

/// Builds and runs everything until the console ends or Ctrl-C.
pub(crate) fn run(mut arguments: Vec<String>) -> Result<ExitCode> {
    let release = arguments.first().is_some_and(|word| word == "--release");
    if release {
        arguments.remove(0);
    }
    arguments.retain(|word| word != "--");

    let own_database = DATABASE_VARIABLES.iter().all(|name| env::var_os(name).is_none());
    setup::for_run(own_database)?;
    let program = binary::build(release)?;
    let scratch = binary::target_folder()?.join("scratch");
    fs::create_dir_all(&scratch)?;

    // From here on Ctrl-C means: end the console, then the server, then this.
    let signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let mut serve = process::bound(&program, AtParentsEnd::Terminate);
    serve.arg("serve").args(arguments);
    let cluster = if own_database { database(&scratch) } else { None };
    if let Some(cluster) = &cluster {
        serve.env("POSTGRES_HOST", "127.0.0.1").env("POSTGRES_PORT", cluster.port().to_string());
        serve.env("POSTGRES_DB", sample::DATABASE).env("POSTGRES_USER", sample::OWNER);
        serve.env("POSTGRES_PASSWORD", cluster.password());
    }
    let data =
        env::var_os("COFFERDAM_DATA_DIR").map_or_else(|| scratch.join("data"), PathBuf::from);
    serve.env("COFFERDAM_DATA_DIR", &data);
    if let Some(address) = other_address() {
        serve.env("COFFERDAM_LISTEN", address);
    }
    say(format_args!("the console's data is in {}", data.display()));
    let code = serve_until_end(serve, signals);
    if let Some(mut cluster) = cluster
        && cluster.is_ours()
    {
        step("stopping PostgreSQL", || cluster.stop_fast())?;
    }
    code
}

/// The scratch server with the shop. Nothing but a sentence where there is
/// no PostgreSQL: the console's own catalog can be backed up without.
fn database(scratch: &Path) -> Option<Cluster> {
    let Some(programs) = Programs::find() else {
        say("without PostgreSQL, the only database is the console's own catalog (SQLite)");
        return None;
    };
    let made = step("starting PostgreSQL", || {
        let cluster = Cluster::start(programs, &server_folder(scratch), Durability::Normal)?;
        Ok(cluster)
    })
    .and_then(|cluster| {
        step("the sample shop", || sample::create(&cluster, ORDERS))?;
        Ok(cluster)
    });
    match made {
        Ok(cluster) => {
            let found = if cluster.is_ours() { "started" } else { "found running" };
            say(format_args!(
                "PostgreSQL {found} on 127.0.0.1:{}, database {}, user {}, files in {}",
                cluster.port(),
                sample::DATABASE,
                sample::OWNER,
                cluster.folder().display()
            ));
            Some(cluster)
        }
        Err(error) => {
            say(format_args!("{error:#}"));
            say("going on without PostgreSQL; the console's own catalog (SQLite) can be backed up");
            None
        }
    }
}

/// Below the target folder, or, where the account that runs PostgreSQL for
/// root cannot go there (a checkout in /root, say), in /var/tmp.
fn server_folder(scratch: &Path) -> PathBuf {
    let inside = scratch.join("postgres");
    if !process::is_root() {
        return inside;
    }
    let mut look = process::bound_as("test", AtParentsEnd::Kill, Some("postgres"));
    if look.arg("-x").arg(scratch).status().is_ok_and(|status| status.success()) {
        return inside;
    }
    let name: String = scratch
        .to_string_lossy()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    PathBuf::from(format!("/var/tmp/cofferdam{name}"))
}

/// Another address than the usual one, where that is taken and nobody named one.
fn other_address() -> Option<&'static str> {
    let named = ["COFFERDAM_LISTEN", "PORT"].iter().any(|name| env::var_os(name).is_some());
    if named || TcpListener::bind(("127.0.0.1", 8080)).is_ok() {
        return None;
    }
    say("127.0.0.1:8080 is taken: taking a free port");
    Some("127.0.0.1:0")
}

/// Runs the console, shows its lines, passes signals on, and returns its status.
fn serve_until_end(mut serve: Command, mut signals: Signals) -> Result<ExitCode> {
    let start = Instant::now();
    // In a group of its own a terminal's Ctrl-C reaches it once, through us.
    serve.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = process::spawn(serve).context("the console cannot be started")?;
    let output = child.stdout.take().context("the console has an output")?;
    let handle = signals.handle();
    let pid = rustix::process::Pid::from_child(&child);
    let relay = thread::spawn(move || {
        for signal in &mut signals {
            say(format_args!("ending (signal {signal})"));
            // Gone already: then there is nothing to end.
            let _ = rustix::process::kill_process(pid, Signal::TERM);
        }
    });
    for line in BufReader::new(output).lines() {
        let line = line?;
        if let Some(address) = line.strip_prefix("Listening on ") {
            say(format_args!("started after {:.1} s", start.elapsed().as_secs_f64()));
            println!("\n    Cofferdam is at  {address}");
        } else if let Some(link) = line.strip_prefix("Set up: ") {
            println!("    Set it up, once, at  {link}\n");
        } else {
            println!("{line}");
        }
    }
    let status = child.wait()?;
    handle.close();
    relay.join().ok().context("the thread that passes signals on has failed")?;
    say(format_args!("the console ended: {status}"));
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
