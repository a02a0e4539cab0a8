//! Any table with any values comes back equal.

use proptest::{collection::vec, prelude::*};
use rusqlite::{params_from_iter, types::Value};

use crate::common::Source;

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        (-5_i64..5).prop_map(Value::Integer),
        any::<f64>().prop_map(Value::Real),
        any::<u64>().prop_map(|bits| Value::Real(f64::from_bits(bits))),
        any::<i32>().prop_map(|cents| Value::Real(f64::from(cents) / 100.0)),
        ".{0,20}".prop_map(Value::Text),
        "['\r\n\0\\\\r1;a]{0,12}".prop_map(Value::Text),
        vec(any::<u8>(), 0..40).prop_map(Value::Blob),
    ]
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,6}", "['\" ;\n.\\-`\\]]{1,5}", "\\PC{1,5}"]
}

#[derive(Debug)]
struct Table {
    name: String,
    columns: Vec<(String, &'static str)>,
    rows: Vec<(i64, Vec<Value>)>,
    without_rowid: bool,
}

fn any_table() -> impl Strategy<Value = Table> {
    let types = prop::sample::select(vec!["", "INTEGER", "TEXT", "REAL", "BLOB", "NUMERIC"]);
    (any_name(), vec((any_name(), types), 1..6), any::<bool>()).prop_flat_map(
        |(name, columns, without_rowid)| {
            let row = (prop_oneof![1_i64..30, any::<i64>()], vec(any_value(), columns.len()));
            vec(row, 0..25).prop_map(move |rows| Table {
                name: name.clone(),
                columns: columns.clone(),
                rows,
                without_rowid,
            })
        },
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_table_with_any_values_comes_back(
        tables in vec(any_table(), 1..4),
        encoding in prop::sample::select(vec!["UTF-8", "UTF-8", "UTF-16le", "UTF-16be"]),
    ) {
        Source::with(|connection| {
            connection.pragma_update(None, "encoding", encoding).unwrap();
            connection.execute_batch("BEGIN").unwrap();
            for (number, table) in tables.iter().enumerate() {
                // Numbers keep the names different.
                let name = quoted(&format!("{}{number}", table.name));
                let names: Vec<String> = (0..)
                    .zip(&table.columns)
                    .map(|(n, (column, _))| quoted(&format!("{column}{n}")))
                    .collect();
                let mut declared: Vec<String> = names
                    .iter()
                    .zip(&table.columns)
                    .map(|(name, (_, kind))| format!("{name} {kind}"))
                    .collect();
                let end = if table.without_rowid {
                    declared.push("k INTEGER PRIMARY KEY".to_owned());
                    ") WITHOUT ROWID"
                } else {
                    ")"
                };
                connection.execute_batch(&format!("CREATE TABLE {name}({}{end}", declared.join(","))).unwrap();
                let key = if table.without_rowid { "k" } else { "rowid" };
                let places = vec!["?"; names.len()].join(",");
                let insert = format!("INSERT OR IGNORE INTO {name}({key},{}) VALUES(?,{places})", names.join(","));
                for (key, values) in &table.rows {
                    let key = Value::Integer(*key);
                    connection.execute(&insert, params_from_iter(std::iter::once(&key).chain(values))).unwrap();
                }
            }
            connection.execute_batch("COMMIT").unwrap();
        })
        .round_trip();
    }
}
