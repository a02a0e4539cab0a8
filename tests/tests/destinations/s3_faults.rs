//! An object store behind a network that does its worst: nothing is called
//! stored that is not, and nothing of an upload that failed is left.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use cofferdam_tests::{
    Console, S3Proxy, S3Server,
    s3_proxy::Fault,
    wire::{Answer, Request},
};
use serde_json::Value;

use crate::support::{
    SMALL, add, deliver, detail, is_stored, large, own_file, path, retry, settings, until, with,
};

/// Three parts of the smallest size.
const LARGE: u64 = 12 << 20;

/// A console that delivers to `s3s-fs` through a proxy, in parts of 5 MiB.
pub(crate) struct Stage {
    pub(crate) server: S3Server,
    pub(crate) proxy: S3Proxy,
    console: Console,
    pub(crate) api: cofferdam_tests::Api,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with("part_size", "5 MiB")
    }

    fn with(name: &str, value: impl Into<Value>) -> Self {
        Self::at(S3Server::s3s(), name, value)
    }

    pub(crate) fn at(server: S3Server, name: &str, value: impl Into<Value>) -> Self {
        let proxy = S3Proxy::to(server.port());
        let console = Console::builder().start();
        let api = console.api();
        add(&api, &with(settings(proxy.port()), name, value));
        Self { server, proxy, console, api }
    }

    pub(crate) fn large(&self) -> &'static str {
        large(&self.console, &self.api, LARGE)
    }

    pub(crate) fn is_stored(&self, backup: &Value) -> bool {
        is_stored(&self.console, &self.server, backup)
    }

    /// The file where the service keeps an object with this path in its URL.
    pub(crate) fn object(&self) -> impl Fn(&Request) -> PathBuf + Send + 'static {
        let bucket = self.server.object("");
        move |request| bucket.join(request.path().trim_start_matches("/backups/"))
    }
}

pub(crate) fn error(status: u16, code: &str) -> Answer {
    let body = format!("<Error><Code>{code}</Code><Message>Said by a test.</Message></Error>");
    Answer::new(status).header("content-type", "application/xml").body(body)
}

pub(crate) fn is_file(request: &Request) -> bool {
    request.method == "PUT" && !is_sidecar(request.path())
}

pub(crate) fn is_sidecar(path: &str) -> bool {
    path.rsplit('.').next() == Some("json")
}

pub(crate) fn is_part(request: &Request, number: &str) -> bool {
    request.query("partNumber") == Some(number)
}

pub(crate) fn completes(request: &Request) -> bool {
    request.method == "POST" && request.query("uploadId").is_some()
}

/// Does these things to the requests that are meant, in turn, and nothing to others.
pub(crate) fn script(
    mut faults: Vec<Fault>,
    meant: impl Fn(&Request) -> bool + Send + 'static,
) -> impl FnMut(&Request) -> Fault + Send + 'static {
    faults.reverse();
    move |request| if meant(request) { faults.pop().unwrap_or(Fault::None) } else { Fault::None }
}

#[test]
fn a_part_that_fails_is_sent_again_and_no_other() {
    let stage = Stage::new();
    let faults = vec![Fault::Answer(error(500, "InternalError")), Fault::Reset, Fault::Lost];
    stage.proxy.faults(script(faults, |it| is_part(it, "2")));
    let backup = deliver(&stage.api, stage.large(), "completed");
    assert!(stage.is_stored(&backup));
    assert_eq!(backup["deliveries"][0]["attempts"], 1);
    let seen = stage.proxy.take_seen();
    let sent = |number: &str| seen.iter().filter(|it| is_part(it, number)).count();
    assert_eq!((sent("1"), sent("2"), sent("3")), (1, 4, 1));
    assert_eq!(stage.server.loose_parts(), 0);
}

#[test]
fn an_upload_whose_part_keeps_failing_is_forgotten_and_begun_anew_later() {
    let stage = Stage::new();
    let broken = Fault::Answer(error(500, "InternalError"));
    stage.proxy.faults(move |it| if is_part(it, "2") { broken.clone() } else { Fault::None });
    let backup = deliver(&stage.api, stage.large(), "retrying");
    let told = backup["deliveries"][0]["error"].as_str().expect("an error");
    assert_eq!(told, "part 2: InternalError (HTTP 500): Said by a test.");
    let seen = stage.proxy.take_seen();
    assert_eq!(seen.iter().filter(|it| is_part(it, "2")).count(), 4);
    assert_eq!(seen.iter().filter(|it| it.method == "DELETE").count(), 1, "it was ended");
    assert_eq!(stage.server.loose_parts(), 0);
    // The sidecar alone makes no backup.
    assert!(stage.server.keys().iter().all(|key| is_sidecar(key)));
    let log = detail(&stage.api, &backup)["history"][0]["log"].to_string();
    assert!(log.contains("trying again in 500 ms") && log.contains("trying again in 2000 ms"));

    stage.proxy.faults(|_| Fault::None);
    let backup = retry(&stage.api, &backup, "completed");
    assert!(stage.is_stored(&backup));
    assert_eq!(stage.server.keys().len(), 2);
}

