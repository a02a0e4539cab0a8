//! A console that slept past its lease.

use std::{
    fs,
    io::Read as _,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use cofferdam_tests::{
    Api, Console, S3Proxy, S3Server,
    s3_proxy::Fault,
    s3_server::{ACCESS_KEY, BUCKET, SECRET_KEY},
    wait_until,
    wire::Request,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::world::{PATIENCE, World, files};

fn sql(world: &World, statement: &str) -> String {
    let catalog = world.console.data().join("catalog.db");
    let told = Command::new("sqlite3")
        .args(["-batch", "-cmd", ".timeout 10000"])
        .arg(catalog)
        .arg(statement)
        .output()
        .expect("sqlite3 is installed");
    assert!(told.status.success(), "{statement}: {}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8_lossy(&told.stdout).trim().to_owned()
}

#[test]
fn what_comes_with_an_old_fence_is_refused_and_its_file_is_not_kept() {
    let world = World::new();
    let id = world.begin_and_hold();
    world.console.signal(Signal::STOP);
    // As a second host would do when the lease has expired.
    let of = format!("WHERE backup_id = '{id}'");
    sql(
        &world,
        &format!("UPDATE jobs SET worker = 'other-host', fence = fence + 1, beats = 0 {of}"),
    );
    world.link.release();
    world.console.signal(Signal::CONT);
    world.assert_quiet();
    wait_until("the end of its file", PATIENCE, || (files(&world.folder).len() == 1).then_some(()));
    thread::sleep(Duration::from_secs(3));
    // The record is the other's to close.
    assert_eq!(world.state(&id)["status"], "running");
    assert_eq!(sql(&world, &format!("SELECT worker FROM jobs {of}")), "other-host");
    assert!(world.console.stderr().contains("lease"), "{}", world.console.stderr());

    // The other one dies too: its lease expires, and this console closes the job.
    sql(&world, &format!("UPDATE jobs SET renewed_at = renewed_at - 60000, expires_at = 1 {of}"));
    world.failure_of(&id, "interrupted");
    world.assert_whole();
}

#[test]
fn a_sleep_past_the_lease_alone_costs_nothing() {
    let world = World::new();
    let id = world.begin_and_hold();
    world.console.signal(Signal::STOP);
    thread::sleep(Duration::from_secs(35));
    world.console.signal(Signal::CONT);
    world.link.release();
    assert_eq!(world.end_of(&id)["status"], "completed");
    world.assert_whole();
}

#[test]
fn a_command_line_that_is_killed_in_its_run_is_cleaned_up_after_by_the_console() {
    let mut world = World::new();
    world.console.terminate();
    world.link.hold_after(4 << 20);
    let mut command = world.console.cli();
    command.args(["backup", "create", "shop"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut command = command.spawn().expect("it starts");
    wait_until("its bytes", PATIENCE, || {
        let grown =
            |name: &String| fs::metadata(world.folder.join(name)).is_ok_and(|it| it.len() > 1000);
        files(&world.folder).iter().any(grown).then_some(())
    });
    // A console that starts now leaves a living run alone, and one of a
    // process that has died a moment ago until its lease is over.
    world.console.restart();
    assert_eq!(files(&world.folder).len(), 2, "the marker and the temp file");
    let id = world.backups()[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(world.state(&id)["status"], "running");
    command.kill().expect("it can be killed");
    command.wait().expect("it is gone");
    world.link.release();
    world.failure_of(&id, "interrupted");
    world.assert_whole();
}

#[test]
fn a_console_with_another_catalog_is_kept_out_of_the_backup_folder() {
    let mut world = World::new();
    let id = world.begin_and_hold();
    let refused = |world: &World, arguments: &[&str]| {
        let mut other = world.console.cli();
        other.env("COFFERDAM_DATA_DIR", world.console.folder().join("other"));
        other.env("BACKUP_DIR", &world.folder).args(arguments);
        let output = other.output().expect("it starts");
        assert!(!output.status.success(), "{arguments:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("in use by a console with another catalog"), "{told}");
        assert!(told.contains("HINT: stop that console"), "{told}");
    };
    refused(&world, &["serve"]);
    refused(&world, &["backup", "create", "shop"]);
    // The command line beside the console has the same catalog.
    let listed = world.console.cli().args(["backup", "list"]).output().expect("it starts");
    assert!(listed.status.success());
    world.link.release();
    assert_eq!(world.end_of(&id)["status"], "completed");
    world.assert_whole();

    // A run of the command line alone keeps others out as well.
    world.console.terminate();
    world.link.hold_after(4 << 20);
    let mut command = world.console.cli();
    command.args(["backup", "create", "shop"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut command = command.spawn().expect("it starts");
    wait_until("its temp file", PATIENCE, || {
        files(&world.folder).iter().any(|name| name.starts_with(".partial")).then_some(())
    });
    refused(&world, &["serve"]);
    // Its own console comes in.
    world.console.restart();
    world.link.release();
    assert!(command.wait().expect("it ends").success());
    world.assert_whole();
}

#[test]
fn a_second_console_on_the_same_data_is_refused_and_disturbs_nothing() {
    let world = World::new();
    let id = world.begin_and_hold();
    let second = world.console.cli().arg("serve").output().expect("it starts");
    assert!(!second.status.success());
    let told = String::from_utf8_lossy(&second.stderr);
    assert!(told.contains("another console already serves"), "{told}");
    assert!(told.contains("HINT:"), "{told}");
    world.link.release();
    assert_eq!(world.end_of(&id)["status"], "completed");
    world.assert_whole();
}

/// A process that may have been stopped; it ends with this value.
struct Stopped(Child);

impl Stopped {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("it takes signals");
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a request brings a backup's file, and not its sidecar.
fn is_file(request: &Request) -> bool {
    request.method == "PUT" && request.path().ends_with(".sql.gz")
}

/// A console whose destination is an object store behind a proxy, one copy at a time.
fn with_bucket() -> (S3Server, S3Proxy, Console) {
    let server = S3Server::s3s();
    let proxy = S3Proxy::to(server.port());
    let console = Console::builder().start();
    let settings = json!({
        "endpoint": format!("http://127.0.0.1:{}", proxy.port()), "bucket": BUCKET,
        "access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY,
    });
    let wish = json!({
        "plugin": "s3", "name": "bucket", "grant": true, "grant_private": true,
        "settings": settings, "concurrency": 1,
    });
    console.api().post("/api/v1/destinations", &wish).expect(201);
    (server, proxy, console)
}

/// Lets every file wait for longer than anybody will sleep here.
fn hold(proxy: &S3Proxy) {
    let slow = Fault::Slow(Duration::from_mins(5));
    proxy.faults(move |it| if is_file(it) { slow.clone() } else { Fault::None });
}

fn wait_for_file(proxy: &S3Proxy) {
    wait_until("the file on its way", PATIENCE, || {
        proxy.take_seen().iter().any(is_file).then_some(())
    });
}

/// The command line that makes a backup, beside the console or alone.
fn begin_beside(console: &Console) -> Stopped {
    let mut command = console.cli();
    command.args(["backup", "create", "cofferdam", "--json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Stopped(command.spawn().expect("it starts"))
}

/// Waits for its success, and gives the record of its backup.
fn end_of(command: &mut Stopped) -> Value {
    let child = &mut command.0;
    let ended = wait_until("its end", PATIENCE, || child.try_wait().expect("it can be waited for"));
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().expect("a pipe").read_to_string(&mut out).expect("text");
    child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("text");
    assert!(ended.success(), "{out}\n{err}");
    serde_json::from_str(&out).expect("JSON")
}

/// Waits until a delivery has this status.
fn stands(api: &Api, path: &str, status: &str) -> Value {
    wait_until(status, PATIENCE, || {
        let now = api.get(path).expect(200).json();
        (now["status"] == status).then_some(now)
    })
}

/// That an attempt was cut off, which the delivery says, and is planned again.
fn is_cut_off(delivery: &Value) {
    assert_eq!(delivery["history"][0]["outcome"], "interrupted", "{delivery}");
    let told = delivery["error"].as_str().expect("a reason");
    assert!(told.contains("stopped or killed"), "{told}");
    assert!(delivery["next_attempt_at"].is_string(), "{delivery}");
}

/// That the second attempt was the last, and has put the whole file there.
fn is_done(console: &Console, server: &S3Server, filename: &Value, delivery: &Value) {
    let all = delivery["history"].as_array().expect("a list").iter();
    let outcomes: Vec<_> = all.map(|it| &it["outcome"]).collect();
    assert_eq!(outcomes, ["interrupted", "completed"]);
    let name = filename.as_str().expect("a name");
    let file = fs::read(console.data().join("backups").join(name)).expect("the file");
    let location = delivery["location"].as_str().expect("a location");
    assert!(fs::read(server.object(location)).expect("the copy") == file);
}

/// Where the API has the first delivery of the newest backup, and that backup.
fn newest(api: &Api) -> (String, Value) {
    let list = api.get("/api/v1/backups").expect(200).json();
    let backup = list["backups"][0].clone();
    let id = backup["deliveries"][0]["id"].as_str().expect("a delivery");
    (format!("/api/v1/deliveries/{id}"), backup)
}

#[test]
fn a_command_line_that_slept_past_the_lease_of_its_delivery_changes_nothing_that_came_after() {
    let (server, proxy, mut console) = with_bucket();
    console.terminate();
    hold(&proxy);
    let mut sleeper = begin_beside(&console);
    wait_for_file(&proxy);
    sleeper.signal(Signal::STOP);
    proxy.faults(|_| Fault::None);

    // A console comes, leaves it alone as long as its lease holds, and then takes it.
    console.restart();
    let api = console.api();
    let (path, backup) = newest(&api);
    assert_eq!(backup["deliveries"][0]["status"], "running");
    is_cut_off(&stands(&api, &path, "retrying"));
    api.post(&format!("{path}/retry"), &json!({})).expect(202);
    let done = stands(&api, &path, "completed");
    is_done(&console, &server, &backup["filename"], &done);

    // It wakes up with a fence that is no longer good: it gives its call up, sees
    // what has become of the delivery, and says no other thing.
    sleeper.signal(Signal::CONT);
    let seen = end_of(&mut sleeper);
    assert_eq!(seen["deliveries"][0]["status"], "completed", "{seen}");
    assert_eq!(api.get(&path).expect(200).json(), done);
    is_done(&console, &server, &backup["filename"], &done);
    assert_eq!(server.keys().len(), 2);
}

#[test]
fn a_console_that_slept_past_the_lease_of_its_delivery_loses_it_to_a_command_line_beside_it() {
    let (server, proxy, console) = with_bucket();
    let api = console.api();
    hold(&proxy);
    let first = api.back_up("cofferdam");
    wait_for_file(&proxy);
    let (path, _) = newest(&api);
    console.signal(Signal::STOP);
    proxy.faults(|_| Fault::None);
    // A backup of the same second would have the same name.
    thread::sleep(Duration::from_secs(1));

    // Its copy waits for the one place that the sleeper holds, until that is over.
    let mut command = begin_beside(&console);
    let made = end_of(&mut command);
    assert_eq!(made["deliveries"][0]["status"], "completed", "{made}");
    assert_eq!(made["deliveries"][0]["attempts"], 1);

    console.signal(Signal::CONT);
    is_cut_off(&stands(&api, &path, "retrying"));
    wait_until("word of the lease", PATIENCE, || {
        console.stderr().contains("the lease of a delivery was lost").then_some(())
    });
    // Nothing of what it did before it slept is recorded over that.
    thread::sleep(Duration::from_secs(3));
    is_cut_off(&api.get(&path).expect(200).json());
    api.post(&format!("{path}/retry"), &json!({})).expect(202);
    let done = stands(&api, &path, "completed");
    is_done(&console, &server, &first["filename"], &done);
    assert_eq!(server.keys().len(), 4, "two files with their sidecars");
}
