//! The file of the backup that is delivered, and what of it was read.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynInputStream;

use crate::{
    CallError, Denied, LimitBroken, Observer,
    ahead::Ahead,
    bindings::imported::{
        artifact::{Algorithm, Host},
        types::{Failure, TemporaryFailure},
    },
    blocks::Blocks,
    meter::Meter,
    proof::{self, Proof},
    state::State,
};

/// A file that does not change while it is read. Called from threads that may
/// block.
pub trait Artifact: Send + Sync {
    /// Its size in bytes.
    fn size(&self) -> u64;
    /// Reads at most as many bytes as fit, from the offset on. 0: the end.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
    /// The SHA-256 that it had when it was made. With it, a file that has
    /// changed since is not delivered: see [`CallError::Damaged`](crate::CallError::Damaged).
    fn sha256(&self) -> Option<[u8; 32]> {
        None
    }
}

/// The most that a stream gives at once.
pub(crate) const BLOCK: usize = 1 << 20;
/// How many times its size a component may read or hash of the file, retries
/// of single parts included, before it is taken for one that never ends.
pub(crate) const REREADS: u64 = 16;
/// Pieces of the file that may have been read without what lies between them:
/// no more than an object may have parts.
pub(crate) const PIECES: usize = 10_000;
/// Streams that may be open at once and not read to their end: each holds up to
/// two blocks.
pub(crate) const STREAMS: usize = 32;

/// The artifact of one call, with what has been read of it.
pub(crate) struct Source {
    pub(crate) file: Arc<dyn Artifact>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) proof: Proof,
    ahead: Ahead,
    observer: Arc<dyn Observer>,
    seen: Mutex<Seen>,
    streams: AtomicUsize,
}

#[derive(Default)]
struct Seen {
    /// Beginnings and ends of what streams have given, disjoint and not touching.
    read: BTreeMap<u64, u64>,
    /// Whether any stream was opened.
    opened: bool,
    /// Whether the host has hashed the whole file for the component in one go.
    hashed_whole: bool,
    /// All bytes read or hashed, each as often as it was.
    sum: u64,
}

impl Source {
    pub(crate) fn new(
        file: Arc<dyn Artifact>,
        meter: Arc<Meter>,
        observer: Arc<dyn Observer>,
    ) -> Arc<Self> {
        let (seen, streams) = (Mutex::default(), AtomicUsize::new(0));
        let (proof, ahead) = (Proof::of(&*file), Ahead::default());
        Arc::new(Self { file, meter, proof, ahead, observer, seen, streams })
    }

    /// Notes that the file could not be read, for the console, and gives what
    /// the component is told.
    pub(crate) fn unreadable(&self, error: &io::Error) -> Failure {
        let why = proof::failure(error);
        let text = why.to_string();
        let told = match &why {
            CallError::Damaged => Failure::Permanent(text),
            _ => Failure::Temporary(TemporaryFailure { message: text, retry_after: None }),
        };
        self.meter.host_failed(why);
        told
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One stream more, until the answer is dropped.
    fn stream(self: &Arc<Self>) -> Result<Streaming, LimitBroken> {
        let streaming = Streaming(Arc::clone(self));
        if self.streams.fetch_add(1, Relaxed) < STREAMS {
            return Ok(streaming);
        }
        Err(self.meter.stop(LimitBroken::Streams(STREAMS)))
    }

    /// How many different bytes were read. A file that the component has found
    /// in its place already, and compared with a checksum of the whole, counts
    /// as read.
    pub(crate) fn read(&self) -> u64 {
        let seen = self.seen();
        if seen.hashed_whole && !seen.opened {
            return self.file.size();
        }
        seen.read.iter().map(|(start, end)| end - start).sum()
    }

    /// Bytes are about to be read or hashed.
    pub(crate) fn count(&self, bytes: u64) -> Result<(), LimitBroken> {
        let mut seen = self.seen();
        seen.sum = seen.sum.saturating_add(bytes);
        let limit = self.file.size().saturating_mul(REREADS).saturating_add(BLOCK as u64);
        if seen.sum > limit { Err(self.meter.stop(LimitBroken::Rereads(limit))) } else { Ok(()) }
    }

    /// A stream has given these bytes. Each hole between what was read takes memory.
    pub(crate) fn given(&self, start: u64, bytes: u64) -> Result<(), LimitBroken> {
        let mut seen = self.seen();
        let (mut from, mut to) = (start, start + bytes);
        // Every range that begins before the new one ends and ends after it begins.
        while let Some((&low, &high)) = seen.read.range(..=to).next_back() {
            if high < from {
                break;
            }
            seen.read.remove(&low);
            from = from.min(low);
            to = to.max(high);
        }
        seen.read.insert(from, to);
        let pieces = seen.read.len();
        drop(seen);
        if pieces > PIECES {
            return Err(self.meter.stop(LimitBroken::Pieces(PIECES)));
        }
        self.meter.passed(bytes);
        self.observer.sent(bytes);
        Ok(())
    }
}

/// A stream of the file that is not read to its end.
pub(crate) struct Streaming(Arc<Source>);

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Relaxed);
    }
}