#[test]
fn an_error_under_the_status_200_is_an_error() {
    let stage = Stage::new();
    let refusal = || Fault::Answer(error(200, "InternalError"));
    stage.proxy.faults(script(vec![refusal(), refusal()], completes));
    let database = stage.large();
    let backup = deliver(&stage.api, database, "completed");
    assert!(stage.is_stored(&backup));
    assert_eq!(stage.proxy.take_seen().iter().filter(|it| completes(it)).count(), 3);

    stage.proxy.faults(move |it| if completes(it) { refusal() } else { Fault::None });
    let backup = deliver(&stage.api, database, "retrying");
    let told = backup["deliveries"][0]["error"].as_str().expect("an error");
    assert!(told.starts_with("putting the parts together: InternalError (HTTP 200)"), "{told}");
    assert!(backup["deliveries"][0]["location"].is_null(), "nothing is called stored");
    assert_eq!((stage.server.loose_parts(), stage.server.keys().len()), (0, 3));
}

#[test]
fn a_lost_answer_leaves_one_object_whose_upload_is_not_doubled() {
    let stage = Stage::new();
    stage.proxy.faults(script(vec![Fault::Lost], is_file));
    let small = deliver(&stage.api, SMALL, "completed");
    assert!(stage.is_stored(&small));
    let put = stage.proxy.take_seen().into_iter().filter(is_file).collect::<Vec<_>>();
    assert_eq!(put.len(), 2);
    assert!(put.iter().all(|it| it.header("if-none-match") == Some("*")));

    for fault in [Fault::Lost, Fault::Truncated] {
        stage.proxy.faults(script(vec![fault], completes));
        let backup = deliver(&stage.api, stage_database(&stage), "completed");
        assert!(stage.is_stored(&backup));
        assert_eq!(
            (&backup["deliveries"][0]["attempts"], stage.server.loose_parts()),
            (&1.into(), 0)
        );
    }
    stage.proxy.faults(script(vec![Fault::Truncated], |it| {
        it.query("uploads").is_some() && it.method == "POST"
    }));
    let backup = deliver(&stage.api, stage_database(&stage), "completed");
    assert!(stage.is_stored(&backup));
}

/// The large database, made when it is first asked for.
fn stage_database(stage: &Stage) -> &'static str {
    if stage.console.folder().join("large.db").exists() { "large" } else { stage.large() }
}

#[test]
fn bytes_that_were_changed_on_their_way_are_not_called_stored() {
    let stage = Stage::new();
    // The service refuses what does not fit its checksum, and keeps it all the
    // same, which others do not: taken away before the next attempt.
    let object = stage.object();
    let mut first = true;
    stage.proxy.faults(move |request| {
        if !is_file(request) {
            return Fault::None;
        }
        if std::mem::take(&mut first) {
            return Fault::Flip;
        }
        let _ = fs::remove_file(object(request));
        Fault::None
    });
    let backup = deliver(&stage.api, SMALL, "completed");
    assert!(stage.is_stored(&backup));
    let log = detail(&stage.api, &backup)["history"][0]["log"].to_string();
    assert!(log.contains("BadDigest"), "{log}");

    // It does not look at the checksums of parts; what it says it has is told by their ETags.
    let database = stage.large();
    stage.proxy.faults(script(vec![Fault::Flip], |it| is_part(it, "2")));
    let backup = deliver(&stage.api, database, "completed");
    assert!(stage.is_stored(&backup));
    let log = detail(&stage.api, &backup)["history"][0]["log"].to_string();
    assert!(log.contains("keeps other bytes than were sent"), "{log}");
    stage.proxy.faults(|it| if is_part(it, "2") { Fault::Flip } else { Fault::None });
    let backup = deliver(&stage.api, database, "retrying");
    let told = backup["deliveries"][0]["error"].as_str().expect("an error");
    assert_eq!(told, "part 2: the service keeps other bytes than were sent");
    assert_eq!(stage.server.loose_parts(), 0);
    assert!(backup["deliveries"][0]["location"].is_null());
}

#[test]
fn without_checksums_changed_bytes_are_found_taken_away_and_sent_again() {
    let stage = Stage::with("checksums", false);
    stage.proxy.faults(script(vec![Fault::Flip, Fault::Flip], is_file));
    let backup = deliver(&stage.api, SMALL, "completed");
    assert!(stage.is_stored(&backup));
    assert_eq!(stage.server.keys().len(), 2);
    stage.proxy.faults(|it| if is_file(it) { Fault::Flip } else { Fault::None });
    let backup = deliver(&stage.api, SMALL, "retrying");
    assert!(backup["deliveries"][0]["location"].is_null());
    let name = backup["filename"].as_str().expect("a name");
    assert!(!stage.server.keys().iter().any(|key| key.ends_with(name)), "nothing wrong is left");
}

