//! Every value comes back with its type and its bits.

use rusqlite::{Connection, params, types::Value};

use crate::common::Source;

fn store(values: &[Value]) -> Source {
    store_in("UTF-8", values)
}

fn store_in(encoding: &str, values: &[Value]) -> Source {
    Source::with(|connection| {
        connection.pragma_update(None, "encoding", encoding).unwrap();
        connection.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY, v); BEGIN").unwrap();
        for value in values {
            connection.execute("INSERT INTO t(v) VALUES(?1)", [value]).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
    })
}

#[test]
fn integers_keep_their_limits() {
    let numbers = [i64::MIN, i64::MIN + 1, -1, 0, 1, 9, 10, i64::MAX - 1, i64::MAX];
    store(&numbers.map(Value::Integer)).round_trip();
}

/// Numbers whose last bit a careless reader or writer loses.
fn hard_reals() -> Vec<f64> {
    let mut reals = vec![
        0.0,
        0.1,
        0.3,
        1.0,
        1.5,
        1e5,
        1e15,
        1e16,
        1e22,
        1e23,
        9.5,
        123_456.789,
        1.0 / 3.0,
        2e-5,
        1e-5,
        9e-6,
        1e300,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::EPSILON,
        f64::INFINITY,
        5e-324,
        1e-323,
        2.225_073_858_507_201e-308,
        1.234_567_890_123_456_7e-300,
        9_007_199_254_740_993.0,
        9_223_372_036_854_775_807.0,
        4.35,
        0.000_1,
        9.999_999_999_999e14,
    ];
    let mut seed = 88_172_645_463_325_252_u64;
    for round in 0..60_000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let any = f64::from_bits(seed);
        reals.push(match round % 6 {
            _ if any.is_nan() => 0.5,
            0 | 1 => any,
            2 => (seed % 1_000_000_000_000_000) as f64 / 10_f64.powi((seed >> 50) as i32 % 16),
            3 => (seed % 100_000) as f64 / 100.0,
            4 => f64::from_bits(seed >> 12),
            _ => 2_f64.powi((seed % 2000) as i32 - 1000).next_up(),
        });
    }
    let negative: Vec<f64> = reals.iter().map(|real| -real).collect();
    reals.extend(negative);
    reals
}

#[test]
fn reals_keep_every_bit() {
    let values: Vec<Value> = hard_reals().into_iter().map(Value::Real).collect();
    store(&values).round_trip();
}

#[test]
fn a_real_that_people_write_stays_as_they_write_it() {
    let text = store(&[Value::Real(0.1), Value::Real(-2.0), Value::Real(19.99)]).round_trip();
    assert!(text.contains("(1,0.1),\n(2,-2.0),\n(3,19.99);"), "{text}");
}

#[test]
fn blobs_of_any_length_come_back() {
    let large: Vec<u8> = (0..3_000_001_u32).map(|n| (n % 251) as u8).collect();
    let all: Vec<u8> = (0..=255).collect();
    store(&[Value::Blob(vec![]), Value::Blob(all), Value::Blob(large), Value::Blob(vec![0])])
        .round_trip();
}

const TEXTS: [&str; 22] = [
    "",
    "it's",
    "''",
    "a\nb",
    "a\r\nb\r\n",
    "\r",
    "lone\rreturn",
    "back\\slash",
    "\\r and \r",
    "\\r \\1r \r",
    "\\\r",
    "nul\0inside",
    "\0",
    "\u{feff}mark",
    "\u{fffe}\u{ffff}",
    "日本語 🦀",
    "\n.shell true\n",
    "x'; DROP TABLE t; --",
    "\ngo\n/\n",
    "-- SQLite database dump complete",
    "COMMIT;\n",
    "#!",
];

#[test]
fn texts_come_back_in_every_encoding() {
    let texts = TEXTS.map(|text| Value::Text(text.to_owned()));
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        store_in(encoding, &texts).round_trip();
    }
}

#[test]
fn texts_that_are_not_valid_come_back_byte_by_byte() {
    let invalid = ["ff", "61ff00", "c3", "eda080", "27ff27", "0d0aff", "f8888080", ""];
    for (encoding, more) in [("UTF-8", ["fe"; 2]), ("UTF-16le", ["00d8", "00dc6100"])] {
        Source::with(|connection| {
            connection.pragma_update(None, "encoding", encoding).unwrap();
            connection.execute_batch("CREATE TABLE t(v)").unwrap();
            for hex in
                invalid.iter().chain(&more).filter(|hex| encoding == "UTF-8" || hex.len() % 4 == 0)
            {
                let insert = format!("INSERT INTO t VALUES(CAST(x'{hex}' AS TEXT))");
                connection.execute_batch(&insert).unwrap();
            }
        })
        .round_trip();
    }
}

#[test]
fn values_keep_their_types_under_every_affinity() {
    Source::new(
        "CREATE TABLE t(a INTEGER, b TEXT, c REAL, d BLOB, e NUMERIC, f);
         INSERT INTO t VALUES('12','12','12','12','12','12'), (12,12,12,12,12,12),
            (1.5,1.5,1.5,1.5,1.5,1.5), (x'31',x'31',x'31',x'31',x'31',x'31'),
            (NULL,NULL,NULL,NULL,NULL,NULL), ('a','a','a','a','a','a'),
            (9223372036854775807,9223372036854775807,9223372036854775807,0.0,-0.0,-0.0),
            (1e300,1e300,1e300,1e300,1e300,1e300), (9e999,-9e999,9e999,-9e999,9e999,-9e999);",
    )
    .round_trip();
}

#[test]
fn a_value_that_its_columns_type_would_convert_does_not_stop_the_dump() {
    // The declared type was changed afterwards, as SQLite's manual allows.
    let source = Source::new(
        "CREATE TABLE t(a); INSERT INTO t VALUES(1),('2'); PRAGMA writable_schema=ON;
         UPDATE sqlite_schema SET sql='CREATE TABLE t(a TEXT)';",
    );
    let (text, _) = crate::common::dump(&source.path).unwrap();
    assert!(text.contains("(1),\n('2');"), "{text}");
}

#[test]
fn many_wide_rows_come_back() {
    let columns: Vec<String> = (0..900).map(|n| format!("c{n}")).collect();
    let source = Source::with(|connection: &Connection| {
        connection.execute_batch(&format!("CREATE TABLE wide({})", columns.join(","))).unwrap();
        for n in 0..40 {
            let values: Vec<String> = (0..900).map(|column| (n * column).to_string()).collect();
            connection
                .execute_batch(&format!("INSERT INTO wide VALUES({})", values.join(",")))
                .unwrap();
        }
        connection.execute_batch("CREATE TABLE many(a, b)").unwrap();
        let insert = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                      INSERT INTO many SELECT i, 'row ' || i FROM n";
        connection.execute(insert, params![50_000]).unwrap();
    });
    source.round_trip();
}
