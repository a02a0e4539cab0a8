//! Checksums of the backup's file, computed at native speed beside the
//! component.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use sha2::Digest as _;
use tokio::task::JoinHandle;

use crate::{
    artifact::{Artifact, BLOCK},
    bindings::imported::artifact::Algorithm,
    meter::Meter,
};

/// A checksum that is being computed, on a thread of its own. The work stops
/// when this is dropped.
pub(crate) struct Summing {
    shared: Arc<Shared>,
    task: JoinHandle<io::Result<Vec<u8>>>,
}

#[derive(Default)]
struct Shared {
    /// Whoever wanted the sum has gone.
    gone: AtomicBool,
    /// The call that waits for it: only then is the work its progress.
    awaited: OnceLock<Arc<Meter>>,
}

impl Summing {
    /// Begins with the bytes from `offset` to `end`.
    pub(crate) fn begin(
        algorithm: Algorithm,
        file: Arc<dyn Artifact>,
        offset: u64,
        end: u64,
    ) -> Self {
        let shared = Arc::<Shared>::default();
        let working = Arc::clone(&shared);
        let task = tokio::task::spawn_blocking(move || {
            let mut sum = Sum::new(algorithm);
            let length = usize::try_from(end - offset).unwrap_or(BLOCK).min(BLOCK);
            let mut block = vec![0; length];
            let mut at = offset;
            while at < end {
                if working.gone.load(Relaxed) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                let most = usize::try_from(end - at).unwrap_or(BLOCK).min(block.len());
                let count = file.read_at(at, &mut block[..most])?;
                if count == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                sum.update(&block[..count]);
                at += count as u64;
                if let Some(meter) = working.awaited.get() {
                    meter.hashed(count as u64);
                }
            }
            Ok(sum.finish())
        });
        Self { shared, task }
    }

    /// Waits for the sum.
    pub(crate) async fn finish(mut self, meter: Arc<Meter>) -> io::Result<Vec<u8>> {
        // Nobody else waits, because whoever does owns it.
        self.shared.awaited.get_or_init(|| meter);
        let result = (&mut self.task).await;
        result.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl Drop for Summing {
    fn drop(&mut self) {
        self.shared.gone.store(true, Relaxed);
    }
}

enum Sum {
    Sha256(Box<sha2::Sha256>),
    Sha1(Box<sha1::Sha1>),
    Md5(Box<md5::Md5>),
    Crc32(crc32fast::Hasher),
    Crc32c(u32),
}

impl Sum {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Box::default()),
            Algorithm::Sha1 => Self::Sha1(Box::default()),
            Algorithm::Md5 => Self::Md5(Box::default()),
            Algorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
            Algorithm::Crc32c => Self::Crc32c(0),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(sum) => sum.update(bytes),
            Self::Sha1(sum) => sum.update(bytes),
            Self::Md5(sum) => sum.update(bytes),
            Self::Crc32(sum) => sum.update(bytes),
            Self::Crc32c(sum) => *sum = crc32c::crc32c_append(*sum, bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha256(sum) => sum.finalize().to_vec(),
            Self::Sha1(sum) => sum.finalize().to_vec(),
            Self::Md5(sum) => sum.finalize().to_vec(),
            Self::Crc32(sum) => sum.finalize().to_be_bytes().to_vec(),
            Self::Crc32c(sum) => sum.to_be_bytes().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of each algorithm is that of the nine digits.
    #[test]
    fn each_algorithm_gives_its_published_check_value() {
        let of = |algorithm| {
            let mut sum = Sum::new(algorithm);
            sum.update(b"1234");
            sum.update(b"56789");
            hex::encode(sum.finish())
        };
        assert_eq!(of(Algorithm::Crc32), "cbf43926");
        assert_eq!(of(Algorithm::Crc32c), "e3069283");
        assert_eq!(of(Algorithm::Md5), "25f9e794323b453885f5181f1b624d0b");
        assert_eq!(of(Algorithm::Sha1), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
        assert_eq!(
            of(Algorithm::Sha256),
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"
        );
    }
}
