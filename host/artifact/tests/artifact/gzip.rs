//! Writing and reading gzip, against flate2 and the programs people have.

use std::{
    fs::File,
    io::{self, Read, Write},
};

use cofferdam_artifact::{
    Encoding,
    gzip::{BLOCK, GzipError, Reader},
};
use proptest::prelude::*;

use crate::support::{gzip, noise, packed, packed_with, rows, through};

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    io::Seek::rewind(&mut file).unwrap();
    file
}

fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    Reader::new(io::Cursor::new(bytes.to_vec()))?.read_to_end(&mut raw)?;
    Ok(raw)
}

fn fault(bytes: &[u8]) -> GzipError {
    GzipError::of(&read(bytes).unwrap_err()).unwrap().clone()
}

fn flate2_reads(bytes: &[u8]) -> Vec<u8> {
    let mut raw = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut raw).unwrap();
    raw
}

fn flate2_writes(raw: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(raw).unwrap();
    encoder.finish().unwrap()
}

/// Where each of our members ends.
fn ends(packed: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while at < packed.len() {
        let size = u32::from_le_bytes(packed[at + 16..at + 20].try_into().unwrap());
        at += size as usize;
        ends.push(at);
    }
    ends
}

/// Input around block sizes, easy, hard and mixed to compress.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let sizes = prop_oneof![
        0..4000_usize,
        (BLOCK - 3)..(BLOCK + 3),
        (2 * BLOCK - 3)..(3 * BLOCK + 100_000),
    ];
    (sizes, any::<u64>(), 0..3).prop_map(|(size, seed, kind)| match kind {
        0 => rows(size),
        1 => noise(size, seed),
        _ => noise(size, seed).into_iter().map(|byte| byte & 3).collect(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn flate2_and_our_reader_give_back_what_was_written(raw in input(), level in 1_i64..=9) {
        let level = level.try_into().unwrap();
        let encoding = Encoding::Gzip { level, workers: 3.try_into().unwrap() };
        let (packed, copied) = packed_with(&raw, encoding);
        prop_assert_eq!(copied.raw_bytes, raw.len() as u64);
        prop_assert_eq!(copied.size_bytes, packed.len() as u64);
        prop_assert!(flate2_reads(&packed) == raw);
        prop_assert!(read(&packed).unwrap() == raw);
    }

    #[test]
    fn our_reader_gives_back_what_flate2_wrote(raw in input(), pieces in 1..4_usize) {
        let packed: Vec<u8> = raw.chunks(raw.len() / pieces + 1).flat_map(flate2_writes).collect();
        let packed = if packed.is_empty() { flate2_writes(b"") } else { packed };
        prop_assert!(read(&packed).unwrap() == raw);
    }

    #[test]
    fn reading_from_an_offset_gives_the_rest(raw in input(), part in 0.0..1.1_f64, ours: bool) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let offset = (raw.len() as f64 * part) as usize;
        let file = file_of(&if ours { packed(&raw) } else { flate2_writes(&raw) });
        let mut rest = Vec::new();
        Reader::open_at(file, offset as u64).unwrap().read_to_end(&mut rest).unwrap();
        prop_assert!(rest == raw.get(offset..).unwrap_or_default());
    }

    #[test]
    fn junk_is_refused_without_a_panic(junk in proptest::collection::vec(any::<u8>(), 0..4000)) {
        prop_assert!(read(&junk).is_err());
    }

    #[test]
    fn a_changed_byte_is_never_read_as_something_else(
        at in any::<prop::sample::Index>(), change in 1..=255_u8,
    ) {
        let raw = rows(BLOCK + BLOCK / 2);
        let mut packed = packed(&raw);
        let at = at.index(packed.len());
        packed[at] ^= change;
        // Time, hint and system in a header may be anything.
        if let Ok(read) = read(&packed) {
            prop_assert!(read == raw);
        }
    }
}

#[test]
fn the_programs_people_have_read_it() {
    for raw in [Vec::new(), b"x".to_vec(), rows(3 * BLOCK + 17), noise(2 * BLOCK, 7)] {
        let packed = packed(&raw);
        assert!(through("gunzip", &["-c"], &packed).unwrap() == raw);
        assert!(through("zcat", &[], &packed).unwrap() == raw);
        assert!(through("gzip", &["-t"], &packed).is_some());
        let python =
            "import sys,gzip;sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))";
        assert!(through("python3", &["-c", python], &packed).unwrap() == raw);
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_however_it_comes() {
    struct Drip<'a>(&'a [u8]);
    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(4093);
            self.0.read(&mut buffer[..most])
        }
    }
    let raw = rows(5 * BLOCK + 1);
    let mut dripped = Vec::new();
    let meter = cofferdam_artifact::Meter::new();
    let one = Encoding::Gzip { level: 3.try_into().unwrap(), workers: 1.try_into().unwrap() };
    cofferdam_artifact::copy(Drip(&raw), &mut dripped, one, false, &meter).unwrap();
    assert!(dripped == packed(&raw));
    assert_eq!(meter.written_bytes(), dripped.len() as u64);
}

#[test]
fn empty_input_gives_one_empty_member() {
    let (packed, copied) = packed_with(b"", gzip());
    assert_eq!((ends(&packed).len(), copied.raw_bytes), (1, 0));
    assert_eq!(read(&packed).unwrap(), b"");
}

