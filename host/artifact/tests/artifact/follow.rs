//! Following a backup while it is written.

use std::{
    io::Read,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use cofferdam_artifact::{
    Meter, copy,
    follow::{FollowError, Follower, Live},
};
use cofferdam_model::BackupId;

use crate::support::{folder, gzip, noise, packed, rows, sidecar};

const NAME: &str = "backup_shop_20260101_000000.sql.gz";

const PATIENCE: Duration = Duration::from_secs(1);

/// Gives bytes in small pieces, with a pause now and then.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.0.len().is_multiple_of(3) {
            thread::sleep(Duration::from_millis(1));
        }
        let most = buffer.len().min(70_001);
        self.0.read(&mut buffer[..most])
    }
}

fn read_all(mut follower: Follower) -> Result<Vec<u8>, FollowError> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 100_003];
    loop {
        match follower.read_timeout(&mut buffer, PATIENCE)? {
            Some(0) => return Ok(all),
            Some(count) => all.extend_from_slice(&buffer[..count]),
            None => {}
        }
    }
}

#[test]
fn followers_that_come_early_late_or_after_all_get_the_same_whole_file() {
    let (_place, folder) = folder();
    let raw = [rows(9 << 20), noise(2 << 20, 3)].concat();
    let id = BackupId::new();
    let mut temp = folder.begin(id).unwrap();
    let meter = Arc::new(Meter::new());
    let live = Live::start(&temp, meter.clone()).unwrap();
    thread::scope(|scope| {
        let followers: Vec<_> = (0..4)
            .map(|place| {
                let live = live.clone();
                scope.spawn(move || {
                    thread::sleep(Duration::from_millis(20 * place));
                    read_all(live.follow())
                })
            })
            .collect();
        let guard = live.guard();
        let copied = copy(Slow(&raw), &mut temp, gzip(), false, &meter).unwrap();
        let published = temp.publish(NAME, |name| sidecar(id, name)).unwrap();
        // The file may even be removed again: a follower has its own handle.
        folder.remove(NAME).unwrap();
        live.published(published.size_bytes);
        drop(guard);
        assert_eq!(copied.size_bytes, published.size_bytes);
        for follower in followers {
            assert!(follower.join().unwrap().unwrap() == packed(&raw));
        }
    });
    assert!(read_all(live.follow()).unwrap() == packed(&raw));
}

#[test]
fn what_is_given_early_always_ends_with_a_whole_member() {
    let (_place, folder) = folder();
    let raw = rows(6 << 20);
    let whole = packed(&raw);
    let mut temp = folder.begin(BackupId::new()).unwrap();
    let meter = Arc::new(Meter::new());
    let live = Live::start(&temp, meter.clone()).unwrap();
    let guard = live.guard();
    thread::scope(|scope| {
        let seen = scope.spawn(|| {
            let mut follower = live.follow();
            let mut buffer = vec![0; 64 << 20];
            let mut ends = Vec::new();
            let mut end = 0;
            while let Ok(given) = follower.read_timeout(&mut buffer, PATIENCE) {
                assert_ne!(given, Some(0), "a run that was never published has no proper end");
                end += given.unwrap_or(0);
                ends.push(end);
            }
            ends
        });
        copy(Slow(&raw), &mut temp, gzip(), false, &meter).unwrap();
        drop((guard, temp));
        for end in seen.join().unwrap() {
            let part = &whole[..end];
            let mut read = Vec::new();
            flate2::read::MultiGzDecoder::new(part).read_to_end(&mut read).unwrap();
        }
    });
}

#[test]
fn a_run_that_fails_cuts_its_followers() {
    let (_place, folder) = folder();
    let temp = folder.begin(BackupId::new()).unwrap();
    let live = Live::start(&temp, Arc::new(Meter::new())).unwrap();
    let guard = live.guard();
    let mut follower = live.follow();
    let waited = Instant::now();
    assert!(matches!(follower.read_timeout(&mut [0], Duration::from_millis(30)), Ok(None)));
    assert!(waited.elapsed() >= Duration::from_millis(30));
    let waiting = thread::spawn(move || read_all(follower));
    thread::sleep(Duration::from_millis(20));
    drop(guard);
    assert!(matches!(waiting.join().unwrap(), Err(FollowError::Cut)));
    live.published(10);
    assert!(matches!(read_all(live.follow()), Err(FollowError::Cut)), "an end is final");
}
