//! The file of a finished backup: whole, in parts, and when it is not what it was.

use std::{fs, path::PathBuf};

use cofferdam_tests::{Api, Console, Person, Reply};
use serde_json::Value;

struct Shelf {
    console: Console,
    api: Api,
    backup: Value,
    url: String,
    file: Vec<u8>,
}

impl Shelf {
    fn with_one_backup() -> Self {
        let console = Console::builder().start();
        let api = console.api();
        let backup = api.back_up("cofferdam");
        assert_eq!(backup["status"], "completed", "{backup}");
        let url = backup["download_url"].as_str().expect("an address").to_owned();
        let file = api.get(&url).expect(200).body;
        Self { console, api, backup, url, file }
    }

    fn name(&self) -> &str {
        self.backup["filename"].as_str().expect("a name")
    }

    fn path(&self) -> PathBuf {
        self.console.data().join("backups").join(self.name())
    }

    fn etag(&self) -> String {
        format!("\"{}\"", self.backup["sha256"].as_str().expect("a hash"))
    }

    fn ask(&self, headers: &[(&str, &str)]) -> Reply {
        self.api.send("GET", &self.url, headers, None)
    }

    fn record(&self) -> Value {
        self.api
            .get(&format!("/api/v1/backups/{}", self.backup["id"].as_str().expect("an id")))
            .expect(200)
            .json()
    }
}

#[test]
fn a_whole_file_comes_with_its_length_its_name_and_its_hash() {
    let shelf = Shelf::with_one_backup();
    assert_eq!(shelf.file, fs::read(shelf.path()).expect("the file"));
    let reply = shelf.ask(&[]).expect(200);
    let (length, name) = (shelf.file.len().to_string(), shelf.name());
    for (header, expected) in [
        ("content-type", "application/gzip"),
        ("content-length", length.as_str()),
        ("accept-ranges", "bytes"),
        ("etag", &shelf.etag()),
        ("content-disposition", &format!("attachment; filename=\"{name}\"")),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(reply.header(header), Some(expected), "{header}");
    }
    assert_eq!(reply.header("transfer-encoding"), None);
    assert_eq!(reply.header("content-encoding"), None, "gzip is the file's own");

    let head = shelf.api.send("HEAD", &shelf.url, &[], None).expect(200);
    assert!(head.body.is_empty());
    for name in ["content-length", "content-type", "etag", "content-disposition", "accept-ranges"] {
        assert_eq!(head.header(name), reply.header(name), "HEAD: {name}");
    }
    let page = Person::administrator(&shelf.console);
    let path = format!("/backups/{}/download", shelf.backup["id"].as_str().expect("an id"));
    assert_eq!(page.get(&path).expect(200).body, shelf.file);
    assert!(page.send("HEAD", &path, &[], None).expect(200).body.is_empty());
    let entries = shelf.console.catalog(
        "SELECT count(*) FROM audit WHERE action = 'backup.download' AND actor = 'admin' AND outcome = 'allowed';",
    );
    assert!(entries.parse::<u32>().is_ok_and(|count| count >= 3), "{entries} downloads are noted");
}

#[test]
fn one_range_gives_exactly_its_bytes() {
    let shelf = Shelf::with_one_backup();
    let size = shelf.file.len();
    let (last, half) = (size - 1, size / 2);
    for (range, from, to) in [
        ("bytes=0-0".to_owned(), 0, 0),
        (format!("bytes=10-{half}"), 10, half),
        (format!("bytes={half}-"), half, last),
        ("bytes=-5".to_owned(), size - 5, last),
        (format!("bytes={last}-{last}"), last, last),
        ("bytes=5-99999999999".to_owned(), 5, last),
        (format!("bytes=-{}", size * 2), 0, last),
    ] {
        let reply = shelf.ask(&[("Range", &range)]).expect(206);
        assert_eq!(reply.body, shelf.file[from..=to], "{range}");
        assert_eq!(
            reply.header("content-range"),
            Some(format!("bytes {from}-{to}/{size}").as_str()),
            "{range}"
        );
        assert_eq!(reply.header("content-length"), Some((to - from + 1).to_string().as_str()));
        assert_eq!(reply.header("etag"), Some(shelf.etag().as_str()));
    }
    let part = shelf.api.send("HEAD", &shelf.url, &[("Range", "bytes=0-9")], None);
    assert!([200, 206].contains(&part.status) && part.body.is_empty());
}

#[test]
fn odd_ranges_give_the_whole_file_or_a_clear_no() {
    let shelf = Shelf::with_one_backup();
    for range in [
        "bytes=5-2",
        "bytes=x-y",
        "bytes=",
        "lines=0-1",
        "bytes=0-1,5-6",
        "bytes=-",
        "0-5",
        "bytes=99999999999999999999999-",
    ] {
        let reply = shelf.ask(&[("Range", range)]);
        // Too large a number may also be told to be out of range.
        assert!(
            reply.status == 200 || (reply.status == 416 && range.len() > 20),
            "{range}: {}",
            reply.status
        );
        if reply.status == 200 {
            assert_eq!(reply.body, shelf.file, "{range}");
        }
    }
    for range in [
        format!("bytes={}-", shelf.file.len()),
        "bytes=-0".to_owned(),
        "bytes=999999999-9999999999".to_owned(),
    ] {
        let reply = shelf.ask(&[("Range", &range)]).expect(416);
        let expected = format!("bytes */{}", shelf.file.len());
        assert_eq!(reply.header("content-range"), Some(expected.as_str()), "{range}");
    }
}

