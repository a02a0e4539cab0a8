//! Texts that others have written, in the console's own log.

use std::fmt::{self, Display, Formatter, Write as _};

/// Shows a text on one line: another line would look like one of the log's own,
/// whoever has written it.
pub struct OneLine<T>(pub T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Breaks(f), "{}", self.0)
    }
}

/// Writes a space for each end of a line.
struct Breaks<'a, 'f>(&'a mut Formatter<'f>);

impl fmt::Write for Breaks<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (number, line) in text.split(['\n', '\r', '\u{2028}', '\u{2029}']).enumerate() {
            if number > 0 {
                self.0.write_char(' ')?;
            }
            self.0.write_str(line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_makes_a_line_of_its_own() {
        let told = format!("failed: {}", OneLine("x\n2026-01-01 INFO root signed in\r\n"));
        assert_eq!(told, "failed: x 2026-01-01 INFO root signed in  ");
    }
}
