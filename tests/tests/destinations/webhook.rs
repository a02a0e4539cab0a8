//! Webhooks, as the one who is called sees them.

use std::{
    fs,
    io::{BufReader, Write as _},
    net::TcpListener,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use cofferdam_tests::{
    Api, Console, wait_until,
    wire::{Answer, Listener, Request},
};
use serde_json::{Value, json};

use crate::support::{PATIENCE, SMALL, deliver, large, path, retry, settings, until, wish};

const SECRET: &str = "canary-secret-of-sixteen-or-more";

/// Adds a destination that calls this listener about everything.
fn add(api: &Api, listener: &Listener, more: &Value) {
    let mut settings = json!({
        "url": format!("http://127.0.0.1:{}/hook", listener.port()),
        "secret": SECRET,
    });
    for (name, value) in more.as_object().expect("settings") {
        settings[name] = value.clone();
    }
    let wish = json!({
        "plugin": "webhook", "name": "hook", "grant": true, "grant_private": true,
        "settings": settings,
    });
    let made = api.post("/api/v1/destinations", &wish).expect(201).json();
    assert!(made["problem"].is_null(), "{made}");
}

fn taken() -> Listener {
    Listener::start(|_| Some(Answer::new(204)))
}

/// The lines of Python with which the plugins' page says how a signature is
/// verified, at work on a request.
fn is_genuine(request: &Request, secret: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let page = fs::read_to_string(root.join("plugins/README.md")).expect("the page");
    let (_, rest) = page.split_once("```python\nt, v1").expect("lines of Python");
    let (lines, _) = rest.split_once("```").expect("their end");
    let header = request.header("x-cofferdam-signature").expect("a signature");
    let script = format!(
        "import hashlib, hmac, sys, time\nheader, secret = sys.argv[1], sys.argv[2].encode()\n\
         body = sys.stdin.buffer.read()\nt, v1{lines}\nprint(genuine)\n"
    );
    let mut python = Command::new(cofferdam_tests::s3_server::python());
    python.args(["-c", &script, header, secret]);
    let told = cofferdam_tests::inside::with_input(&mut python, &request.text());
    let said = String::from_utf8_lossy(&told.stdout);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    said.trim() == "True"
}

#[test]
fn a_call_is_signed_has_the_chosen_headers_and_says_everything() {
    let listener = taken();
    let console = Console::builder().start();
    let api = console.api();
    let more =
        json!({ "headers": ["X-Team: ops", "X-Two: a:b"], "authorization": "Bearer canary-7" });
    add(&api, &listener, &more);
    let backup = deliver(&api, SMALL, "completed");
    let calls: Vec<_> = listener.seen().into_iter().filter(|it| it.method == "POST").collect();
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-cofferdam-event", "backup.completed"),
        ("x-team", "ops"),
        ("x-two", "a:b"),
        ("authorization", "Bearer canary-7"),
    ] {
        assert_eq!(call.header(name), Some(value), "{name}");
    }
    assert!(is_genuine(call, SECRET));
    assert!(!is_genuine(call, "another secret of the same kind"));
    let mut changed = call.clone();
    changed.body.push(b' ');
    assert!(!is_genuine(&changed, SECRET));
    let body: Value = serde_json::from_slice(&call.body).expect("JSON");
    assert_eq!(body["id"].as_str(), call.header("x-cofferdam-id"));
    assert_eq!((&body["kind"], &body["severity"]), (&"backup.completed".into(), &"info".into()));
    assert_eq!(body["backup"]["sha256"], backup["sha256"]);
    assert!(!call.text().contains("canary"), "{}", call.text());
}

#[test]
fn a_body_of_ones_own_is_filled_in() {
    let listener = taken();
    let console = Console::builder().start();
    let api = console.api();
    let template = r#"{"t":"{{title}}","d":"{{database}}","f":"{{filename}}","s":"{{severity}}","all":{{document}}}"#;
    add(&api, &listener, &json!({ "body": template, "method": "PUT" }));
    let backup = deliver(&api, SMALL, "completed");
    let call = listener.seen().pop().expect("a call");
    assert_eq!(call.method, "PUT");
    let body: Value = serde_json::from_slice(&call.body).expect("JSON");
    assert_eq!(
        (&body["t"], &body["d"], &body["f"], &body["s"], &body["all"]["kind"]),
        (
            &"Backup of cofferdam completed".into(),
            &"cofferdam".into(),
            &backup["filename"],
            &"info".into(),
            &"backup.completed".into()
        )
    );
    assert!(is_genuine(&call, SECRET));
}

