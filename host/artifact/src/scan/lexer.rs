//! Cutting a dump into statements, data, comments and psql lines.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::{
    copy_data::{CopyData, END},
    quote::{Quote, Step},
    statement::Statement,
};

/// Hears what the lexer finds, in the order of the dump. Ranges and offsets
/// count bytes from the dump's beginning.
pub trait Visit {
    /// A statement begins with the byte at `offset`.
    fn statement_begins(&mut self, offset: u64);
    /// A statement ended; `range` takes in its semicolon.
    fn statement(&mut self, statement: &Statement, range: Range<u64>);
    /// The rows of `table` begin at `offset`.
    fn copy_begins(&mut self, table: String, offset: u64);
    /// The rows ended; `range` leaves out the end line `\.`.
    fn copy_ends(&mut self, rows: u64, range: Range<u64>);
    /// A comment line outside any statement, from its `--` on; at most its first 128 bytes.
    fn comment(&mut self, text: &[u8]);
    /// A line for psql, from its backslash on; at most its first 128 bytes.
    fn meta(&mut self, text: &[u8], range: Range<u64>);
}

#[derive(Debug, Clone)]
enum State {
    Top,
    /// A `-`, `/` or `\` whose meaning the next byte decides.
    Maybe(u8),
    Quote(Quote),
    /// The statement ended with `FROM stdin;`; its data begins on the next line.
    BeforeCopy(String),
    Copy {
        data: CopyData,
        start: u64,
    },
}

/// The lexer. It follows psql's rules for where a statement ends.
#[derive(Debug, Clone)]
pub struct Lexer {
    state: State,
    offset: u64,
    /// Where the current statement began.
    start: Option<u64>,
    statement: Statement,
    /// `standard_conforming_strings` is off.
    escapes_everywhere: bool,
    /// The last token was an escape string, and whether a newline came since:
    /// then another string literal continues it.
    after_escapes: Option<bool>,
    end: memmem::Finder<'static>,
}

impl Default for Lexer {
    fn default() -> Self {
        Self {
            state: State::Top,
            offset: 0,
            start: None,
            statement: Statement::default(),
            escapes_everywhere: false,
            after_escapes: None,
            end: memmem::Finder::new(END),
        }
    }
}

impl Lexer {
    /// Takes the next bytes.
    pub fn feed(&mut self, block: &[u8], visit: &mut impl Visit) {
        let mut at = 0;
        while at < block.len() {
            at += self.step(&block[at..], visit);
        }
    }

    /// Whether the dump could end here: outside statements, quotes, comments and data.
    pub fn at_rest(&self) -> bool {
        self.start.is_none() && matches!(self.state, State::Top)
    }

    /// Bytes taken so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of rows taken since the table's data began.
    pub fn copied_bytes(&self) -> Option<u64> {
        match &self.state {
            State::Copy { data, .. } => Some(data.bytes),
            _ => None,
        }
    }

    /// Takes a piece in the current state and returns its length, which is
    /// zero where only the state changed.
    fn step(&mut self, rest: &[u8], visit: &mut impl Visit) -> usize {
        match &mut self.state {
            State::Top => self.top(rest, visit),
            State::Maybe(first) => {
                let first = *first;
                self.decide(first, rest[0], visit)
            }
            State::Quote(quote) => match quote.feed(rest) {
                Step::Inside => self.take_quoted(rest),
                Step::Ended(length) => {
                    self.take_quoted(&rest[..length]);
                    self.end_quote(visit);
                    length
                }
                Step::NotQuote(length) => {
                    self.take_quoted(&rest[..length]);
                    if let State::Quote(Quote::Opening { tag }) = &self.state {
                        for &byte in tag {
                            self.statement.words.push(byte);
                        }
                    }
                    self.state = State::Top;
                    length
                }
            },
            State::BeforeCopy(table) => {
                let Some(newline) = memchr(b'\n', rest) else {
                    self.offset += rest.len() as u64;
                    return rest.len();
                };
                self.offset += newline as u64 + 1;
                visit.copy_begins(std::mem::take(table), self.offset);
                self.state = State::Copy { data: CopyData::new(), start: self.offset };
                newline + 1
            }
            State::Copy { data, start } => {
                let ended = data.feed(rest, &self.end);
                let taken = ended.unwrap_or(rest.len());
                self.offset += taken as u64;
                if ended.is_some() {
                    visit.copy_ends(data.rows, *start..*start + data.bytes);
                    self.state = State::Top;
                }
                taken
            }
        }
    }

