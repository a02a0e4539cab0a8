//! Checksums that are computed before they are asked for. Whoever sends a file
//! in parts asks for each part's checksum before sending it; while one part is
//! on its way, the next one is hashed.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{Artifact, bindings::imported::artifact::Algorithm, digest::Summing};

/// So many at a time: a part may need one of each of two kinds.
const MOST: usize = 2;

/// What is being computed, the latest last; each with another algorithm.
#[derive(Default)]
pub(crate) struct Ahead(Mutex<Vec<Guess>>);

/// A range whose checksum is probably asked for next.
struct Guess {
    algorithm: Algorithm,
    offset: u64,
    end: u64,
    sum: Summing,
}

impl Ahead {
    fn guesses(&self) -> std::sync::MutexGuard<'_, Vec<Guess>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The checksum of a range, begun now or earlier; and how many bytes were
    /// hashed for nothing, because this is not the range that was expected.
    pub(crate) fn sum(
        &self,
        algorithm: Algorithm,
        file: &Arc<dyn Artifact>,
        offset: u64,
        end: u64,
    ) -> (Summing, u64) {
        let mut guesses = self.guesses();
        let place = guesses.iter().position(|guess| guess.algorithm == algorithm);
        let wasted = match place.map(|place| guesses.remove(place)) {
            Some(guess) if (guess.offset, guess.end) == (offset, end) => return (guess.sum, 0),
            Some(guess) => guess.end - guess.offset,
            None => 0,
        };
        (Summing::begin(algorithm, Arc::clone(file), offset, end), wasted)
    }

    /// Begins with the range that follows one, as long as that or as what is left.
    pub(crate) fn follow(
        &self,
        algorithm: Algorithm,
        file: &Arc<dyn Artifact>,
        offset: u64,
        end: u64,
    ) {
        let next = end.saturating_add(end - offset).min(file.size());
        if next <= end {
            return;
        }
        let mut guesses = self.guesses();
        guesses.retain(|guess| guess.algorithm != algorithm);
        if guesses.len() == MOST {
            guesses.remove(0);
        }
        let sum = Summing::begin(algorithm, Arc::clone(file), end, next);
        guesses.push(Guess { algorithm, offset: end, end: next, sum });
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::atomic::{AtomicU64, Ordering::Relaxed},
        time::{Duration, Instant},
    };

    use proptest::prelude::*;

    use super::*;
    use crate::{Limits, meter::Meter};

    /// Bytes that differ from place to place, and how many were read.
    struct Counted {
        bytes: Vec<u8>,
        read: AtomicU64,
    }

    impl Artifact for Counted {
        fn size(&self) -> u64 {
            self.bytes.len() as u64
        }
        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
            let rest = &self.bytes[usize::try_from(offset).expect("fits")..];
            let count = rest.len().min(into.len());
            into[..count].copy_from_slice(&rest[..count]);
            self.read.fetch_add(count as u64, Relaxed);
            Ok(count)
        }
    }

    fn file(size: usize) -> Arc<Counted> {
        let bytes = (0..size).map(|at| u8::try_from(at % 251).expect("fits")).collect();
        Arc::new(Counted { bytes, read: AtomicU64::new(0) })
    }

    fn meter() -> Arc<Meter> {
        Arc::new(Meter::new(Limits::default()))
    }

    /// Asks as a call does.
    async fn ask(
        ahead: &Ahead,
        file: &Arc<dyn Artifact>,
        algorithm: Algorithm,
        offset: u64,
        end: u64,
    ) -> Vec<u8> {
        let (sum, _) = ahead.sum(algorithm, file, offset, end);
        let sum = sum.finish(meter()).await.expect("it can be read");
        ahead.follow(algorithm, file, offset, end);
        sum
    }

    #[tokio::test]
    async fn a_file_in_parts_is_hashed_once_for_each_kind() {
        let counted = file(10_500);
        let file: Arc<dyn Artifact> = Arc::<Counted>::clone(&counted);
        let ahead = Ahead::default();
        for start in (0..10_500).step_by(1_000) {
            let end = (start + 1_000).min(10_500);
            for algorithm in [Algorithm::Sha256, Algorithm::Md5] {
                ask(&ahead, &file, algorithm, start, end).await;
            }
        }
        assert_eq!(counted.read.load(Relaxed), 2 * 10_500);
        assert!(ahead.guesses().is_empty(), "nothing follows the end");
    }

    #[tokio::test]
    async fn the_part_that_follows_is_hashed_before_anybody_asks() {
        let counted = file(3_000);
        let file: Arc<dyn Artifact> = Arc::<Counted>::clone(&counted);
        let ahead = Ahead::default();
        ask(&ahead, &file, Algorithm::Sha256, 0, 1_000).await;
        let start = Instant::now();
        while counted.read.load(Relaxed) < 2_000 {
            assert!(start.elapsed() < Duration::from_secs(20), "nobody hashes it");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // And no further than that.
        let (sum, wasted) = ahead.sum(Algorithm::Sha256, &file, 1_000, 2_000);
        sum.finish(meter()).await.expect("it can be read");
        assert_eq!((counted.read.load(Relaxed), wasted), (2_000, 0));
    }

    #[tokio::test]
    async fn what_was_hashed_for_nothing_is_told_and_no_more_than_two_run() {
        let file: Arc<dyn Artifact> = file(10_000);
        let ahead = Ahead::default();
        ask(&ahead, &file, Algorithm::Sha256, 0, 3_000).await;
        let (_, wasted) = ahead.sum(Algorithm::Sha256, &file, 7_000, 8_000);
        assert_eq!(wasted, 3_000);
        for algorithm in [Algorithm::Sha256, Algorithm::Sha1, Algorithm::Md5, Algorithm::Crc32] {
            ask(&ahead, &file, algorithm, 0, 1_000).await;
        }
        assert_eq!(ahead.guesses().len(), MOST);
    }

    /// A file of zeroes that has no end in sight.
    struct Endless(AtomicU64);

    impl Artifact for Endless {
        fn size(&self) -> u64 {
            1 << 60
        }
        fn read_at(&self, _: u64, into: &mut [u8]) -> io::Result<usize> {
            self.0.fetch_add(1, Relaxed);
            Ok(into.len())
        }
    }

    #[tokio::test]
    async fn the_work_ends_with_the_call() {
        let endless = Arc::new(Endless(AtomicU64::new(0)));
        let file: Arc<dyn Artifact> = Arc::<Endless>::clone(&endless);
        let ahead = Ahead::default();
        ahead.follow(Algorithm::Crc32, &file, 0, 1 << 59);
        let start = Instant::now();
        while endless.0.load(Relaxed) == 0 && start.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop((ahead, file));
        // Only the thread that hashes holds it now.
        while Arc::strong_count(&endless) > 1 {
            assert!(start.elapsed() < Duration::from_secs(20), "it goes on");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_the_answer_is_that_of_the_range(
            asked in proptest::collection::vec((any::<bool>(), 0_u64..100, 0_u64..60), 0..30),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("one");
            runtime.block_on(async {
                let file: Arc<dyn Artifact> = file(100);
                let ahead = Ahead::default();
                for (sha, offset, length) in asked {
                    let algorithm = if sha { Algorithm::Sha256 } else { Algorithm::Md5 };
                    let end = (offset + length).min(100);
                    let direct = Summing::begin(algorithm, Arc::clone(&file), offset, end);
                    let direct = direct.finish(meter()).await.expect("it can be read");
                    assert_eq!(ask(&ahead, &file, algorithm, offset, end).await, direct);
                }
            });
        }
    }
}