#[test]
fn conditions_are_kept() {
    let shelf = Shelf::with_one_backup();
    let etag = shelf.etag();
    for condition in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
        let reply = shelf.ask(&[("If-None-Match", &condition)]).expect(304);
        assert!(
            reply.body.is_empty() && reply.header("etag") == Some(etag.as_str()),
            "{condition}"
        );
    }
    assert_eq!(shelf.ask(&[("If-None-Match", "\"other\"")]).expect(200).body, shelf.file);
    let range = ("Range", "bytes=0-3");
    assert_eq!(shelf.ask(&[range, ("If-Range", &etag)]).expect(206).body, shelf.file[..4]);
    for other in ["\"other\"", "Wed, 21 Oct 2015 07:28:00 GMT", &format!("W/{etag}")] {
        assert_eq!(
            shelf.ask(&[range, ("If-Range", other)]).expect(200).body,
            shelf.file,
            "{other}"
        );
    }
}

#[test]
fn a_file_removed_by_hand_is_missing_and_one_put_back_is_present() {
    let shelf = Shelf::with_one_backup();
    let aside = shelf.console.folder().join("aside");
    fs::rename(shelf.path(), &aside).expect("moved");
    let problem = shelf.ask(&[]).expect(409).json();
    assert!(problem["detail"].as_str().is_some_and(|text| text.contains("missing")), "{problem}");
    let record = shelf.record();
    assert_eq!(
        (&record["file"], &record["status"], &record["download_url"]),
        (&"missing".into(), &"completed".into(), &Value::Null)
    );
    let page = Person::administrator(&shelf.console);
    let path = format!("/backups/{}", shelf.backup["id"].as_str().expect("an id"));
    assert!(page.get(&path).expect(200).text().to_lowercase().contains("missing"));
    page.get(&format!("{path}/download")).expect(409);

    fs::rename(aside, shelf.path()).expect("moved back");
    assert_eq!(shelf.ask(&[]).expect(200).body, shelf.file);
    assert_eq!(shelf.record()["file"], "present");
}

#[test]
fn a_truncated_file_is_corrupt_and_is_not_given_out() {
    let shelf = Shelf::with_one_backup();
    let file = fs::OpenOptions::new().write(true).open(shelf.path()).expect("the file");
    file.set_len(shelf.file.len() as u64 - 1).expect("shorter by one");
    for range in [None, Some("bytes=0-3")] {
        let headers: Vec<_> = range.map(|range| ("Range", range)).into_iter().collect();
        shelf.ask(&headers).expect(409);
    }
    assert_eq!(shelf.record()["file"], "corrupt");
    assert_eq!(shelf.record()["download_url"], Value::Null);
}

#[test]
fn a_link_in_the_folder_leads_nowhere() {
    let shelf = Shelf::with_one_backup();
    let secret = shelf.console.folder().join("secret");
    fs::write(&secret, vec![b'x'; shelf.file.len()]).expect("written");
    fs::remove_file(shelf.path()).expect("removed");
    std::os::unix::fs::symlink(&secret, shelf.path()).expect("linked");
    let reply = shelf.ask(&[]).expect(409);
    assert!(!reply.text().contains("xxxx"));
    assert_eq!(shelf.record()["file"], "missing");
    fs::remove_file(shelf.path()).expect("removed");
    fs::write(shelf.path(), &shelf.file).expect("put back");
    shelf.ask(&[]).expect(200);
    assert_eq!(shelf.record()["file"], "present");
    // Nor is a folder of that name the file.
    fs::remove_file(shelf.path()).expect("removed");
    fs::create_dir(shelf.path()).expect("a folder");
    shelf.ask(&[]).expect(409);
    assert_eq!(shelf.record()["file"], "missing");
}

#[test]
fn parts_are_in_the_audit_log_wherever_they_begin() {
    let mut shelf = Shelf::with_one_backup();
    let told = |shelf: &Shelf| {
        shelf.console.catalog(
            "SELECT json_extract(details, '$.part'), json_extract(details, '$.times') FROM audit \
             WHERE action = 'backup.download' ORDER BY seq;",
        )
    };
    assert_eq!(told(&shelf), "|");
    for from in 1..50 {
        shelf.ask(&[("Range", &format!("bytes={from}-"))]).expect(206);
    }
    assert_eq!(told(&shelf), "|\n1|", "before its first byte leaves");
    shelf.ask(&[("Range", "bytes=1-1"), ("If-Range", "\"other\"")]).expect(200);
    assert_eq!(told(&shelf), "|\n1|\n|", "the whole file each time");
    shelf.ask(&[("Range", "bytes=99999999999-")]).expect(416);
    assert!(shelf.console.terminate().success());
    assert_eq!(told(&shelf), "|\n1|\n|\n1|48", "and how often, at the end");
}

#[test]
fn two_hundred_readers_at_once_each_get_the_whole_file() {
    let shelf = Shelf::with_one_backup();
    std::thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| assert_eq!(shelf.ask(&[]).expect(200).body, shelf.file));
        }
    });
}
