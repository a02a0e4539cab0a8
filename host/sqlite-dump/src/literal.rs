//! Values as SQL literals.

use rusqlite::types::ValueRef;

use crate::{DumpError, real, sink::Sink, snapshot::Encoding};

/// Bytes written in hexadecimal at a time.
const PIECE: usize = 64 * 1024;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes any value of a UTF-8 database, and any but text of another.
pub(crate) fn write(sink: &mut Sink<'_>, value: ValueRef<'_>) -> Result<(), DumpError> {
    match value {
        ValueRef::Null => sink.buffer().extend_from_slice(b"NULL"),
        ValueRef::Integer(number) => write_integer(sink.buffer(), number),
        ValueRef::Real(number) => real::write(sink.buffer(), number),
        ValueRef::Blob(bytes) => write_blob(sink, bytes)?,
        ValueRef::Text(bytes) => match readable(bytes) {
            Some(text) => write_text(sink, text)?,
            None => write_cast(sink, bytes)?,
        },
    }
    sink.relieve()
}

/// Writes text of a UTF-16 database, given as the file has it.
pub(crate) fn write_utf16(
    sink: &mut Sink<'_>,
    bytes: &[u8],
    encoding: Encoding,
) -> Result<(), DumpError> {
    let unit = |pair: &[u8; 2]| match encoding {
        Encoding::Utf16Be => u16::from_be_bytes(*pair),
        _ => u16::from_le_bytes(*pair),
    };
    let (pairs, odd) = bytes.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(unit)).collect();
    match text {
        // SQLite replaces these two when it converts from UTF-8.
        Ok(text) if odd.is_empty() && !text.contains(['\0', '\u{fffe}', '\u{ffff}']) => {
            write_text(sink, &text)?;
        }
        _ => write_cast(sink, bytes)?,
    }
    sink.relieve()
}

/// Appends a whole number. The digits are made here because this is the most
/// frequent value of all.
pub(crate) fn write_integer(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// The text, if it can stand in a literal: valid, and without the NUL at
/// which a reader would stop.
fn readable(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    memchr::memchr(0, bytes).is_none().then_some(text)
}

/// A text without NUL. Carriage returns are written as a mark that stands
/// nowhere else in the text, and put back by the database: written as they
/// are, programs that read line by line lose those before a line feed.
fn write_text(sink: &mut Sink<'_>, text: &str) -> Result<(), DumpError> {
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return write_quoted(sink, text);
    }
    // The text is too short to hold that many different marks.
    let mark = (0..=text.len())
        .map(|n| if n == 0 { "\\r".to_owned() } else { format!("\\{n}r") })
        .find(|mark| !text.contains(mark.as_str()))
        .unwrap_or_default();
    sink.buffer().extend_from_slice(b"replace(");
    write_quoted(sink, &text.replace('\r', &mark))?;
    sink.text(&format!(",'{mark}',char(13))"))
}

fn write_quoted(sink: &mut Sink<'_>, text: &str) -> Result<(), DumpError> {
    let bytes = text.as_bytes();
    sink.buffer().push(b'\'');
    let mut from = 0;
    for at in memchr::memchr_iter(b'\'', bytes) {
        sink.buffer().extend_from_slice(&bytes[from..=at]);
        sink.buffer().push(b'\'');
        sink.relieve()?;
        from = at + 1;
    }
    sink.buffer().extend_from_slice(&bytes[from..]);
    sink.buffer().push(b'\'');
    Ok(())
}

/// Text by its bytes in the database's own encoding.
fn write_cast(sink: &mut Sink<'_>, bytes: &[u8]) -> Result<(), DumpError> {
    sink.buffer().extend_from_slice(b"CAST(");
    write_blob(sink, bytes)?;
    sink.text(" AS TEXT)")
}

fn write_blob(sink: &mut Sink<'_>, bytes: &[u8]) -> Result<(), DumpError> {
    sink.buffer().extend_from_slice(b"x'");
    for piece in bytes.chunks(PIECE) {
        let out = sink.buffer();
        out.reserve(2 * piece.len());
        for byte in piece {
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        sink.relieve()?;
    }
    sink.buffer().push(b'\'');
    Ok(())
}
