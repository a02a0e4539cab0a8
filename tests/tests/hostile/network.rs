//! Connections to where a plugin may not go, and more of everything than it may send.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use serde_json::{Value, json};

use crate::stage::{Stage, fits, short};

/// A server that gives every connection this answer, as often as it asks, and
/// the number of its connections.
fn server(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, SeqCst);
            thread::spawn(move || {
                let mut block = vec![0; 64 << 10];
                // Takes whatever comes.
                while stream.read(&mut block).is_ok_and(|count| count > 0) {
                    if !answer.is_empty() && stream.write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                }
            });
        }
    });
    (port, connections)
}

/// A server that takes the whole body of each request, and answers once.
fn taker() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || take(&stream));
        }
    });
    port
}

fn take(mut stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        io::copy(&mut reader.by_ref().take(length), &mut io::sink()).ok()?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}

fn request(target: &str) -> Value {
    json!({ "mode": "request", "target": target })
}

#[test]
fn hosts_and_addresses_that_are_not_granted_are_not_reached() {
    let (hidden, seen) = server("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret");
    let (other, seen_too) = server("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret");
    // Granted by name and address, and not as private ones.
    let hosts = [
        format!("localhost:{hidden}"),
        format!("[::ffff:127.0.0.1]:{hidden}"),
        "169.254.169.254:80".to_owned(),
        "0.0.0.0:80".to_owned(),
    ];
    let private =
        "the console does not allow this address: it is a private one, and that was not granted";
    let at = |host: &str, port: u16| format!("http://{host}:{port}/");
    let told = |host: &str, port: u16| format!("http://{host}:{port}: {private}");
    let mut stage = Stage::new(&hosts);
    stage.play(&[
        (
            request(&at("127.0.0.1", other)),
            "failed",
            &format!(
                "http://127.0.0.1:{other}: the console does not allow this connection: grant the host first"
            ),
        ),
        (request(&at("localhost", hidden)), "failed", &told("localhost", hidden)),
        (
            request(&at("[::ffff:127.0.0.1]", hidden)),
            "failed",
            &told("[::ffff:127.0.0.1]", hidden),
        ),
        (
            request("http://169.254.169.254/latest/meta-data/"),
            "failed",
            &format!("http://169.254.169.254: {private}"),
        ),
        (request("http://0.0.0.0/"), "failed", &format!("http://0.0.0.0: {private}")),
        (request("http://localhost:1/"), "failed", "http://localhost:1: the console does not allow this connection: grant the host first"),
        (request("ftp://localhost/"), "failed", "the URL: it must begin with https:// or http://"),
    ]);
    assert_eq!(seen.load(SeqCst) + seen_too.load(SeqCst), 0, "nobody was there");
    // What the administrator reads in the log says which host and why.
    let delivery = stage.suffer(&request(&at("localhost", hidden)));
    let line = delivery["history"][0]["log"][0]["text"].as_str().expect("a line");
    assert!(
        line.starts_with(&format!("a connection to localhost:{hidden} was denied: its address "))
            && line
                .ends_with("is not a public one, and the grant does not allow private addresses"),
        "{line}"
    );
}

#[test]
fn a_name_that_leads_elsewhere_the_second_time_is_looked_at_again() {
    let (hidden, seen) = server("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret");
    let folder = tempfile::tempdir().expect("a folder");
    let hosts = folder.path().join("hosts");
    // Written over and not replaced: the console sees this very file.
    let lead_to = |addresses: &[&str]| {
        let lines = addresses.iter().map(|address| format!("{address} turncoat.test\n"));
        let text = format!("127.0.0.1 localhost\n{}", lines.collect::<String>());
        fs::write(&hosts, text).expect("written");
    };
    // Public, as far as an address says, and of a block that nobody has been
    // given: what is sent there reaches no one.
    let public = "2d00::1";
    lead_to(&[public]);
    let host = format!("turncoat.test:{hidden}");
    let mut stage = Stage::with(short().hosts(folder.path(), &hosts), std::slice::from_ref(&host));
    stage.play(&[]);
    let before = stage.rest();
    let name = stage.destination(&request(&format!("http://{host}/")));
    let lines = |delivery: &Value| {
        let log = delivery["history"][0]["log"].as_array().expect("a log").clone();
        log.iter().map(|it| it["text"].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };

    // Nobody answers there, but it may be asked.
    let delivery = stage.suffer_at(&name);
    assert_eq!(delivery["status"], "retrying", "{delivery}");
    assert!(!delivery.to_string().contains("denied"), "{delivery}");
    stage.nothing_is_left(before);
    stage.the_good_one_works();

    // The same name, and then one that stands for both, is not what was granted.
    let told = format!(
        "http://{host}: the console does not allow this address: it is a private one, and that was not granted"
    );
    let denied = format!(
        "a connection to {host} was denied: its address 127.0.0.1 is not a public one, and the grant does not allow private addresses"
    );
    for addresses in [vec!["127.0.0.1"], vec![public, "127.0.0.1"]] {
        lead_to(&addresses);
        let delivery = stage.suffer_at(&name);
        assert_eq!(
            (&delivery["status"], &delivery["error"]),
            (&"failed".into(), &told.as_str().into())
        );
        assert_eq!(lines(&delivery), [denied.as_str()]);
        stage.nothing_is_left(before);
        stage.the_good_one_works();
    }
    // An address that is nobody's, and the documentation's own, is none to go to either.
    lead_to(&["192.0.2.7"]);
    let delivery = stage.suffer_at(&name);
    assert_eq!(delivery["status"], "failed", "{delivery}");
    assert_eq!(
        lines(&delivery),
        [format!("a connection to {host} was denied: 192.0.2.7 is not the address of a host")]
    );
    assert_eq!(seen.load(SeqCst), 0);
    stage.nothing_is_left(before);
    stage.the_good_one_works();

    // It was nothing else that kept it away: with the word that is missing, it gets there.
    lead_to(&["127.0.0.1"]);
    let found = stage.plugin("misbehaving.wasm", "approved");
    let path = format!("/api/v1/plugins/{}/approve", found["hash"].as_str().expect("a hash"));
    let grants =
        json!({ "hosts": [format!("{host} private")], "folder": stage.granted, "mail": true });
    stage.api.post(&path, &grants).expect(200);
    assert_eq!(stage.suffer_at(&name)["note"], "answered 200: secret");
    assert_eq!(seen.load(SeqCst), 1);
    stage.is_as_before(before);
}

#[test]
fn redirects_are_not_followed_and_lead_nowhere() {
    let (hidden, seen) = server("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret");
    let answer = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{hidden}/\r\ncontent-length: 0\r\n\r\n"
    );
    let (open, _) = server(answer.leak());
    let mut stage = Stage::new(&[format!("127.0.0.1:{open} private")]);
    let at = format!("http://127.0.0.1:{open}/");
    stage.play(&[
        (
            json!({ "mode": "request", "target": at }),
            "completed",
            &format!("answered 302 to http://127.0.0.1:{hidden}/:"),
        ),
        (
            json!({ "mode": "redirect", "target": at }),
            "failed",
            &format!(
                "http://127.0.0.1:{hidden}: the console does not allow this connection: grant the host first"
            ),
        ),
    ]);
    assert_eq!(seen.load(SeqCst), 0);
}