impl State {
    fn source(&self) -> Result<Arc<Source>, Failure> {
        self.source.clone().ok_or_else(|| {
            self.observer.denied(&Denied::Artifact);
            Failure::Denied(Denied::Artifact.to_string())
        })
    }
}

fn range(size: u64, offset: u64, length: Option<u64>) -> Result<u64, Failure> {
    let end = length.map_or(Some(size), |length| offset.checked_add(length));
    match end {
        Some(end) if offset <= end && end <= size => Ok(end),
        _ => Err(Failure::Permanent(format!("the file has {size} bytes, and no such part"))),
    }
}

impl Host for State {
    fn size(&mut self) -> wasmtime::Result<u64> {
        Ok(self.source.as_ref().map_or(0, |source| source.file.size()))
    }

    fn open(
        &mut self,
        offset: u64,
        length: Option<u64>,
    ) -> wasmtime::Result<Result<Resource<DynInputStream>, Failure>> {
        let opened = self.source().and_then(|source| {
            let end = range(source.file.size(), offset, length)?;
            Ok((source, end))
        });
        let (source, end) = match opened {
            Ok(opened) => opened,
            Err(failure) => return Ok(Err(failure)),
        };
        source.seen().opened = true;
        let streaming = source.stream()?;
        let stream: DynInputStream = Box::new(Blocks::open(source, offset, end, Some(streaming)));
        Ok(Ok(self.table.push(stream)?))
    }

    async fn digest(
        &mut self,
        algorithm: Algorithm,
        offset: u64,
        length: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, Failure>> {
        let checked = self.source().and_then(|source| {
            range(source.file.size(), offset, Some(length)).map(|end| (source, end))
        });
        let (source, end) = match checked {
            Ok(checked) => checked,
            Err(failure) => return Ok(Err(failure)),
        };
        let (sum, wasted) = source.ahead.sum(algorithm, &source.file, offset, end);
        source.count(length.saturating_add(wasted))?;
        match sum.finish(Arc::clone(&source.meter)).await {
            Ok(sum) => {
                source.ahead.follow(algorithm, &source.file, offset, end);
                if offset == 0 && end == source.file.size() {
                    source.seen().hashed_whole = true;
                    if algorithm == Algorithm::Sha256
                        && let Err(error) = source.proof.settle(&sum)
                    {
                        return Ok(Err(source.unreadable(&error)));
                    }
                }
                Ok(Ok(sum))
            }
            Err(error) => Ok(Err(source.unreadable(&error))),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Limits, Silent};
    use proptest::prelude::*;

    pub(crate) struct Zeroes(u64);

    impl Artifact for Zeroes {
        fn size(&self) -> u64 {
            self.0
        }
        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
            let left = usize::try_from(self.0.saturating_sub(offset)).expect("fits");
            let count = left.min(into.len());
            into[..count].fill(0);
            Ok(count)
        }
    }

    pub(crate) fn source(size: u64) -> Arc<Source> {
        Source::new(
            Arc::new(Zeroes(size)),
            Arc::new(Meter::new(Limits::default())),
            Arc::new(Silent),
        )
    }

    proptest! {
        #[test]
        fn what_was_read_is_the_number_of_different_bytes(
            ranges in prop::collection::vec((0u64..200, 1u64..50), 0..40),
        ) {
            let source = source(250);
            let mut bytes = vec![false; 250];
            for (start, length) in ranges {
                source.given(start, length).expect("few pieces");
                for at in start..start + length {
                    bytes[usize::try_from(at).expect("fits")] = true;
                }
            }
            prop_assert_eq!(source.read(), bytes.iter().filter(|b| **b).count() as u64);
            let seen = source.seen();
            let ranges: Vec<_> = seen.read.iter().collect();
            prop_assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }

    #[test]
    fn a_part_that_the_file_does_not_have_is_refused() {
        assert_eq!(range(10, 3, None).ok(), Some(10));
        assert_eq!(range(10, 3, Some(7)).ok(), Some(10));
        assert_eq!(range(10, 10, None).ok(), Some(10));
        assert!(range(10, 3, Some(8)).is_err());
        assert!(range(10, 11, None).is_err());
        assert!(range(10, u64::MAX, Some(2)).is_err());
    }
}
