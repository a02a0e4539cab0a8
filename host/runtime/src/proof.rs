//! Whether the file that is delivered is still the one that was made: its
//! SHA-256, computed while it is read.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};

use crate::{
    Artifact, CallError, artifact::Source, bindings::imported::artifact::Algorithm, digest::Summing,
};

/// The file is another one than was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its SHA-256 is not the one that it had when it was made")]
struct Damaged;

/// The checksum that a file should have, and how far it has been compared.
pub(crate) struct Proof {
    size: u64,
    wanted: Option<[u8; 32]>,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    hash: Sha256,
    /// Up to where the file has been hashed, from its beginning.
    at: u64,
    verdict: Option<Result<(), Damaged>>,
}

impl Proof {
    pub(crate) fn of(file: &dyn Artifact) -> Self {
        Self { size: file.size(), wanted: file.sha256(), running: Mutex::default() }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at a block before it is handed over. The one with the file's last
    /// byte is refused where the file is not what it was: whoever sends it
    /// on cannot end well then.
    pub(crate) fn look(&self, offset: u64, block: &[u8]) -> io::Result<()> {
        let Some(wanted) = self.wanted else { return Ok(()) };
        let mut running = self.running();
        if let Some(verdict) = running.verdict {
            return verdict.map_err(io::Error::other);
        }
        let end = offset + block.len() as u64;
        // A block that comes again, or too early, says nothing new.
        let fresh = running.at.checked_sub(offset).and_then(|known| usize::try_from(known).ok());
        let Some(fresh) = fresh.and_then(|known| block.get(known..)) else { return Ok(()) };
        running.hash.update(fresh);
        running.at = running.at.max(end);
        if running.at < self.size {
            return Ok(());
        }
        let hash = std::mem::take(&mut running.hash).finalize();
        let verdict = if hash[..] == wanted[..] { Ok(()) } else { Err(Damaged) };
        running.verdict = Some(verdict);
        verdict.map_err(io::Error::other)
    }

    /// The SHA-256 of the whole file was computed for another reason.
    pub(crate) fn settle(&self, sum: &[u8]) -> io::Result<()> {
        let Some(wanted) = self.wanted else { return Ok(()) };
        let verdict = if sum == wanted { Ok(()) } else { Err(Damaged) };
        self.running().verdict = Some(verdict);
        verdict.map_err(io::Error::other)
    }

    /// What was found; nothing where nobody has looked at all of it yet.
    fn verdict(&self) -> Option<Result<(), Damaged>> {
        if self.wanted.is_none() { Some(Ok(())) } else { self.running().verdict }
    }
}

/// Compares the file, unless that was done while it was read.
pub(crate) async fn complete(source: &Source) -> Result<(), CallError> {
    if let Some(verdict) = source.proof.verdict() {
        return verdict.map_err(|Damaged| CallError::Damaged);
    }
    let (file, meter) = (Arc::clone(&source.file), Arc::clone(&source.meter));
    let size = file.size();
    let sum = Summing::begin(Algorithm::Sha256, file, 0, size).finish(meter).await;
    sum.and_then(|sum| source.proof.settle(&sum)).map_err(|error| failure(&error))
}

/// What a file that cannot be read, or is another one, means for a call.
pub(crate) fn failure(error: &io::Error) -> CallError {
    match error.get_ref() {
        Some(inner) if inner.is::<Damaged>() => CallError::Damaged,
        _ => CallError::Host(format!("the backup's file cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Bytes(Vec<u8>, [u8; 32]);

    impl Artifact for Bytes {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn sha256(&self) -> Option<[u8; 32]> {
            Some(self.1)
        }
    }

    fn proof(bytes: &[u8], of: &[u8]) -> Proof {
        Proof::of(&Bytes(bytes.to_vec(), Sha256::digest(of).into()))
    }

    #[test]
    fn the_last_block_of_a_file_that_has_changed_is_refused_and_every_one_after_it() {
        let proof = proof(b"abd", b"abc");
        assert!(proof.look(0, b"a").is_ok());
        assert!(proof.look(1, b"bd").is_err());
        assert!(proof.look(0, b"a").is_err());
        assert_eq!(failure(&proof.look(0, b"a").expect_err("damaged")), CallError::Damaged);
    }

    proptest! {
        /// Whatever a component reads again or in between, a file that it has
        /// read from its beginning to its end is compared.
        #[test]
        fn reading_again_changes_nothing(
            bytes in proptest::collection::vec(any::<u8>(), 1..60),
            again in proptest::collection::vec((0_usize..60, 1_usize..9), 0..20),
            cut in 1_usize..9, flip in any::<bool>(),
        ) {
            let mut changed = bytes.clone();
            if flip {
                changed[bytes.len() / 2] ^= 1;
            }
            let proof = proof(&changed, &bytes);
            let mut again = again.into_iter();
            let mut at = 0;
            let mut bad = false;
            while at < changed.len() {
                if let Some((from, length)) = again.next() {
                    let from = from.min(at);
                    let to = (from + length).min(at);
                    bad |= proof.look(from as u64, &changed[from..to]).is_err();
                }
                let end = (at + cut).min(changed.len());
                bad |= proof.look(at as u64, &changed[at..end]).is_err();
                at = end;
            }
            prop_assert_eq!(proof.verdict().expect("all was read").is_err(), flip);
            prop_assert_eq!(bad, flip);
        }
    }
}
