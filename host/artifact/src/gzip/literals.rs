//! Data in which looking for repetitions gains nothing: blobs in hexadecimal
//! or base64, encrypted columns. Coding each byte by how
//! often it occurs, and looking for nothing, makes such a block smaller in a
//! tenth of the time.

use libdeflater::Compressor;

use super::huffman;

/// What is looked at of a block before its repetitions are given up.
const SAMPLE: usize = 16 << 10;

/// So many blocks go without a search before one is searched whole again:
/// repetitions that lie further apart than a sample would go unseen for ever.
const MOST_IN_A_ROW: u32 = 7;

/// Decides block by block.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Blocks that may still go without a search.
    left: u32,
    scratch: Vec<u8>,
}

impl Choice {
    /// Whether to take `raw` as literals only: the last block that was searched
    /// whole gained nothing, and neither would a sample of this one.
    pub(super) fn literals_only(&mut self, raw: &[u8], compressor: &mut Compressor) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        let Some(sample) = raw.get(raw.len() / 2..).and_then(|half| half.get(..SAMPLE)) else {
            return false;
        };
        self.scratch.resize(compressor.deflate_compress_bound(SAMPLE), 0);
        let searched = compressor.deflate_compress(sample, &mut self.scratch);
        let gained_nothing = searched.is_ok_and(|size| entropy(sample) <= size as f64);
        self.left = if gained_nothing { left } else { 0 };
        gained_nothing
    }

    /// Learns from a block that was searched whole.
    pub(super) fn searched(&mut self, raw: &[u8], size: usize) {
        // Text of a database repeats itself; only what hardly shrinks is worth counting.
        let hardly_shrank = size > raw.len() / 5 * 2;
        let gained_nothing = hardly_shrank && entropy(raw) <= size as f64;
        self.left = if gained_nothing { MOST_IN_A_ROW } else { 0 };
    }
}

/// Bytes that `raw` takes if each byte is coded by how often it occurs and by
/// nothing else (its entropy of order zero).
fn entropy(raw: &[u8]) -> f64 {
    let all = raw.len() as f64;
    let bits = |count: u32| f64::from(count) * (all / f64::from(count)).log2();
    huffman::literal_counts(raw).into_iter().filter(|count| *count > 0).map(bits).sum::<f64>() / 8.0
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use cofferdam_model::Level;

    use crate::gzip::MemberEncoder;

    /// Pseudo-random hexadecimal digits, the same for the same seed.
    fn hexadecimal(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed;
        let digit = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            b"0123456789abcdef"[(state >> 60) as usize]
        };
        (0..length).map(digit).collect()
    }

    /// The sizes of `blocks` packed by one encoder, each read back by another implementation.
    fn sizes(blocks: &[Vec<u8>]) -> Vec<usize> {
        let mut encoder = MemberEncoder::new(Level::default());
        let mut out = vec![];
        let mut size = |block: &Vec<u8>| {
            let size = encoder.encode(block, &mut out);
            let mut back = vec![];
            flate2::read::GzDecoder::new(&out[..size]).read_to_end(&mut back).unwrap();
            assert!(&back == block, "a block does not come back");
            size
        };
        blocks.iter().map(&mut size).collect()
    }

    #[test]
    fn blocks_without_repetitions_are_no_larger_than_searched_ones() {
        let blocks: Vec<_> = (0..12).map(|seed| hexadecimal(seed, 1 << 20)).collect();
        let sizes = sizes(&blocks);
        // The first, and each eighth after it, is searched whole.
        for size in &sizes[1..8] {
            assert!(*size < sizes[0] + sizes[0] / 200, "{sizes:?}");
        }
    }

    #[test]
    fn text_between_blobs_is_searched() {
        let rows = b"42\t2026-11-21 10:00:00\tpending\t{\"items\": 3}\n".repeat(20_000);
        let sizes = sizes(&[hexadecimal(1, 1 << 20), rows.clone(), hexadecimal(2, 1 << 20), rows]);
        assert!(sizes[1] < 20_000 && sizes[3] < 20_000, "{sizes:?}");
    }

    #[test]
    fn repetitions_that_no_sample_shows_are_found_again() {
        // One blob of 24 KiB over and over: a sample of it looks random.
        let same = hexadecimal(7, 24 << 10).repeat(42);
        let mut blocks = vec![hexadecimal(1, 1 << 20)];
        blocks.extend(std::iter::repeat_n(same, 10));
        let sizes = sizes(&blocks);
        assert!(sizes[8..].iter().all(|size| *size < 100_000), "{sizes:?}");
    }
}