#[test]
fn a_file_cut_anywhere_but_between_members_is_truncated() {
    let raw = rows(4 * BLOCK);
    let packed = packed(&raw);
    let ends = ends(&packed);
    assert_eq!(ends.len(), 4);
    for &end in &ends {
        for cut in [end - 1, end - 8, end - 100] {
            assert_eq!(fault(&packed[..cut]), GzipError::Truncated, "cut at {cut}");
        }
        for cut in (end + 1..end + 25).filter(|cut| *cut < packed.len()) {
            assert_eq!(fault(&packed[..cut]), GzipError::Truncated, "cut at {cut}");
        }
    }
    // Between members nothing is wrong with the gzip: the dump's trailer decides.
    for (count, &end) in ends.iter().enumerate() {
        assert!(read(&packed[..end]).unwrap() == raw[..(count + 1) * BLOCK]);
    }
    assert_eq!(fault(b""), GzipError::Truncated);
}

#[test]
fn what_others_wrote_is_truncated_at_every_cut() {
    let packed = flate2_writes(&rows(3000));
    for cut in 1..packed.len() {
        assert_eq!(fault(&packed[..cut]), GzipError::Truncated, "cut at {cut}");
    }
}

#[test]
fn the_bytes_before_a_fault_are_given_and_the_fault_stays() {
    let raw = rows(2 * BLOCK);
    let packed = packed(&raw);
    let mut reader = Reader::new(io::Cursor::new(packed[..packed.len() - 1].to_vec())).unwrap();
    let mut given = Vec::new();
    assert_eq!(reader.read_to_end(&mut given).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    assert!(given == raw[..BLOCK]);
    assert_eq!(GzipError::of(&reader.read(&mut [0]).unwrap_err()), Some(&GzipError::Truncated));
}

#[test]
fn what_follows_the_last_member_is_refused() {
    for written in [packed(b"data"), flate2_writes(b"data")] {
        for tail in [&b"\0"[..], b"\n", b"trailing text that is longer than a header", &[0; 512]] {
            assert_eq!(fault(&[&written[..], tail].concat()), GzipError::TrailingBytes);
        }
        assert_eq!(fault(&[&written[..], &[0x1f]].concat()), GzipError::Truncated);
        assert_eq!(fault(&[&written[..], b"\x1f\x8b\x07junk....."].concat()), GzipError::Damaged);
    }
    assert_eq!(fault(b"-- PostgreSQL database dump"), GzipError::NotGzip);
    assert_eq!(fault(b"\x1fthis only begins like it"), GzipError::NotGzip);
}

#[test]
fn a_wrong_checksum_or_size_is_damage() {
    let good = packed(&rows(5000));
    for at in [good.len() - 8, good.len() - 4] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(fault(&bad), GzipError::Damaged);
    }
    let mut bad = flate2_writes(&rows(5000));
    let at = bad.len() - 8;
    bad[at] ^= 1;
    assert_eq!(fault(&bad), GzipError::Damaged);
}

fn claim(member: &mut [u8], size: usize) {
    member[16..20].copy_from_slice(&u32::try_from(size).unwrap().to_le_bytes());
}

#[test]
fn a_header_that_lies_about_its_member_never_hides_or_invents_data() {
    let one = packed(&rows(5000));
    let mut short = one.clone();
    claim(&mut short, one.len() - 40);
    // What stands at the claimed end may by chance look like a size that ours
    // never have; then the member is read like any other, and read right.
    assert!(read(&short).is_ok_and(|raw| raw == rows(5000)) || fault(&short) == GzipError::Damaged);
    let mut long = one.clone();
    claim(&mut long, one.len() + 1);
    assert_eq!(fault(&long), GzipError::Truncated);
    // Two equal members that claim to be one: the trailer at the claimed end
    // is right, and half of the data would be lost.
    let mut twins = [one.clone(), one.clone()].concat();
    claim(&mut twins, 2 * one.len());
    assert_eq!(fault(&twins), GzipError::WrongMemberSize);
}

#[test]
fn absurd_sizes_are_read_like_any_other_gzip() {
    let raw = rows(5000);
    let one = packed(&raw);
    for absurd in [0, 19, 29, 65 << 20, u32::MAX as usize] {
        let mut lying = one.clone();
        claim(&mut lying, absurd);
        // The claim is only a note to us; every other reader skips it.
        assert!(read(&lying).unwrap() == raw, "{absurd}");
    }
    let mut huge = one.clone();
    let at = huge.len() - 4;
    huge[at..].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(fault(&huge), GzipError::Damaged);
}

#[test]
fn ours_and_others_members_may_follow_each_other() {
    let (a, b) = (rows(BLOCK + 5), rows(70_000));
    let mixed = [packed(&a), flate2_writes(&b), packed(&a)].concat();
    assert!(read(&mixed).unwrap() == [&a[..], &b, &a].concat());
    assert!(flate2_reads(&mixed) == read(&mixed).unwrap());
}

#[test]
fn an_error_of_the_source_is_passed_on_as_it_is() {
    struct Failing(Vec<u8>, bool);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.1 {
                return Err(io::Error::from_raw_os_error(5));
            }
            self.1 = true;
            let count = buffer.len().min(self.0.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            Ok(count)
        }
    }
    for written in [packed(&rows(90_000)), flate2_writes(&rows(90_000))] {
        let half = written[..written.len() / 2].to_vec();
        let mut reader = Reader::new(Failing(half, false)).unwrap();
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(5));
    }
}

#[test]
fn readers_of_one_open_file_do_not_disturb_each_other() {
    let raw = rows(6 * BLOCK);
    let file = file_of(&packed(&raw));
    let mut first = Reader::open(file.try_clone().unwrap()).unwrap();
    let mut start = [0; 10];
    first.read_exact(&mut start).unwrap();
    let mut second = Vec::new();
    Reader::open_at(file, BLOCK as u64 + 1).unwrap().read_to_end(&mut second).unwrap();
    assert!(second == raw[BLOCK + 1..]);
    let mut rest = Vec::new();
    first.read_to_end(&mut rest).unwrap();
    assert!(rest == raw[10..]);
}
