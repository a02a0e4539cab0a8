//! Holds the page for authors, `wit/README.md`, to the numbers in the code.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use crate::{Limits, artifact, convert, description, load, mail, mended, network, state};

/// A number of bytes as authors count them.
fn bytes(count: u64) -> String {
    match count {
        _ if count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        _ if count.is_multiple_of(1 << 10) => format!("{} KiB", count >> 10),
        _ => format!("{count} bytes"),
    }
}

fn time(length: Duration) -> String {
    match length.as_secs() {
        seconds if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        seconds if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

fn rows() -> Vec<(&'static str, String)> {
    let limits = Limits::default();
    let size = |count: usize| bytes(count as u64);
    vec![
        ("the component's file", bytes(load::LARGEST)),
        ("memory, all linear memories together", bytes(limits.memory_bytes)),
        ("computing without a byte of a file passing", time(limits.cpu)),
        (
            "time without a byte of a file passing, waiting for answers not counted",
            time(limits.idle),
        ),
        ("waiting for answers without a byte of a file passing", time(limits.answer)),
        ("any call", time(limits.longest)),
        ("open streams, requests and files", limits.handles.to_string()),
        ("open streams of the file, not read to their end", artifact::STREAMS.to_string()),
        ("pieces of the file that are read with gaps between them", artifact::PIECES.to_string()),
        ("requests with a body that are made and not sent", mended::UNSENT.to_string()),
        ("written to a stream at once", size(mended::WRITE)),
        (
            "sent over the network",
            format!(
                "{}, heads and mails included, and in `store` four times the file's size beside it",
                bytes(limits.outgoing_bytes)
            ),
        ),
        ("read or hashed of the file in `store`", format!("{} times its size", artifact::REREADS)),
        ("passed to the console in one call of a function", size(state::MESSAGE)),
        ("random bytes in one call", bytes(state::RANDOM)),
        (
            "log lines of a call that are kept",
            format!("{} of {} bytes", limits.lines, limits.line_bytes),
        ),
        ("a sentence, a message, a reason", size(convert::TEXT)),
        ("a location, a cursor", size(convert::LOCATION)),
        ("a file's name in a list", size(convert::FILENAME)),
        ("entries of a page of a list", convert::ENTRIES.to_string()),
        ("wrong settings that are told", convert::FIELD_ERRORS.to_string()),
        ("`settings-schema`", size(description::SCHEMA)),
        ("connections of a call at a time", network::CONNECTIONS.to_string()),
        ("resolving a name", time(network::RESOLVE)),
        ("connecting", time(network::CONNECT)),
        ("waiting for the head of an answer", time(network::FIRST_BYTE)),
        ("waiting between the bytes of an answer", time(network::BETWEEN_BYTES)),
        ("the head of a request", size(state::HEAD)),
        (
            "the head of an answer",
            format!("{}, {} headers", size(network::HEADER_BYTES), network::HEADERS),
        ),
        ("mails of a call", limits.mails.to_string()),
        (
            "a mail",
            format!(
                "{} recipients, a subject of {}, texts of {} each",
                mail::RECIPIENTS,
                size(mail::SUBJECT),
                size(mail::BODY)
            ),
        ),
    ]
}

/// `UPDATE_README=1 cargo test -p cofferdam-runtime readme` writes it.
#[test]
fn the_readme_of_the_contract_has_every_limit() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/README.md");
    let readme = fs::read_to_string(&path).expect("wit/README.md");
    let (before, rest) = readme.split_once("<!-- limits -->\n").expect("the table's begin");
    let (now, after) = rest.split_once("<!-- /limits -->").expect("the table's end");
    let mut table = String::from("| what | at most |\n| --- | --- |\n");
    for (what, most) in rows() {
        writeln!(table, "| {what} | {most} |").expect("text is written");
    }
    if std::env::var_os("UPDATE_README").is_some() {
        let text = format!("{before}<!-- limits -->\n{table}<!-- /limits -->{after}");
        fs::write(&path, text).expect("wit/README.md is written");
        return;
    }
    assert_eq!(now, table, "UPDATE_README=1 writes it");
}