#[test]
fn a_file_that_was_damaged_here_is_not_called_stored() {
    let stage = Stage::new();
    for database in [SMALL, stage.large()] {
        let busy = error(503, "SlowDown").header("retry-after", "60");
        stage.proxy.faults(move |_| Fault::Answer(busy.clone()));
        let backup = deliver(&stage.api, database, "retrying");
        let own = own_file(&stage.console, &backup);
        let mut bytes = fs::read(&own).expect("the file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&own, bytes).expect("written");
        stage.proxy.faults(|_| Fault::None);
        let backup = retry(&stage.api, &backup, "failed");
        let told = backup["deliveries"][0]["error"].as_str().expect("an error");
        assert!(told.starts_with("the backup's file is damaged: "), "{told}");
        let name = backup["filename"].as_str().expect("a name");
        assert!(!stage.server.keys().iter().any(|key| key.ends_with(name)));
        assert_eq!(stage.server.loose_parts(), 0);
    }
}

#[test]
fn another_file_with_the_same_path_is_never_replaced() {
    let stage = Stage::new();
    let mine = "somebody else's";
    // It comes after the plugin has looked, and before it has stored.
    let object = stage.object();
    let meant = |it: &Request| is_file(it) && it.query("partNumber").is_none() || completes(it);
    stage.proxy.faults(move |request| {
        if meant(request) {
            fs::write(object(request), mine).expect("written");
        }
        Fault::None
    });
    for database in [SMALL, stage.large()] {
        let backup = deliver(&stage.api, database, "failed");
        let told = backup["deliveries"][0]["error"].as_str().expect("an error");
        assert!(
            told.contains("another file is at backups/")
                && told.ends_with("nothing is overwritten"),
            "{told}"
        );
        let name = backup["filename"].as_str().expect("a name");
        let key = stage.server.keys().into_iter().find(|key| key.ends_with(name));
        let kept = fs::read_to_string(stage.server.object(&key.expect("it is there")));
        assert_eq!(kept.expect("text"), mine);
        assert_eq!(stage.server.loose_parts(), 0);
        // Found at once, it is refused at once.
        retry(&stage.api, &backup, "failed");
    }
}

#[test]
fn a_file_that_is_there_already_is_found_however_late_that_is_noticed() {
    // In one request, of which the refusal comes before it has been read.
    let stage = Stage::with("part_size", "64 MiB");
    let mut puts = 0;
    stage.proxy.faults(move |it| {
        puts += usize::from(is_file(it));
        match puts {
            1 if is_file(it) => Fault::Lost,
            _ if is_file(it) => Fault::Answer(error(503, "SlowDown")),
            _ => Fault::None,
        }
    });
    let backup = deliver(&stage.api, stage.large(), "retrying");
    let mut looks = 0;
    stage.proxy.faults(move |it| {
        looks += usize::from(it.method == "HEAD");
        match looks {
            // It is not seen by the first look, as in a store that is slow to agree.
            1 if it.method == "HEAD" => Fault::Answer(Answer::new(404)),
            _ if is_file(it) => Fault::Answer(error(412, "PreconditionFailed")),
            _ => Fault::None,
        }
    });
    let backup = retry(&stage.api, &backup, "completed");
    assert!(stage.is_stored(&backup));
    assert_eq!(stage.server.keys().len(), 2);

    // Seen at the first look, nothing is sent.
    stage.proxy.faults(script(vec![Fault::Lost], is_file));
    let once = stage.api.back_up(SMALL);
    let done = until(&stage.api, &path(&once), "completed");
    assert!(stage.is_stored(&done));
}

#[test]
fn a_slow_service_is_waited_for_and_one_that_asks_for_time_gets_it() {
    let stage = Stage::new();
    stage.proxy.faults(script(vec![Fault::Slow(Duration::from_secs(3))], is_file));
    let start = Instant::now();
    let backup = deliver(&stage.api, SMALL, "completed");
    assert!(start.elapsed() > Duration::from_secs(3));
    assert_eq!(backup["deliveries"][0]["attempts"], 1);

    let busy = error(503, "SlowDown").header("retry-after", "600");
    stage
        .proxy
        .faults(move |it| if is_file(it) { Fault::Answer(busy.clone()) } else { Fault::None });
    stage.proxy.take_seen();
    let backup = deliver(&stage.api, SMALL, "retrying");
    let next = backup["deliveries"][0]["next_attempt_at"].as_str().expect("a time");
    let next: chrono::DateTime<chrono::Utc> = next.parse().expect("a time");
    let wait = (next - chrono::Utc::now()).num_seconds();
    assert!((540..=600).contains(&wait), "{wait} s");
    assert_eq!(stage.proxy.take_seen().iter().filter(|it| is_file(it)).count(), 1);
}
