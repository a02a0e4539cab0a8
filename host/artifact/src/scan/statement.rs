//! One statement at the top level of a dump.

use super::words::Words;

/// Bytes kept of a statement that may be the head of COPY data. Beyond this it is none.
const KEPT_COPY: usize = 1 << 20;
const COPY: &[u8] = b"COPY";
/// Bytes kept of any other statement.
const KEPT: usize = 256;

/// What is known of a statement: its first bytes and its key words.
#[derive(Debug, Clone, Default)]
pub struct Statement {
    text: Vec<u8>,
    cut: bool,
    pub(super) words: Words,
}

impl Statement {
    /// The beginning of the statement as the dump writes it: at most 256
    /// bytes, and all of a COPY statement up to 1 MiB.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The first word in lower case; empty where the statement begins otherwise.
    pub fn verb(&self) -> &str {
        std::str::from_utf8(self.words.first(0)).unwrap_or("")
    }

    /// Whether its first words are these, given in lower case. At most four count.
    pub fn starts_with(&self, words: &[&str]) -> bool {
        self.words.starts_with(words)
    }

    /// Whether `DROP` stands in it outside quotes and parentheses.
    pub fn has_drop(&self) -> bool {
        self.words.drops()
    }

    /// The table, as the dump writes it, if rows follow this statement.
    pub fn copied_table(&self) -> Option<String> {
        if self.cut || !self.starts_with(&["copy"]) || !self.words.end_with("from", "stdin") {
            return None;
        }
        let name = self.text.get(COPY.len()..)?;
        let name = &name[..name_length(name)];
        Some(String::from_utf8_lossy(name).trim().to_owned())
    }

    /// Whether it turns backslashes in all strings into escapes (`true`) or
    /// back into plain characters, as databases from before PostgreSQL 9.1 want.
    pub(super) fn changes_escapes(&self) -> Option<bool> {
        let text = self.text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'\'');
        let text: Vec<u8> = text.map(u8::to_ascii_lowercase).collect();
        match text.strip_prefix(b"setstandard_conforming_strings=")? {
            b"off" => Some(true),
            b"on" => Some(false),
            _ => None,
        }
    }

    /// Keeps what may still be wanted.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        // The first four bytes decide how much may follow.
        let (head, bytes) =
            bytes.split_at(COPY.len().saturating_sub(self.text.len()).min(bytes.len()));
        self.text.extend_from_slice(head);
        let is_copy =
            self.text.get(..COPY.len()).is_some_and(|text| text.eq_ignore_ascii_case(COPY));
        let room = if is_copy { KEPT_COPY } else { KEPT }.saturating_sub(self.text.len());
        self.cut |= bytes.len() > room;
        self.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// For the next statement; keeps the memory.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.cut = false;
        self.words = Words::default();
    }
}

/// Length of the table's name: up to the column list, or to FROM where there is none.
fn name_length(text: &[u8]) -> usize {
    let mut quoted = false;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'(' if !quoted => return at,
            b' ' if !quoted && is_end(&text[at..]) => return at,
            _ => {}
        }
    }
    text.len()
}

/// Whether nothing but `FROM stdin` and spaces is left.
fn is_end(text: &[u8]) -> bool {
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"from"))
        && words.next().is_some_and(|word| word.trim_ascii_end().len() >= 5)
        && words.next().is_none()
}
