//! Little of what the system gives: file descriptors, memory.

use std::{
    fs,
    net::TcpStream,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use cofferdam_tests::wait_until;

use crate::world::{PATIENCE, World, fill};

/// Sets a limit of the console from outside.
fn limit(world: &World, what: &str) -> bool {
    let pid = world.console.pid().to_string();
    let done = Command::new("prlimit").args(["--pid", &pid, what]).status();
    done.is_ok_and(|status| status.success())
}

/// A number of `/proc/PID/status`, in kB.
fn kilobytes(pid: u32, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

#[test]
fn short_of_file_descriptors_it_loses_nothing_and_recovers() {
    let world = World::new();
    assert!(limit(&world, "--nofile=64:64"), "prlimit");
    let logged = world.console.stderr().len();
    let address = world.console.url().trim_start_matches("http://").to_owned();
    let id = world.begin_and_hold();
    let crowd: Vec<TcpStream> =
        (0..200).filter_map(|_| TcpStream::connect(&address).ok()).collect();
    assert!(crowd.len() > 64, "{}", crowd.len());
    world.link.release();
    thread::sleep(Duration::from_secs(5));
    let begin = cpu_ticks(world.console.pid());
    thread::sleep(Duration::from_secs(2));
    // Accepting in vain must not take a processor: less than half of one.
    let spent = cpu_ticks(world.console.pid()) - begin;
    let lines = world.console.stderr().split_off(logged).lines().count();
    println!("{spent} ticks in two seconds, {lines} lines of log");
    assert!(lines < 200, "{lines} lines of log");
    assert!(spent < 100, "{spent} ticks in two seconds");
    drop(crowd);
    wait_until("an answer", PATIENCE, || {
        let stream = TcpStream::connect(&address).ok()?;
        drop(stream);
        (world.console.anonymous().get("/readyz").status == 200).then_some(())
    });
    let backup = world.end_of(&id);
    let told = backup["status"] == "completed" || backup["status"] == "failed";
    assert!(told, "{backup}");
    world.assert_whole();
}

/// Processor time that a process has used, in hundredths of a second.
fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let rest = stat.rsplit_once(')').expect("its name").1;
    let times = rest.split_whitespace().skip(11).take(2);
    times.map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

#[test]
fn memory_does_not_grow_with_the_database() {
    let megabytes: u32 = std::env::var("COFFERDAM_TEST_MEMORY_MB")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(500);
    let world = World::new();
    fill(&world.cluster, "large", megabytes * 5000);
    let port = world.link.port();
    let database = serde_json::json!({
        "name": "large", "engine": "postgres", "host": "127.0.0.1", "port": port,
        "dbname": "large", "user": "postgres", "password": world.cluster.password(),
    });
    world.api.post("/api/v1/databases", &database).expect(201);
    let rest = kilobytes(world.console.pid(), "RssAnon");
    let id = world.begin_of("large");
    let (mut most, start) = (0, Instant::now());
    while crate::world::is_open(&world.state(&id)) {
        most = most.max(kilobytes(world.console.pid(), "RssAnon"));
        thread::sleep(Duration::from_millis(20));
        assert!(start.elapsed() < Duration::from_secs(170), "it takes too long to measure");
    }
    let backup = world.backup(&id);
    assert_eq!(backup["status"], "completed", "{backup}");
    println!(
        "{} MB of dump in {:.1} s: RssAnon {rest} kB before, at most {most} kB meanwhile",
        backup["raw_bytes"].as_u64().unwrap_or(0) / 1_000_000,
        start.elapsed().as_secs_f64(),
    );
    assert!(most < 64 << 10, "{most} kB");
    world.assert_in_step();
}