#[test]
fn a_server_that_fails_is_called_again_with_the_same_event_when_it_asked_to() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let listener = Listener::start(move |_| {
        Some(match counted.fetch_add(1, Relaxed) {
            0 => Answer::new(503).header("retry-after", "900").body("busy"),
            1 => Answer::new(500),
            _ => Answer::new(200),
        })
    });
    let console = Console::builder().start();
    let api = console.api();
    add(&api, &listener, &json!({}));
    let backup = deliver(&api, SMALL, "retrying");
    let wait = |backup: &Value| {
        let next = backup["deliveries"][0]["next_attempt_at"].as_str().expect("a time");
        let next: chrono::DateTime<chrono::Utc> = next.parse().expect("a time");
        (next - chrono::Utc::now()).num_seconds()
    };
    assert!((840..=900).contains(&wait(&backup)), "{} s", wait(&backup));
    // Its own schedule: five minutes after the second attempt.
    let backup = retry(&api, &backup, "retrying");
    assert!((1..=300).contains(&wait(&backup)), "{} s", wait(&backup));
    let backup = retry(&api, &backup, "completed");
    assert_eq!(
        (&backup["status"], &backup["deliveries"][0]["attempts"]),
        (&"completed".into(), &3.into())
    );
    let seen = listener.seen();
    let ids: Vec<_> = seen.iter().map(|it| it.header("x-cofferdam-id")).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.is_some() && *id == ids[0]), "{ids:?}");
    assert!(seen.iter().all(|it| is_genuine(it, SECRET)));
}

#[test]
fn what_a_server_refuses_for_good_is_told_once_and_a_redirect_is_not_followed() {
    let listener = Listener::start(|it| {
        Some(match it.path() {
            "/hook" => Answer::new(308).header("location", "/elsewhere"),
            _ => Answer::new(200),
        })
    });
    let console = Console::builder().start();
    let api = console.api();
    add(&api, &listener, &json!({}));
    let backup = deliver(&api, SMALL, "failed");
    let told = backup["deliveries"][0]["error"].as_str().expect("an error");
    assert!(told.contains("redirect, which is not followed"), "{told}");
    assert!(listener.seen().iter().all(|it| it.path() == "/hook"));
}

#[test]
fn a_silent_server_delays_its_call_and_not_the_backup() {
    let listener = Listener::start(|_| None);
    let console = Console::builder().start();
    let api = console.api();
    add(&api, &listener, &json!({}));
    let first = api.back_up(SMALL);
    let second = api.back_up(SMALL);
    assert_eq!((&first["status"], &second["status"]), (&"completed".into(), &"completed".into()));
    let waiting = until(&api, &path(&first), "running");
    assert_eq!(waiting["status"], "completed");
}

#[test]
fn a_silent_server_takes_no_places_of_copies_nor_of_others_that_are_told() {
    let silent = Listener::start(|_| None);
    let good = taken();
    let console = Console::builder().start();
    let api = console.api();
    let shelf = console.folder().join("shelf");
    fs::create_dir_all(&shelf).expect("a folder");
    let hook = |name: &str, listener: &Listener| {
        let url = format!("http://127.0.0.1:{}/hook", listener.port());
        let wish = json!({
            "plugin": "webhook", "name": name, "grant": true, "grant_private": true,
            "settings": { "url": url }, "concurrency": 16,
        });
        api.post("/api/v1/destinations", &wish).expect(201);
    };
    // The first by name is the first to be queued.
    for name in ["a1", "a2", "a3"] {
        hook(name, &silent);
    }
    let backups: Vec<Value> = (0..6).map(|_| api.back_up(SMALL)).collect();
    hook("hook", &good);
    let wish = json!({
        "plugin": "local-retention", "name": "shelf", "grant": true,
        "settings": { "folder": shelf, "keep": "everything" },
    });
    api.post("/api/v1/destinations", &wish).expect(201);
    let last = api.back_up(SMALL);
    let each = |backup: &Value| {
        api.get(&path(backup)).expect(200).json()["deliveries"].as_array().expect("a list").clone()
    };
    let begun = std::time::Instant::now();
    let stands = |list: &[Value], to: &str, status: &str| {
        list.iter().any(|it| it["destination"] == to && it["status"] == status)
    };
    wait_until("the copy", PATIENCE, || stands(&each(&last), "shelf", "completed").then_some(()));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let calls = backups.iter().flat_map(each).filter(|it| it["status"] == "running");
    assert_eq!(calls.count(), 4);
}

