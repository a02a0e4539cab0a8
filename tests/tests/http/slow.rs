//! Clients that take their time, on purpose or not.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use cofferdam_tests::Console;

fn connect(console: &Console) -> TcpStream {
    TcpStream::connect(console.url().trim_start_matches("http://")).expect("a connection")
}

/// How long until the console closes a connection over which this dribbles in.
fn closed_after(console: &Console, begin: &str, drop: &[u8], limit: Duration) -> Option<Duration> {
    let mut stream = connect(console);
    stream.set_read_timeout(Some(Duration::from_millis(500))).expect("a time limit");
    stream.write_all(begin.as_bytes()).expect("sent");
    let start = Instant::now();
    let mut buffer = [0; 4096];
    while start.elapsed() < limit {
        match stream.read(&mut buffer) {
            Ok(0) => return Some(start.elapsed()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return Some(start.elapsed()),
        }
        if stream.write_all(drop).is_err() {
            return Some(start.elapsed());
        }
    }
    None
}

#[test]
fn whoever_never_finishes_a_request_is_closed_and_others_are_served() {
    let console = Console::builder().start();
    let length = "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n";
    let chunks = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    thread::scope(|scope| {
        let silent = scope.spawn(|| closed_after(&console, "", b"", Duration::from_secs(25)));
        let head = scope.spawn(|| {
            closed_after(&console, "GET /login HTTP/1.1\r\n", b"X: y\r\n", Duration::from_secs(25))
        });
        let body = scope.spawn(|| closed_after(&console, length, b"a", Duration::from_secs(45)));
        let piece =
            scope.spawn(|| closed_after(&console, chunks, b"1\r\n{\r\n", Duration::from_secs(45)));
        let idle: Vec<_> = (0..200).map(|_| connect(&console)).collect();
        let start = Instant::now();
        for _ in 0..20 {
            console.anonymous().get("/healthz").expect(200);
        }
        assert!(start.elapsed() < Duration::from_secs(5), "others wait: {:?}", start.elapsed());
        drop(idle);
        for (what, closed, limit) in [
            ("a silent caller", silent, 15),
            ("a slow head", head, 15),
            ("a slow body", body, 40),
            ("slow chunks", piece, 40),
        ] {
            let closed = closed.join().expect("measured");
            assert!(
                closed.is_some_and(|took| took < Duration::from_secs(limit)),
                "{what}: {closed:?}"
            );
        }
    });
}

#[test]
fn a_reader_that_stops_reading_does_not_hold_up_others_or_memory() {
    let console = Console::builder().start();
    let file = console.folder().join("big.db");
    let sql = "CREATE TABLE t (b BLOB); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO t SELECT randomblob(1000000) FROM n;";
    let told = std::process::Command::new("sqlite3").arg(&file).arg(sql).output().expect("sqlite3");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let api = console.api();
    api.post("/api/v1/databases", &serde_json::json!({ "name": "big", "path": file })).expect(201);
    let made = api.back_up("big");
    let url = made["download_url"].as_str().expect("an address").to_owned();
    let memory = || {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", console.pid())).expect("it runs");
        let line =
            status.lines().find(|line| line.starts_with("VmRSS:")).expect("memory").to_owned();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number")
    };
    let before = memory();
    // Twenty readers of a file of 40 MB that read nothing.
    let readers: Vec<_> = (0..20).map(|_| api.download(&url, &[])).collect();
    assert!(readers.iter().all(|reader| reader.status == 200));
    thread::sleep(Duration::from_secs(2));
    let more = memory().saturating_sub(before);
    assert!(more < 100 << 10, "{more} KiB more while nobody reads");
    assert_eq!(
        api.get(&url).expect(200).body.len() as u64,
        made["size_bytes"].as_u64().expect("a number")
    );
    api.get("/api/v1/status").expect(200);
}

#[test]
fn a_component_may_take_longer_to_arrive_than_a_form() {
    let console = Console::builder().start();
    let token = console.api().token().expect("a token").to_owned();
    let mut stream = connect(&console);
    let head = format!(
        "POST /api/v1/plugins?name=slow.wasm HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/wasm\r\nContent-Length: 24\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    for _ in 0..24 {
        thread::sleep(Duration::from_secs(1));
        stream.write_all(b"x").expect("sent");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}
