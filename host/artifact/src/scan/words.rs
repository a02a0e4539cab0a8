//! The unquoted words of a statement, as far as its end and its kind depend on them.

/// Longer words are not key words.
const LONGEST: usize = 16;
/// `create or replace function` is the longest beginning that matters.
const FIRST: usize = 4;

/// Follows words and parentheses the way psql does, which decides where psql
/// sends a statement off.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// The word that is being read, in lower case; capped.
    current: Vec<u8>,
    first: Vec<Vec<u8>>,
    /// The last two tokens, empty where they were not words.
    previous: Vec<u8>,
    last: Vec<u8>,
    parentheses: u64,
    /// Open `BEGIN` and `CASE` of a function body in standard SQL.
    begins: u64,
    drops: bool,
}

impl Words {
    /// One more byte of a word.
    pub(super) fn push(&mut self, byte: u8) {
        if self.current.len() <= LONGEST {
            self.current.push(byte.to_ascii_lowercase());
        }
    }

    /// Whether the byte before was part of a word.
    pub(super) fn in_word(&self) -> bool {
        !self.current.is_empty()
    }

    /// Whether the word that is being read is so far the prefix of an escape string.
    pub(super) fn is_escape_prefix(&self) -> bool {
        self.current == b"e"
    }

    /// The word is over.
    pub(super) fn end_word(&mut self) {
        if self.current.is_empty() {
            return;
        }
        let word = std::mem::take(&mut self.current);
        if self.parentheses == 0 && self.makes_function() {
            match word.as_slice() {
                b"begin" => self.begins += 1,
                b"case" if self.begins > 0 => self.begins += 1,
                b"end" => self.begins = self.begins.saturating_sub(1),
                _ => {}
            }
        }
        self.drops |= self.parentheses == 0 && word == b"drop";
        if self.first.len() < FIRST {
            self.first.push(word.clone());
        }
        self.previous = std::mem::replace(&mut self.last, word);
    }

    /// A token that is not a word.
    pub(super) fn other(&mut self, byte: u8) {
        self.end_word();
        match byte {
            b'(' => self.parentheses += 1,
            b')' => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
        self.previous.clear();
        self.last.clear();
    }

    /// Whether a semicolon here ends the statement.
    pub(super) fn at_top(&self) -> bool {
        self.parentheses == 0 && self.begins == 0
    }

    /// The word at `place` among the first four, in lower case.
    pub(super) fn first(&self, place: usize) -> &[u8] {
        self.first.get(place).map_or(b"", Vec::as_slice)
    }

    pub(super) fn starts_with(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(place, word)| self.first(place) == word.as_bytes())
    }

    /// Whether the last two tokens are these words.
    pub(super) fn end_with(&self, previous: &str, last: &str) -> bool {
        self.previous == previous.as_bytes() && self.last == last.as_bytes()
    }

    /// Whether `DROP` stands outside parentheses and quotes.
    pub(super) fn drops(&self) -> bool {
        self.drops
    }

    fn makes_function(&self) -> bool {
        let kind = if self.starts_with(&["create", "or", "replace"]) { 3 } else { 1 };
        self.first(0) == b"create" && matches!(self.first(kind), b"function" | b"procedure")
    }
}
