//! The scanner: no panic on anything, and where blocks end does not matter.
//! The first byte is a block's length.
#![no_main]

use cofferdam_artifact::scan::DumpScanner;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&block, dump)) = input.split_first() else { return };
    let mut whole = DumpScanner::new();
    whole.feed(dump);
    let mut pieces = DumpScanner::new();
    dump.chunks(usize::from(block).max(1)).for_each(|block| pieces.feed(block));
    assert_eq!(whole.current_table(), pieces.current_table());
    assert_eq!(whole.current_table_bytes(), pieces.current_table_bytes());
    let whole = whole.finish();
    assert_eq!(whole, pieces.finish());
    assert_eq!(whole.raw_bytes, dump.len() as u64);
    for table in &whole.tables {
        let start = usize::try_from(table.offset).expect("inside");
        let end = start + usize::try_from(table.length).expect("inside");
        let rows = dump[start..end].iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(rows, table.rows);
        assert!(dump[end..].starts_with(b"\\.\n"));
    }
});
