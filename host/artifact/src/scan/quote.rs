//! Strings, identifiers, comments and psql lines: everything inside which a
//! semicolon means nothing. Each takes bytes until it has ended, across blocks.

use memchr::{memchr, memchr2};

/// The longest tag of a dollar quote that is followed, so that memory stays bounded.
const LONGEST_TAG: usize = 4096;
/// Bytes of a comment or psql line that are kept.
const KEPT_LINE: usize = 128;

/// Something quoted that has begun.
#[derive(Debug, Clone)]
pub(super) enum Quote {
    /// `'…'` or `"…"`.
    Pair(Pair),
    /// `$`, then perhaps a tag, then `$`: not yet known to be a quote.
    Opening { tag: Vec<u8> },
    /// `$tag$…$tag$`; `matched` bytes of the closing delimiter have been seen.
    Dollar { delimiter: Vec<u8>, matched: usize },
    /// `-- …` up to the end of the line, with its first bytes.
    Line { text: Vec<u8> },
    /// `/* … */`, nested; `last` is the byte before, if it may begin a pair.
    Block { depth: u64, last: u8 },
    /// `\restrict …`, a line for psql, with its first bytes and where it began.
    Meta { text: Vec<u8>, start: u64 },
}

/// A quote that a doubled mark does not end.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    mark: u8,
    /// A backslash takes the next byte with it.
    pub(super) escapes: bool,
    skip: bool,
    /// A mark was seen; it ends the quote unless another follows.
    closing: bool,
}

/// How a piece of a block went.
pub(super) enum Step {
    /// All of it was inside.
    Inside,
    /// The quote ended, so many bytes into the piece.
    Ended(usize),
    /// A `$` was no quote after all; what follows it up to here was its tag.
    NotQuote(usize),
}

impl Quote {
    pub(super) fn pair(mark: u8, escapes: bool) -> Self {
        Self::Pair(Pair { mark, escapes, skip: false, closing: false })
    }

    /// Takes bytes up to the end of the quote or of the piece.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Step {
        match self {
            Self::Pair(pair) => pair.feed(piece),
            Self::Opening { tag } => match opening(piece, tag) {
                Ok(taken) => {
                    let delimiter = [b"$", tag.as_slice(), b"$"].concat();
                    *self = Self::Dollar { delimiter, matched: 0 };
                    match self.feed(&piece[taken..]) {
                        Step::Ended(at) => Step::Ended(taken + at),
                        other => other,
                    }
                }
                Err(step) => step,
            },
            Self::Dollar { delimiter, matched } => dollar(piece, delimiter, matched),
            // The server and psql also end a comment at a carriage return.
            Self::Line { text } => line(memchr2(b'\n', b'\r', piece), piece, text),
            Self::Meta { text, .. } => line(memchr(b'\n', piece), piece, text),
            Self::Block { depth, last } => nested(piece, depth, last),
        }
    }
}

impl Pair {
    fn feed(&mut self, piece: &[u8]) -> Step {
        let mut at = 0;
        while at < piece.len() {
            if self.skip {
                self.skip = false;
                at += 1;
            } else if self.closing {
                if piece[at] != self.mark {
                    return Step::Ended(at);
                }
                self.closing = false;
                at += 1;
            } else {
                let rest = &piece[at..];
                let found = if self.escapes {
                    memchr2(self.mark, b'\\', rest)
                } else {
                    memchr(self.mark, rest)
                };
                let Some(found) = found else { return Step::Inside };
                self.skip = rest[found] != self.mark;
                self.closing = !self.skip;
                at += found + 1;
            }
        }
        Step::Inside
    }
}

/// `Ok(n)` when the delimiter was whole after `n` bytes.
fn opening(piece: &[u8], tag: &mut Vec<u8>) -> Result<usize, Step> {
    for (at, &byte) in piece.iter().enumerate() {
        let fits = match byte {
            b'$' => return Ok(at + 1),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => true,
            b'0'..=b'9' => !tag.is_empty(),
            _ => false,
        };
        if !fits || tag.len() == LONGEST_TAG {
            return Err(Step::NotQuote(at));
        }
        tag.push(byte);
    }
    Err(Step::Inside)
}

fn dollar(piece: &[u8], delimiter: &[u8], matched: &mut usize) -> Step {
    let mut at = 0;
    while at < piece.len() {
        if *matched == 0 {
            let Some(found) = memchr(b'$', &piece[at..]) else { return Step::Inside };
            at += found + 1;
            *matched = 1;
        } else {
            // A dollar sign stands at the delimiter's ends only, so that after a
            // mismatch nothing but a new beginning can match.
            let byte = piece[at];
            *matched = match byte {
                _ if byte == delimiter[*matched] => *matched + 1,
                b'$' => 1,
                _ => 0,
            };
            at += 1;
        }
        if *matched == delimiter.len() {
            return Step::Ended(at);
        }
    }
    Step::Inside
}

fn line(end: Option<usize>, piece: &[u8], text: &mut Vec<u8>) -> Step {
    let inside = &piece[..end.unwrap_or(piece.len())];
    let room = KEPT_LINE.saturating_sub(text.len());
    text.extend_from_slice(&inside[..inside.len().min(room)]);
    end.map_or(Step::Inside, Step::Ended)
}

fn nested(piece: &[u8], depth: &mut u64, last: &mut u8) -> Step {
    for (at, &byte) in piece.iter().enumerate() {
        match (*last, byte) {
            (b'/', b'*') => *depth += 1,
            (b'*', b'/') => {
                *depth -= 1;
                if *depth == 0 {
                    return Step::Ended(at + 1);
                }
            }
            _ => {
                *last = byte;
                continue;
            }
        }
        // Each byte belongs to one pair: `/*/` opens and does not close.
        *last = 0;
    }
    Step::Inside
}
