//! The gzip reader against flate2: on anything, no panic; what it reads, flate2
//! reads as well, to the same bytes; and what flate2 takes for whole gzip without
//! our members in it, it reads. The first byte chooses what is done to the rest.
#![no_main]

use std::io::{Cursor, Read};

use cofferdam_artifact::{Encoding, Meter, gzip::Reader, copy};
use libfuzzer_sys::fuzz_target;

fn ours(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut raw = Vec::new();
    let mut reader = Reader::new(Cursor::new(bytes.to_vec())).expect("threads start");
    // A short gzip may hold gigabytes.
    reader.by_ref().take(16 << 20).read_to_end(&mut raw).ok().map(|_| raw)
}

fn theirs(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut raw = Vec::new();
    let reader = flate2::read::MultiGzDecoder::new(bytes);
    reader.take(16 << 20).read_to_end(&mut raw).ok().map(|_| raw)
}

fn written(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let level = 1.try_into().expect("1 is a level");
    let workers = std::num::NonZeroUsize::MIN;
    copy(raw, &mut out, Encoding::Gzip { level, workers }, false, &Meter::new()).expect("memory");
    out
}

fuzz_target!(|input: &[u8]| {
    let Some((&mode, data)) = input.split_first() else { return };
    match mode % 4 {
        // Anything.
        0 => {
            if let Some(raw) = ours(data) {
                assert_eq!(Some(raw), theirs(data));
            }
        }
        // Whole.
        1 => {
            let packed = written(data);
            assert_eq!(ours(&packed).as_deref(), Some(data));
            assert_eq!(theirs(&packed).as_deref(), Some(data));
        }
        // Members of ours with bytes changed: the data says where and to what.
        2 => {
            let (changes, data) = data.split_at(data.len().min(4));
            let mut packed = [written(data), written(data)].concat();
            for change in changes.chunks_exact(2) {
                let at = usize::from(change[0]) * packed.len() / 256;
                packed[at] = change[1];
            }
            if let Some(raw) = ours(&packed) {
                assert_eq!(Some(raw), theirs(&packed));
            }
        }
        // One of ours, then anything.
        _ => {
            let packed = [&written(b"before")[..], data].concat();
            if let Some(raw) = ours(&packed) {
                assert_eq!(Some(raw), theirs(&packed));
            }
        }
    }
});
