//! Deflate without a search for repetitions (RFC 1951, dynamic Huffman blocks
//! of literals only): each byte gets a code by how often it occurs.

use std::{cmp::Reverse, collections::BinaryHeap};

/// Bytes under one code. Long enough that the code's own 140 bytes do not
/// matter, short enough to follow changes in the data.
const RUN: usize = 128 << 10;
/// The 256 literals and the end of the block.
const SYMBOLS: usize = 257;
const END_OF_BLOCK: usize = 256;
/// Deflate's longest code for a literal.
const LONGEST: u8 = 15;
/// The order in which deflate gives the lengths of the codes for lengths.
const LENGTH_ORDER: [u8; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Writes `raw` as a deflate stream; its length, or `None` if it would not fit into `out`.
pub(super) fn encode(raw: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut bits = Bits { out, length: 0, buffer: 0, count: 0 };
    let mut runs = raw.chunks(RUN).peekable();
    while let Some(run) = runs.next() {
        block(run, runs.peek().is_none(), &mut bits)?;
    }
    if raw.is_empty() {
        block(raw, true, &mut bits)?;
    }
    bits.finish()
}

fn block(run: &[u8], last: bool, bits: &mut Bits<'_>) -> Option<()> {
    let mut counts = literal_counts(run);
    counts[END_OF_BLOCK] = 1;
    let lengths = lengths(&counts);
    bits.put(u64::from(last) | 0b10 << 1, 3)?;
    // 257 literal codes, 2 distance codes, 19 codes for lengths.
    bits.put(1 << 5 | (19 - 4) << 10, 14)?;
    for symbol in LENGTH_ORDER {
        // Four bits for each length from 0 to 15, and none for runs of lengths.
        bits.put(if symbol <= LONGEST { 4 } else { 0 }, 3)?;
    }
    for length in lengths {
        bits.put(reversed(length.into(), 4), 4)?;
    }
    // Two distance codes of one bit: never used, but a complete set, which every reader takes.
    bits.put(reversed(1, 4) | reversed(1, 4) << 4, 8)?;
    let codes = codes(&lengths);
    // Three codes of at most 15 bits fit beside the up to 7 bits that wait.
    let (threes, rest) = run.as_chunks::<3>();
    for three in threes {
        let [a, b, c] = three.map(|byte| codes[usize::from(byte)]);
        let code = a.bits | b.bits << a.length | c.bits << (a.length + b.length);
        bits.put(code, a.length + b.length + c.length)?;
    }
    for byte in rest {
        let code = codes[usize::from(*byte)];
        bits.put(code.bits, code.length)?;
    }
    let end = codes[END_OF_BLOCK];
    bits.put(end.bits, end.length)
}

/// How often each byte occurs; the end of the block does not.
pub(super) fn literal_counts(raw: &[u8]) -> [u32; SYMBOLS] {
    let mut counts = [0; SYMBOLS];
    for byte in raw {
        counts[usize::from(*byte)] += 1;
    }
    counts
}

/// A symbol's code, its first bit lowest, as deflate packs it.
#[derive(Debug, Clone, Copy, Default)]
struct Code {
    bits: u64,
    length: u32,
}

/// How long each symbol's code is: Huffman's algorithm, with the counts evened
/// out until no code is longer than deflate allows. Symbols that do not occur have 0.
fn lengths(counts: &[u32; SYMBOLS]) -> [u8; SYMBOLS] {
    let mut counts = *counts;
    loop {
        let lengths = unlimited_lengths(&counts);
        if lengths.iter().all(|length| *length <= LONGEST) {
            return lengths;
        }
        for count in &mut counts {
            *count = count.div_ceil(2);
        }
    }
}

fn unlimited_lengths(counts: &[u32; SYMBOLS]) -> [u8; SYMBOLS] {
    // Leaves first, then each pair's parent; a node's parent always comes later.
    let mut parents = [usize::MAX; 2 * SYMBOLS];
    let occurring = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let mut heap: BinaryHeap<_> = occurring.map(|(node, count)| Reverse((*count, node))).collect();
    let mut next = SYMBOLS;
    while let (Some(Reverse((light, first))), Some(Reverse((heavy, second)))) =
        (heap.pop(), heap.pop())
    {
        (parents[first], parents[second]) = (next, next);
        heap.push(Reverse((light + heavy, next)));
        next += 1;
        if heap.len() == 1 {
            break;
        }
    }
    let mut depths = [0_u8; 2 * SYMBOLS];
    for node in (0..next.saturating_sub(1)).rev() {
        if let Some(depth) = depths.get(parents[node]) {
            depths[node] = depth + 1;
        }
    }
    let mut lengths = [0; SYMBOLS];
    lengths.copy_from_slice(&depths[..SYMBOLS]);
    if next == SYMBOLS {
        // The end of the block alone: a code of one bit.
        lengths[END_OF_BLOCK] = 1;
    }
    lengths
}

/// The canonical codes for `lengths` (RFC 1951, 3.2.2).
fn codes(lengths: &[u8; SYMBOLS]) -> [Code; SYMBOLS] {
    let mut codes = [Code::default(); SYMBOLS];
    let mut code = 0_u64;
    for length in 1..=LONGEST {
        code <<= 1;
        for (symbol, _) in lengths.iter().enumerate().filter(|(_, other)| **other == length) {
            codes[symbol] = Code { bits: reversed(code, length.into()), length: length.into() };
            code += 1;
        }
    }
    codes
}

/// The lowest `length` bits of `code` in the other order.
fn reversed(code: u64, length: u32) -> u64 {
    code.reverse_bits() >> (u64::BITS - length)
}

/// Packs bits into bytes, the lowest first.
struct Bits<'a> {
    out: &'a mut [u8],
    length: usize,
    buffer: u64,
    count: u32,
}

