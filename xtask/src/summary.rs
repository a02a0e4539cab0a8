//! How many tests passed, read from what the test runners print.

/// Tests that passed and that did not.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    /// Those that passed.
    pub(crate) passed: u64,
    /// Those that failed, timed out or could not be run.
    pub(crate) failed: u64,
    /// Those that a filter left out.
    pub(crate) skipped: u64,
}

impl Count {
    /// Adds another runner's.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Reads one line of `cargo nextest`: `Summary [ 1.2s] 3 tests run: 2
    /// passed (1 slow), 1 failed, 4 skipped`; anything else is `None`.
    pub(crate) fn of_nextest(line: &str) -> Option<Self> {
        let line = plain(line);
        let (_, counts) = line.trim_start().strip_prefix("Summary")?.split_once(" run: ")?;
        Some(Self::from_words(counts))
    }

    /// Reads one line of `cargo test`: `test result: ok. 3 passed; 0 failed; …`.
    pub(crate) fn of_cargo_test(line: &str) -> Option<Self> {
        Some(Self::from_words(plain(line).strip_prefix("test result: ")?))
    }

    fn from_words(text: &str) -> Self {
        let words: Vec<_> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let mut count = Self::default();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => count.passed += number,
                "failed" | "timed" | "exec" => count.failed += number,
                "skipped" | "ignored" => count.skipped += number,
                _ => {}
            }
        }
        count
    }
}

/// A line without colours.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        text.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextests_summary_is_read_in_all_its_forms() {
        let read = |line| Count::of_nextest(line).map(|c| (c.passed, c.failed, c.skipped));
        assert_eq!(
            read("     Summary [   0.014s] 2 tests run: 2 passed, 0 skipped"),
            Some((2, 0, 0))
        );
        assert_eq!(
            read(
                "\u{1b}[31;1m     Summary\u{1b}[0m [ 62.1s] 9/12 tests run: 5 passed (1 slow), 3 failed (1 due to being leaky), 1 timed out, 4 skipped"
            ),
            Some((5, 4, 4))
        );
        assert_eq!(read("        PASS [   0.004s] xtask a_summary_is_read"), None);
    }

    #[test]
    fn cargo_tests_result_line_is_read() {
        let line = "test result: FAILED. 4 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(Count::of_cargo_test(line), Some(Count { passed: 4, failed: 1, skipped: 2 }));
    }
}
