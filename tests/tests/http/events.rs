//! Server-sent events: of one backup for programs, of everything for pages.

use std::{
    io::{BufRead as _, BufReader},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use cofferdam_tests::{Api, Console, Person, TestCluster, held};
use serde_json::{Value, json};

/// Name, number and data of each event, to the stream's end.
fn read_all(api: &Api, path: &str, headers: &[(&str, &str)]) -> Vec<(String, Option<i64>, Value)> {
    let stream = api.download(path, headers);
    assert_eq!(stream.status, 200);
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert_eq!(stream.headers["cache-control"], "no-store");
    let mut events = vec![];
    let (mut name, mut number) = (String::new(), None);
    for line in BufReader::new(stream.body).lines() {
        let line = line.expect("the stream is ended, not cut");
        if let Some(text) = line.strip_prefix("event: ") {
            text.clone_into(&mut name);
        } else if let Some(text) = line.strip_prefix("id: ") {
            number = text.parse().ok();
        } else if let Some(text) = line.strip_prefix("data: ") {
            events.push((name.clone(), number.take(), serde_json::from_str(text).expect("JSON")));
        }
    }
    events
}

#[test]
fn the_events_of_a_backup_tell_its_progress_its_log_and_its_end() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().database(&cluster, "wide").start();
    let api = console.api();
    let (id, held) = held::hold_backup(&console, &api, &json!({ "database": "wide" }));
    let path = format!("/api/v1/backups/{id}/events");
    let reader = thread::spawn({
        let (api, path) = (api.clone(), path.clone());
        move || read_all(&api, &path, &[])
    });
    // The reader is there before the dump goes on.
    thread::sleep(Duration::from_millis(1500));
    held.release();
    let events = reader.join().expect("read to the end");

    let (last, _, done) = events.last().expect("events");
    assert_eq!(
        (last.as_str(), &done["status"], &done["id"]),
        ("done", &json!("completed"), &json!(id))
    );
    assert_eq!(events.iter().filter(|(name, ..)| name == "done").count(), 1);
    let progress: Vec<_> =
        events.iter().filter(|(name, ..)| name == "progress").map(|it| &it.2).collect();
    assert!(progress.len() >= 2, "{progress:?}");
    let percents: Vec<_> =
        progress.iter().filter_map(|it| it["progress"]["percent"].as_f64()).collect();
    assert!(percents.is_sorted(), "percent never falls: {percents:?}");
    let early = progress.iter().find(|it| {
        it["progress"]["percent"].as_f64() >= Some(100.0) && it["progress"]["phase"] != "done"
    });
    assert!(early.is_none(), "100 is for a file with its name: {early:?}");
    let numbers: Vec<_> = events
        .iter()
        .filter(|(name, ..)| name == "log")
        .map(|it| it.1.expect("a number"))
        .collect();
    assert!(!numbers.is_empty() && numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    let log = api.get(&format!("/api/v1/backups/{id}/log")).json();
    assert_eq!(log["lines"].as_array().map(Vec::len), Some(numbers.len()), "no line is missed");

    // Of an ended backup: the log once more, and the end. From a line on: the lines behind it.
    let again = read_all(&api, &path, &[]);
    assert_eq!(again.last().map(|it| it.0.as_str()), Some("done"));
    let seen = numbers[numbers.len() - 1].to_string();
    let rest = read_all(&api, &path, &[("Last-Event-ID", &seen)]);
    assert_eq!(rest.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["done"]);
}

/// Lines of the pages' event stream, until it ends.
fn listen(console: &Console, cookie: &str) -> mpsc::Receiver<String> {
    let stream = console.anonymous().download("/events", &[("Cookie", cookie)]);
    assert_eq!(stream.status, 200);
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream.body).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

#[test]
fn pages_hear_what_changed_and_nothing_more_after_the_sign_out() {
    let console = Console::builder().start();
    let person = Person::administrator(&console);
    let cookie = person.cookie().expect("a cookie");
    let lines = listen(&console, &cookie);
    let made = console.api().back_up("cofferdam");
    let id = made["id"].as_str().expect("an id");
    let start = Instant::now();
    let (mut list, mut own) = (false, false);
    while !(list && own) {
        let left = Duration::from_secs(10).saturating_sub(start.elapsed());
        let line = lines.recv_timeout(left).expect("word of the backup");
        list |= line == "event: backups";
        own |= line == format!("data: {id}");
    }

    person.post("/logout", &[]).expect(303);
    let start = Instant::now();
    let limit = Duration::from_secs(9);
    loop {
        match lines.recv_timeout(limit.saturating_sub(start.elapsed())) {
            Ok(_) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                panic!("still open {limit:?} after the sign-out")
            }
        }
    }
    person.set_cookie(Some(&cookie));
    person.get("/events").expect(303);
}

#[test]
fn pages_hear_of_backups_and_deliveries_that_a_command_line_makes() {
    let console = Console::builder().start();
    let folder = console.folder().join("shelf");
    std::fs::create_dir_all(&folder).expect("a folder");
    let wish = json!({ "plugin": "local-retention", "name": "shelf", "grant": true,
        "settings": { "folder": folder } });
    console.api().post("/api/v1/destinations", &wish).expect(201);
    let person = Person::administrator(&console);
    let lines = listen(&console, &person.cookie().expect("a cookie"));
    // What was said before is none of it.
    while lines.recv_timeout(Duration::from_secs(3)).is_ok() {}
    let told = console.cli().args(["backup", "create", "cofferdam", "--json"]).output();
    let told = told.expect("the command line");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let made: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(made["deliveries"][0]["status"], "completed", "{made}");
    let own = format!("data: {}", made["id"].as_str().expect("an id"));
    let mut missing = vec!["event: backups".to_owned(), "event: destinations".to_owned(), own];
    let start = Instant::now();
    while !missing.is_empty() {
        let left = Duration::from_secs(8).saturating_sub(start.elapsed());
        let line = lines.recv_timeout(left).unwrap_or_else(|_| panic!("no word of {missing:?}"));
        missing.retain(|it| *it != line);
    }
}

#[test]
fn the_events_of_a_backup_end_when_their_token_does() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().database(&cluster, "wide").start();
    let (id, held) = held::hold_backup(&console, &console.api(), &json!({ "database": "wide" }));
    let api = console.api();
    let stream = api.download(&format!("/api/v1/backups/{id}/events"), &[]);
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || {
        let count = BufReader::new(stream.body).lines().map_while(Result::ok).count();
        let _ = sender.send(count);
    });
    console.catalog("UPDATE tokens SET revoked_at = 1;");
    ended.recv_timeout(Duration::from_secs(12)).expect("the stream ends");
    drop(held);
}