#[test]
fn floods_are_stopped_in_both_directions() {
    let (sink, _) = server("");
    let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
    for number in 0..100_000 {
        head.push_str("x-header-");
        head.push_str(&number.to_string());
        head.push_str(": value\r\n");
    }
    let (flood, _) = server(head.leak());
    let (half, _) = server("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of it");
    let at = |port: u16| format!("http://127.0.0.1:{port}/");
    let hosts = [sink, flood, half].map(|port| format!("127.0.0.1:{port} private"));
    Stage::new(&hosts).play(&[
        (json!({ "mode": "headers", "target": at(sink) }), "failed", "the plugin was stopped: it made a request whose head has more than 65.5 kB"),
        (
            request(&at(flood)),
            "retrying",
            &format!("http://127.0.0.1:{flood}: the request failed (*HttpResponseHeaderSectionSize*)"),
        ),
        (
            json!({ "mode": "impatient", "target": at(half), "milliseconds": 200 }),
            "retrying",
            &format!("http://127.0.0.1:{half}: reading: connection read timeout"),
        ),
        (
            json!({ "mode": "request", "target": at(sink) }),
            "retrying",
            "the plugin was stopped: it waited for answers over the network for 2 s without passing on a byte of a file",
        ),
        // More requests than connections: those that were refused are forgotten with the call.
        (
            json!({ "mode": "requests-at-once", "target": at(sink), "times": 200, "milliseconds": 500 }),
            "completed",
            "200 requests",
        ),
    ]);
}

#[test]
fn more_bytes_than_a_plugin_may_send_are_not_sent() {
    let sink = taker();
    let (drain, _) = server("");
    let mut stage = Stage::new(&[sink, drain].map(|port| format!("127.0.0.1:{port} private")));
    let at = |port: u16| format!("http://127.0.0.1:{port}/");
    let sentence = "the plugin was stopped: it sent more than * over the network";
    stage.play(&[
        (json!({ "mode": "upload", "target": at(sink), "bytes": 300_000_000 }), "failed", sentence),
        // One request with a body that never ends.
        (json!({ "mode": "pour", "target": at(drain) }), "failed", sentence),
    ]);
}

#[test]
fn a_million_denials_are_a_few_lines() {
    let mut stage = Stage::new(&[]);
    let flood = |target: &str| json!({ "mode": "denied", "target": target, "times": 1_000_000 });
    let (one, many) = (flood("http://one.test/"), flood("http://h#.test/"));
    stage.play(&[
        (one.clone(), "failed", "the plugin was stopped: it computed for 1.0 s *"),
        (many.clone(), "failed", "the plugin was stopped: it computed for 1.0 s *"),
    ]);
    let lines = |settings: &Value, stage: &mut Stage| {
        let delivery = stage.suffer(settings);
        let log = delivery["history"][0]["log"].as_array().expect("a log").clone();
        log.iter().map(|it| it["text"].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    let denied = "a connection to one.test:80 was denied: this host and port are not granted";
    let told = lines(&one, &mut stage);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], denied);
    assert!(fits(&told[1], &format!("* more times: {denied}")), "{told:?}");
    let told = lines(&many, &mut stage);
    assert_eq!(told.len(), 21, "{told:?}");
    assert!(fits(&told[20], "other things were denied as well, * times"), "{told:?}");
    // Each delivery has one line in the console's own log.
    assert!(stage.console.stderr().lines().count() < 200);
}
