//! Files on their way out and back in.

use std::{sync::Arc, time::Duration};

use cofferdam_runtime::{Artifact, Breach, CallError, Failure, LimitBroken, Receipt};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    server,
    support::{Content, Ear, backup, call, doing, grant, plugin},
};

const MIB: usize = 1 << 20;

async fn store(deed: &str, size: usize) -> Result<Receipt, CallError> {
    let (call, _) = doing(deed);
    let file = Content::new(size);
    plugin().await.store(call, backup(size as u64), file).await.result
}

async fn put(
    deed: &str,
    url: String,
    port: u16,
    size: usize,
) -> (Result<Receipt, CallError>, Arc<Ear>) {
    let (mut call, ear) = call(json!({ "do": deed, "url": url }));
    call.grants.hosts.push(grant("127.0.0.1", port, true));
    let outcome = plugin().await.store(call, backup(size as u64), Content::new(size)).await;
    (outcome.result, ear)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_64_mib_arrives_whole_with_little_memory() {
    let server = server::good().await;
    let size = 64 * MIB;
    let (mut call, ear) = call(json!({ "do": "put", "url": server.url("/size") }));
    call.grants.hosts.push(grant("127.0.0.1", server.address.port(), true));
    call.limits.cpu = Duration::from_secs(1);
    let file = Content::new(size);
    let sum = hex::encode(Sha256::digest(&file.0));
    let outcome = plugin().await.store(call, backup(size as u64), file).await;
    let receipt = outcome.result.expect("it is stored");
    assert_eq!(receipt.note, Some(format!("200 {size} {sum}")));
    assert_eq!(receipt.location, "backup_shop_20260131_020000.sql.gz");
    assert_eq!(outcome.usage.file_bytes, size as u64);
    // The request's head comes to it.
    let head = outcome.usage.sent - size as u64;
    assert!((40..200).contains(&head), "{head}");
    assert!(outcome.usage.memory_bytes < 4 << 20, "{}", outcome.usage.memory_bytes);
    assert_eq!(*ear.bytes.lock().unwrap(), size as u64);
}

#[tokio::test]
async fn success_without_having_read_the_whole_file_does_not_count() {
    let size = 3 * MIB + 7;
    let unread = |read| Err(CallError::Contract(Breach::Unread { read, size: size as u64 }));
    assert_eq!(store("nothing", size).await, unread(0));
    assert_eq!(store("half", size).await, unread(size as u64 / 2));
    assert!(store("two-parts", size).await.is_ok());
    assert_eq!(store("read", size).await.expect("read").note, Some(size.to_string()));
    assert!(store("nothing", 0).await.is_ok());
}

#[tokio::test]
async fn success_with_another_number_of_bytes_or_a_strange_location_does_not_count() {
    let breach = Breach::Stored { stored: 99, size: 100 };
    assert_eq!(store("fewer", 100).await, Err(CallError::Contract(breach)));
    let result = store("location", 100).await;
    assert!(matches!(result, Err(CallError::Contract(Breach::Answer(_)))), "{result:?}");
}

#[tokio::test]
async fn a_file_found_in_its_place_and_compared_with_a_checksum_counts() {
    let sum = hex::encode(Sha256::digest(&Content::new(5 * MIB).0));
    assert_eq!(store("compare", 5 * MIB).await.expect("compared").note, Some(sum));
}

#[tokio::test]
async fn the_checksums_of_parts_are_theirs_though_they_are_made_before_they_are_asked_for() {
    let size = 5 * MIB + 7;
    let file = Content::new(size);
    let first = |sum: &[u8]| hex::encode(&sum[..4]);
    let wanted: String = (file.0.chunks(MIB))
        .flat_map(|part| [first(&Sha256::digest(part)), first(&md5::Md5::digest(part))])
        .collect();
    assert_eq!(store("parts", size).await.expect("it is read").note, Some(wanted));
}

#[tokio::test]
async fn reading_or_hashing_the_file_without_end_is_stopped() {
    for deed in ["again-and-again", "hash-and-hash"] {
        let result = store(deed, MIB).await;
        assert!(matches!(result, Err(CallError::Limit(LimitBroken::Rereads(_)))), "{result:?}");
    }
}

#[tokio::test]
async fn reading_every_other_byte_is_stopped() {
    let result = store("holes", 30_000).await;
    assert_eq!(result, Err(CallError::Limit(LimitBroken::Pieces(10_000))));
}

#[tokio::test]
async fn hashing_byte_by_byte_gives_no_time() {
    let (mut call, _) = doing("hash-a-byte");
    call.limits.cpu = Duration::from_millis(300);
    let result = plugin().await.store(call, backup(100), Content::new(100)).await.result;
    assert!(matches!(result, Err(CallError::Limit(LimitBroken::Cpu(_)))), "{result:?}");
}

#[tokio::test]
async fn a_part_beyond_the_end_is_refused() {
    let result = store("beyond", 10).await;
    assert!(matches!(result, Err(CallError::Failure(Failure::Permanent(_)))), "{result:?}");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_the_consoles_failure_and_temporary() {
    struct Broken;
    impl Artifact for Broken {
        fn size(&self) -> u64 {
            100
        }
        fn read_at(&self, _offset: u64, _into: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is on fire"))
        }
    }
    let (call, _) = doing("read");
    let error =
        plugin().await.store(call, backup(100), Arc::new(Broken)).await.result.expect_err("unread");
    // The component went on and reported success, which the count refutes; the
    // reason that is told is the true one.
    assert_eq!(
        error,
        CallError::Host("the backup's file cannot be read: the disk is on fire".to_owned())
    );
    assert!(error.is_temporary());
}

#[tokio::test]
async fn a_file_that_has_changed_since_it_was_made_is_not_delivered() {
    struct Changed(Arc<Content>);
    impl Artifact for Changed {
        fn size(&self) -> u64 {
            self.0.size()
        }
        fn read_at(&self, offset: u64, into: &mut [u8]) -> std::io::Result<usize> {
            self.0.read_at(offset, into)
        }
        fn sha256(&self) -> Option<[u8; 32]> {
            Some([7; 32])
        }
    }
    // Whether it is read or only compared, and whatever the component makes of it.
    for deed in ["read", "compare"] {
        let file = Arc::new(Changed(Content::new(3 * MIB)));
        let (call, _) = doing(deed);
        let result = plugin().await.store(call, backup(file.size()), file).await.result;
        let error = result.expect_err("it has changed");
        assert_eq!(error, CallError::Damaged, "{deed}");
        assert!(!error.is_temporary());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_before_the_upload_has_ended_is_not_lost() {
    const REFUSED: &str = "HTTP/1.1 403 Forbidden\r\ncontent-length: 14\r\n\r\nno such bucket";
    for hold in [false, true] {
        let (server, _got) = server::rude(REFUSED, 100_000, hold).await;
        let (result, _) = put("put", server.url("/"), server.address.port(), 32 * MIB).await;
        let expected = Failure::Permanent("403 no such bucket".to_owned());
        assert_eq!(result, Err(CallError::Failure(expected)), "held: {hold}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_ends_with_a_crash_never_looks_whole() {
    for deed in ["put-trap", "put-chunked-trap"] {
        let (server, mut got) = server::rude("", usize::MAX, false).await;
        let (result, _) = put(deed, server.url("/"), server.address.port(), 8 * MIB).await;
        assert!(matches!(result, Err(CallError::Trap { .. })), "{result:?}");
        let seen = got.recv().await.expect("the connection has ended");
        assert!(seen.len() > 100_000, "{deed}: {}", seen.len());
        assert!(!seen.ends_with(b"0\r\n\r\n"), "{deed}: a cut body must not end like a whole one");
    }
}

async fn open(deed: &str, offset: u64, length: Option<u64>) -> (Result<u64, CallError>, u64) {
    let (call, _) = doing(deed);
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<bytes::Bytes>(2);
    let count = tokio::spawn(async move {
        let mut sum = 0;
        while let Some(bytes) = receiver.recv().await {
            sum += bytes.len() as u64;
        }
        sum
    });
    let plugin = plugin().await;
    let outcome = plugin.open(call, "here".to_owned(), offset, length, sender).await;
    let result = outcome.result.map(|fetched| {
        assert_eq!(fetched.total, Some(3_000_000));
        fetched.bytes
    });
    (result, count.await.expect("it counts"))
}

#[tokio::test]
async fn a_fetched_file_reaches_the_sink_whole_or_in_part() {
    assert_eq!(open("whole", 0, None).await, (Ok(3_000_000), 3_000_000));
    assert_eq!(open("whole", 10, Some(5_000)).await, (Ok(5_000), 5_000));
    assert_eq!(open("whole", 2_999_000, Some(5_000)).await, (Ok(1_000), 1_000));
}

#[tokio::test]
async fn fetching_less_or_more_than_asked_for_does_not_count() {
    let (result, _) = open("short", 0, Some(5_000)).await;
    let breach = Breach::Fetched { written: 4_999, wanted: 5_000 };
    assert_eq!(result, Err(CallError::Contract(breach)));
    let (result, received) = open("long", 0, Some(5_000)).await;
    assert!(result.is_err() && received <= 5_000, "{result:?}");
}

#[tokio::test]
async fn nobody_listening_to_a_fetch_ends_it() {
    let (call, _) = doing("whole");
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    drop(receiver);
    let plugin = plugin().await;
    let result = plugin.open(call, "here".to_owned(), 0, None, sender).await.result;
    assert!(matches!(result, Err(CallError::Failure(Failure::Permanent(_)))), "{result:?}");
}
