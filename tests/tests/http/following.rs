//! Downloads of a backup that is still being made.

use std::{io::Read, thread, time::Duration};

use cofferdam_tests::{
    Api, Console, TestCluster,
    held::{self, Held},
    wait_until,
};
use serde_json::json;

struct Running {
    console: Console,
    cluster: TestCluster,
    api: Api,
    id: String,
    held: Held,
}

impl Running {
    fn start() -> Self {
        let cluster = TestCluster::start();
        held::create_wide(&cluster, "wide");
        let console = Console::builder().database(&cluster, "wide").start();
        let api = console.api();
        let (id, held) = held::hold_backup(&console, &api, &json!({ "database": "wide" }));
        Self { console, cluster, api, id, held }
    }

    fn url(&self) -> String {
        format!("/api/v1/backups/{}/download", self.id)
    }

    /// A reader that has its first bytes, and how it ended.
    fn follow(&self) -> thread::JoinHandle<(Vec<u8>, std::io::Result<()>)> {
        let mut answer = self.api.download(&self.url(), &[]);
        assert_eq!(answer.status, 200);
        assert!(answer.headers.get("content-length").is_none(), "nobody knows the length yet");
        assert!(answer.headers.get("etag").is_none(), "nobody knows the hash yet");
        assert_eq!(answer.headers["accept-ranges"], "none");
        let name = answer.headers["content-disposition"].to_str().expect("text").to_owned();
        assert!(
            name.starts_with("attachment; filename=\"backup_wide_") && name.ends_with(".sql.gz\""),
            "{name}"
        );
        let mut bytes = vec![0; 1000];
        answer
            .body
            .read_exact(&mut bytes)
            .expect("the first bytes come while the dump stands still");
        assert_eq!(bytes[..2], [0x1f, 0x8b]);
        thread::spawn(move || {
            let end = answer.body.read_to_end(&mut bytes);
            (bytes, end.map(|_| ()))
        })
    }
}

#[test]
fn whoever_follows_a_running_backup_gets_the_bytes_of_the_finished_file() {
    let running = Running::start();
    let state = running.api.get(&format!("/api/v1/backups/{}", running.id)).json();
    assert_eq!(state["download_url"], running.url(), "a running backup can be downloaded");
    let early = running.follow();
    // A range of something without a length means all of it.
    let ranged = running.api.download(&running.url(), &[("Range", "bytes=5-9")]);
    assert_eq!(ranged.status, 200);
    let head = running.api.send("HEAD", &running.url(), &[], None).expect(200);
    assert!(head.body.is_empty());
    let Running { api, id, held, .. } = running;
    held.release();
    let (bytes, end) = early.join().expect("read");
    end.expect("ended, not cut");
    let backup = api.ended(&id);
    assert_eq!(backup["status"], "completed", "{backup}");
    assert_eq!(backup["size_bytes"], bytes.len());
    let whole = api.get(backup["download_url"].as_str().expect("an address")).expect(200).body;
    assert!(bytes == whole, "the follower's bytes are not the file's");
    let mut late = vec![];
    let mut body = ranged.body;
    body.read_to_end(&mut late).expect("ended, not cut");
    assert!(late == whole);
}

#[test]
fn a_follower_of_a_cancelled_backup_is_cut_off() {
    let running = Running::start();
    let follower = running.follow();
    let cancel = format!("/api/v1/backups/{}/cancel", running.id);
    running.api.post(&cancel, &json!({})).expect(202);
    let (bytes, end) = follower.join().expect("read");
    assert!(end.is_err(), "{} bytes were ended as if they were all", bytes.len());
    let backup = running.api.ended(&running.id);
    assert_eq!((&backup["status"], &backup["filename"]), (&json!("cancelled"), &json!(null)));
    running.api.get(&running.url()).expect(404);
    let left = std::fs::read_dir(running.console.data().join("backups")).expect("the folder");
    let left: Vec<_> =
        left.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    assert!(!left.iter().any(|name| name.contains("wide")), "{left:?}");
    wait_until("the end of the dump's session on the server", Duration::from_secs(15), || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'wide';";
        (running.cluster.psql("postgres", sql) == "0").then_some(())
    });
}

#[test]
fn a_follower_of_a_failed_backup_is_cut_off() {
    let running = Running::start();
    let follower = running.follow();
    let Running { api, id, held, console: _console, cluster: _cluster } = running;
    held.kill();
    let (bytes, end) = follower.join().expect("read");
    assert!(end.is_err(), "{} bytes were ended as if they were all", bytes.len());
    let backup = api.ended(&id);
    assert_eq!(
        (&backup["status"], &backup["error"]["kind"]),
        (&json!("failed"), &json!("tool")),
        "{backup}"
    );
}

#[test]
fn a_cut_shows_on_the_wire_as_chunks_without_an_end() {
    let running = Running::start();
    let token = running.api.token().expect("a token");
    let ask = |version: &str| {
        format!(
            "GET {} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n",
            running.url()
        )
    };
    let old = running.api.raw(ask("1.0").as_bytes(), Duration::from_secs(10)).expect("an answer");
    let old = String::from_utf8_lossy(&old);
    assert!(old.starts_with("HTTP/1.0 409") || old.starts_with("HTTP/1.1 409"), "{old}");
    assert!(old.contains("HTTP/1.0"), "the reason is told: {old}");

    let (api, request) = (running.api.clone(), ask("1.1"));
    let reader = thread::spawn(move || api.raw(request.as_bytes(), Duration::from_secs(30)));
    thread::sleep(Duration::from_secs(1));
    running.api.post(&format!("/api/v1/backups/{}/cancel", running.id), &json!({})).expect(202);
    let answer = reader.join().expect("read").expect("an answer");
    let head = String::from_utf8_lossy(&answer[..answer.len().min(2000)]).to_lowercase();
    assert!(
        head.starts_with("http/1.1 200") && head.contains("transfer-encoding: chunked"),
        "{head}"
    );
    assert!(!answer.ends_with(b"0\r\n\r\n"), "the stream was ended, not cut");
}

#[test]
fn a_backup_that_has_not_begun_has_nothing_to_download() {
    let running = Running::start();
    let wish = json!({ "database": "wide" });
    let next = running.api.post("/api/v1/backups", &wish).expect(202).json();
    let id = next["id"].as_str().expect("an id");
    let path = format!("/api/v1/backups/{id}");
    assert_eq!(
        running.api.get(&path).json()["status"],
        "pending",
        "one run per database at a time"
    );
    running.api.get(&format!("{path}/download")).expect(409);
    running.api.delete(&path).expect(409);
    running.api.delete(&format!("/api/v1/backups/{}", running.id)).expect(409);
    running.api.delete("/api/v1/databases/wide").expect(409);
    running.api.post(&format!("{path}/cancel"), &json!({})).expect(202);
    assert_eq!(running.api.get(&path).json()["status"], "cancelled");
}