impl Bits<'_> {
    /// Adds the lowest `count` bits, at most 56, of `bits`, whose others are 0.
    #[inline]
    fn put(&mut self, bits: u64, count: u32) -> Option<()> {
        self.buffer |= bits << self.count;
        self.count += count;
        let place = self.out.get_mut(self.length..)?.first_chunk_mut::<8>()?;
        *place = self.buffer.to_le_bytes();
        let whole = self.count / 8;
        self.length += whole as usize;
        self.buffer = self.buffer.checked_shr(whole * 8).unwrap_or(0);
        self.count %= 8;
        Some(())
    }

    fn finish(self) -> Option<usize> {
        let length = self.length + usize::from(self.count > 0);
        (length <= self.out.len()).then_some(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::DeflateDecoder;
    use proptest::prelude::*;

    use super::*;

    fn packed(raw: &[u8]) -> Vec<u8> {
        let mut out = vec![0; raw.len() * 2 + 1000];
        let length = encode(raw, &mut out).unwrap();
        out.truncate(length);
        out
    }

    fn read_by_both(raw: &[u8]) {
        let packed = packed(raw);
        let mut slow = vec![];
        DeflateDecoder::new(&packed[..]).read_to_end(&mut slow).unwrap();
        assert!(slow == raw, "zlib-rs reads something else");
        let mut quick = vec![0; raw.len()];
        let length = libdeflater::Decompressor::new().deflate_decompress(&packed, &mut quick);
        assert_eq!(length, Ok(raw.len()));
        assert!(quick == raw, "libdeflate reads something else");
    }

    #[test]
    fn nothing_one_byte_and_one_byte_many_times_come_back() {
        read_by_both(b"");
        read_by_both(b"a");
        read_by_both(&vec![0xff; 3 * RUN]);
    }

    #[test]
    fn counts_that_would_make_codes_too_long_come_back() {
        // Fibonacci's numbers make the deepest tree.
        let mut raw = vec![];
        let (mut this, mut next) = (1_usize, 1);
        for byte in 0..24_u8 {
            raw.extend(std::iter::repeat_n(byte, this));
            (this, next) = (next, this + next);
        }
        assert!(raw.len() < RUN);
        read_by_both(&raw);
    }

    #[test]
    fn hexadecimal_takes_little_more_than_half_its_size() {
        let raw: Vec<u8> = (0..200_000_u64)
            .map(|at| b"0123456789abcdef"[(at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60) as usize])
            .collect();
        read_by_both(&raw);
        // Sixteen codes of four bits would leave none for the end of the block.
        assert!(packed(&raw).len() < raw.len() / 64 * 33);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for room in 0..400 {
            assert_eq!(encode(&[b'x', b'y'].repeat(4000), &mut vec![0; room]), None);
        }
    }

    proptest! {
        #[test]
        fn whatever_goes_in_comes_back(
            alphabet in prop::collection::vec(any::<u8>(), 1..256),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..3000),
            times in 1_usize..100,
        ) {
            let raw: Vec<u8> = picks.iter().map(|pick| *pick.get(&alphabet)).collect();
            read_by_both(&raw.repeat(times));
        }
    }
}
