//! What a bundled plugin lists of a real object store.

use std::{
    collections::BTreeSet,
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{built, call, grant, loaded};

/// A service with a bucket; it ends with this value.
struct Service(Child, u16);

impl Service {
    fn start(folder: &Path) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut command = Command::new("s3s-fs");
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--access-key", "K", "--secret-key", "S"]).arg(folder);
        command.env("RUST_LOG", "error").stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().expect("`cargo xtask setup` installs it");
        let service = Self(child, port);
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "it does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_listing_of_many_backups_comes_in_pages_without_sidecars_and_strangers() {
    const BACKUPS: usize = 1_200;
    let folder = tempfile::tempdir().expect("a folder");
    let month = folder.path().join("bucket/backups/shop/2026/01");
    fs::create_dir_all(&month).expect("made");
    fs::write(folder.path().join("bucket/elsewhere.sql.gz"), "not ours").expect("written");
    for number in 0..BACKUPS {
        let name = format!("backup_shop_{number:05}.sql.gz");
        fs::write(month.join(&name), "abc").expect("written");
        fs::write(month.join(format!("{name}.json")), "{}").expect("written");
    }
    // What somebody else has put there hides nothing.
    for odd in ["two\nlines", "turned \u{202e}around", "\u{feff}marked"] {
        fs::write(month.join(odd), "abc").expect("written");
    }
    let service = Service::start(folder.path());
    let plugin = loaded(built("s3")).await;
    let (mut cursor, mut pages, mut found) = (None, 0, BTreeSet::new());
    let mut lines = Vec::new();
    loop {
        let (mut call, ear) = call(json!({
            "endpoint": format!("http://127.0.0.1:{}", service.1), "bucket": "bucket",
            "access_key_id": "K", "secret_access_key": "S",
        }));
        call.grants.hosts.push(grant("127.0.0.1", service.1, true));
        let page = plugin.list(call, cursor).await.result.expect("a page");
        pages += 1;
        lines.extend(ear.lines());
        for entry in page.entries {
            assert_eq!(entry.location, format!("backups/shop/2026/01/{}", entry.filename));
            assert!(entry.size == 3 && entry.stored_at.is_some(), "{entry:?}");
            assert!(found.insert(entry.filename), "none comes twice");
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!((pages, found.len()), (3, BACKUPS));
    let told = lines.join(" ");
    assert!(told.contains("left out") && told.contains(r"two\nlines"), "{told}");
}