    /// Takes bytes outside quotes up to the next change of state.
    fn top(&mut self, rest: &[u8], visit: &mut impl Visit) -> usize {
        // What comes before has been taken.
        let mut from = 0;
        for (at, &byte) in rest.iter().enumerate() {
            let words = &mut self.statement.words;
            if byte.is_ascii_whitespace() || byte == 0x0b {
                words.end_word();
                if let Some(newline) = &mut self.after_escapes {
                    *newline |= matches!(byte, b'\n' | b'\r');
                }
                continue;
            }
            if matches!(byte, b'-' | b'/' | b'\\') {
                words.end_word();
                self.take(&rest[from..at]);
                self.offset += 1;
                self.state = State::Maybe(byte);
                return at + 1;
            }
            let continues_escapes = self.after_escapes.take() == Some(true);
            if self.start.is_none() {
                self.take(&rest[from..at]);
                from = at;
                self.begin(self.offset, visit);
            }
            let words = &mut self.statement.words;
            let quote = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | 0x80.. => {
                    words.push(byte);
                    continue;
                }
                b'$' if words.in_word() => {
                    words.push(byte);
                    continue;
                }
                b'\'' => {
                    let escapes = words.is_escape_prefix();
                    Quote::pair(byte, escapes || continues_escapes || self.escapes_everywhere)
                }
                b'"' => Quote::pair(byte, false),
                b'$' => Quote::Opening { tag: Vec::new() },
                b';' => {
                    words.end_word();
                    if words.at_top() {
                        self.take(&rest[from..at]);
                        self.offset += 1;
                        self.end_statement(visit);
                        return at + 1;
                    }
                    words.other(byte);
                    continue;
                }
                _ => {
                    words.other(byte);
                    continue;
                }
            };
            words.other(byte);
            self.take(&rest[from..=at]);
            self.state = State::Quote(quote);
            return at + 1;
        }
        self.take(&rest[from..]);
        rest.len()
    }

    /// Decides what a `-`, `/` or `\` was, now that the byte behind it is
    /// known, and returns how many bytes that took.
    fn decide(&mut self, first: u8, second: u8, visit: &mut impl Visit) -> usize {
        let quote = match (first, second) {
            (b'-', b'-') => Quote::Line { text: b"--".to_vec() },
            (b'/', b'*') => Quote::Block { depth: 1, last: 0 },
            // psql takes `\;` and `\:` for plain punctuation.
            (b'\\', b';' | b':') | (b'-' | b'/', _) => {
                self.after_escapes = None;
                if self.start.is_none() {
                    self.begin(self.offset - 1, visit);
                }
                self.statement.words.other(first);
                self.statement.keep(&[first]);
                self.state = State::Top;
                if first != b'\\' {
                    return 0;
                }
                self.take(&[second]);
                return 1;
            }
            _ => {
                let start = self.offset - 1;
                self.state = State::Quote(Quote::Meta { text: b"\\".to_vec(), start });
                return 0;
            }
        };
        self.offset += 1;
        self.state = State::Quote(quote);
        1
    }

    fn begin(&mut self, offset: u64, visit: &mut impl Visit) {
        self.start = Some(offset);
        visit.statement_begins(offset);
    }

    fn end_statement(&mut self, visit: &mut impl Visit) {
        let start = self.start.take().unwrap_or(self.offset);
        visit.statement(&self.statement, start..self.offset);
        if let Some(escapes) = self.statement.changes_escapes() {
            self.escapes_everywhere = escapes;
        }
        self.state = match self.statement.copied_table() {
            Some(table) => State::BeforeCopy(table),
            None => State::Top,
        };
        self.statement.clear();
    }

    fn end_quote(&mut self, visit: &mut impl Visit) {
        match std::mem::replace(&mut self.state, State::Top) {
            State::Quote(Quote::Pair(pair)) if pair.escapes => self.after_escapes = Some(false),
            State::Quote(Quote::Line { text }) if self.start.is_none() => visit.comment(&text),
            State::Quote(Quote::Meta { text, start }) => visit.meta(&text, start..self.offset),
            State::Quote(Quote::Block { .. }) => self.after_escapes = None,
            _ => {}
        }
    }

    /// Counts bytes as taken, and keeps them if they belong to a statement.
    fn take(&mut self, bytes: &[u8]) {
        if self.start.is_some() {
            self.statement.keep(bytes);
        }
        self.offset += bytes.len() as u64;
    }

    /// The same inside a quote; comments and psql lines are not kept.
    fn take_quoted(&mut self, bytes: &[u8]) -> usize {
        if let State::Quote(Quote::Line { .. } | Quote::Block { .. } | Quote::Meta { .. }) =
            self.state
        {
            self.offset += bytes.len() as u64;
        } else {
            self.take(bytes);
        }
        bytes.len()
    }
}
