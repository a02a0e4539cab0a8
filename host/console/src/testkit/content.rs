//! Files that are on no disk and in no memory: their bytes are computed where
//! they are read.

use std::{io, time::Duration};

use cofferdam_runtime::Artifact;
use sha2::{Digest as _, Sha256};

/// Bytes that no compression and no zero page can hide.
#[derive(Debug, Clone, Copy)]
pub struct Content {
    seed: u64,
    size: u64,
    flaw: Flaw,
}

/// What happens half-way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// The file ends, though it said that it is longer.
    Ends,
    /// The disk takes so long for the next byte.
    Stalls(Duration),
}

/// One step of a generator that gives every word its own value (splitmix64).
fn word(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Content {
    /// So many bytes, other ones for each seed.
    pub fn new(seed: u64, size: u64) -> Self {
        Self { seed, size, flaw: Flaw::None }
    }

    /// The same bytes, which cannot all be had.
    pub fn with(self, flaw: Flaw) -> Self {
        Self { flaw, ..self }
    }

    /// Fills the block with what stands at the offset, whatever the size is.
    pub fn fill(&self, offset: u64, into: &mut [u8]) {
        let mut at = offset;
        let mut rest = into;
        while !rest.is_empty() {
            let bytes = word(self.seed, at / 8).to_le_bytes();
            let bytes = &bytes[usize::try_from(at % 8).unwrap_or(0)..];
            let count = bytes.len().min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(&bytes[..count]);
            rest = later;
            at += count as u64;
        }
    }

    /// Of all bytes, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        let mut sum = Sha256::new();
        let mut block = vec![0; 1 << 20];
        let mut at = 0;
        while at < self.size {
            let count = usize::try_from(self.size - at).map_or(block.len(), |it| it.min(1 << 20));
            self.fill(at, &mut block[..count]);
            sum.update(&block[..count]);
            at += count as u64;
        }
        hex::encode(sum.finalize())
    }
}

impl Artifact for Content {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let half = self.size / 2;
        let end = if self.flaw == Flaw::Ends { half } else { self.size };
        if let Flaw::Stalls(time) = self.flaw
            && offset >= half
        {
            std::thread::sleep(time);
        }
        let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = left.min(into.len());
        self.fill(offset, &mut into[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_stand_at_the_same_place_however_they_are_read() {
        let content = Content::new(7, 1_000);
        let mut whole = vec![0; 1_000];
        assert_eq!(content.read_at(0, &mut whole).ok(), Some(1_000));
        for (from, length) in [(0, 1), (1, 8), (13, 200), (992, 8), (999, 1)] {
            let mut part = vec![0; length];
            assert_eq!(content.read_at(from as u64, &mut part).ok(), Some(length));
            assert_eq!(part, whole[from..from + length]);
        }
        assert_eq!(content.read_at(990, &mut [0; 50]).ok(), Some(10));
        assert_eq!(content.sha256(), hex::encode(Sha256::digest(&whole)));
        assert_ne!(Content::new(8, 1_000).sha256(), content.sha256());
    }

    #[test]
    fn a_file_that_ends_early_says_its_whole_size() {
        let content = Content::new(1, 100).with(Flaw::Ends);
        assert_eq!(content.size(), 100);
        assert_eq!(content.read_at(40, &mut [0; 50]).ok(), Some(10));
        assert_eq!(content.read_at(50, &mut [0; 50]).ok(), Some(0));
    }
}