#[test]
fn a_server_whose_answer_does_not_end_is_left_after_a_minute() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut call in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(call.try_clone().expect("a connection"));
            let mut request = Request::read_head(&mut reader).expect("a call");
            request.read_body(&mut reader).expect("its body");
            let mut next: &[u8] = b"HTTP/1.1 503 Busy\r\nContent-Length: 5000\r\n\r\n";
            // It ends when the other side has gone.
            while call.write_all(next).is_ok() {
                next = b"a";
                thread::sleep(Duration::from_secs(1));
            }
        }
    });
    let console = Console::builder().start();
    let api = console.api();
    let wish = json!({
        "plugin": "webhook", "name": "hook", "grant": true, "grant_private": true,
        "settings": { "url": format!("http://127.0.0.1:{port}/hook") },
    });
    api.post("/api/v1/destinations", &wish).expect(201);
    let backup = api.back_up(SMALL);
    let word = wait_until("the end of the call", Duration::from_secs(100), || {
        let word = api.get(&path(&backup)).expect(200).json()["deliveries"][0].clone();
        (word["status"] == "retrying").then_some(word)
    });
    let told = word["error"].as_str().expect("an error");
    assert!(told.contains("the call took longer than 60 s"), "{told}");
}

#[test]
fn every_kind_of_event_is_told() {
    let listener = taken();
    let console = Console::builder().start();
    let api = console.api();
    add(&api, &listener, &json!({}));
    let told = |kind: &str| {
        wait_until(kind, PATIENCE, || {
            let of_kind = |it: &Request| it.header("x-cofferdam-event") == Some(kind);
            let call = listener.seen().into_iter().find(of_kind)?;
            Some(serde_json::from_slice::<Value>(&call.body).expect("JSON"))
        })
    };
    let tested = api.post("/api/v1/destinations/hook/test", &json!({})).expect(200).json();
    assert_eq!(tested["ok"], true, "{tested}");
    assert_eq!(told("test")["title"], "Test of hook");

    // A service that lets nobody in.
    let closed = Listener::start(|_| {
        Some(
            Answer::new(403).body("<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"),
        )
    });
    api.post("/api/v1/destinations", &wish(&settings(closed.port()))).expect(201);
    assert_eq!(api.back_up(SMALL)["status"], "completed");
    assert_eq!(told("backup.completed")["severity"], "info");
    let failed = told("delivery.failed");
    assert_eq!(
        (&failed["severity"], &failed["title"], &failed["delivery"]["destination"]),
        (
            &"error".into(),
            &"Delivery of a backup of cofferdam to bucket failed".into(),
            &"bucket".into()
        )
    );

    let database = large(&console, &api, 60 << 20);
    let wanted = json!({ "database": database, "destinations": [] });
    let made = api.post("/api/v1/backups", &wanted).expect(202).json();
    api.post(&format!("{}/cancel", path(&made)), &json!({})).expect(202);
    assert_eq!(told("backup.cancelled")["severity"], "warning");

    fs::remove_file(console.folder().join("large.db")).expect("removed");
    assert_eq!(api.back_up(database)["status"], "failed");
    let failed = told("backup.failed");
    assert_eq!(
        (&failed["severity"], &failed["title"]),
        (&"error".into(), &"Backup of large failed".into())
    );
    assert!(failed["text"].as_str().is_some_and(|it| it.len() > 20), "{failed}");
}
