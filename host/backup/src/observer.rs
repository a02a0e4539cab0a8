//! What a run tells while it goes on.

use chrono::Utc;
use cofferdam_artifact::follow::Live;
use cofferdam_model::{Failure, LogLevel, LogLine, Progress};

/// Who listens to a run. Called from the run's threads, and it should return
/// soon: the dump does not wait for it, but the progress does.
pub trait Observer: Send + Sync {
    /// Where the run is: on each change of phase, and about four times a second.
    fn progress(&self, progress: &Progress);

    /// One more line of the run's log.
    fn log(&self, line: LogLine);

    /// The file has begun, and can be read while it grows. Called at most once
    /// per run; the run itself tells `live` how it ended.
    fn followable(&self, live: Live) {
        drop(live);
    }

    /// Asked once the file is whole and checked, right before it gets its
    /// name: is the lease still ours? An error drops the file.
    fn before_publish(&self) -> Result<(), Failure>;
}

/// Writes lines for an [`Observer`]: always one line, never a control character.
#[derive(Clone, Copy)]
pub(crate) struct Journal<'a>(pub(crate) &'a dyn Observer);

impl Journal<'_> {
    pub(crate) fn info(self, text: impl AsRef<str>) {
        self.line(LogLevel::Info, text.as_ref());
    }

    pub(crate) fn warning(self, text: impl AsRef<str>) {
        self.line(LogLevel::Warning, text.as_ref());
    }

    pub(crate) fn error(self, text: impl AsRef<str>) {
        self.line(LogLevel::Error, text.as_ref());
    }

    fn line(self, level: LogLevel, text: &str) {
        self.0.log(LogLine { at: Utc::now(), level, text: plain_line(text) });
    }
}

/// The text as one line: a name with a line break in it must not look like a
/// second line of the log, nor an escape sequence like anything at all.
pub(crate) fn plain_line(text: &str) -> String {
    let plain = |c| match c {
        // Servers indent their hints with it.
        '\t' => ' ',
        c if is_unfit(c) => '\u{fffd}',
        c => c,
    };
    text.trim_end().chars().map(plain).collect()
}

/// Characters that are invisible or turn text around.
pub(crate) fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::plain_line;

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(
            plain_line("Is the server running?\tIt is not."),
            "Is the server running? It is not."
        );
        assert_eq!(plain_line("a\nb\u{1b}[31m\u{202e}c\n"), "a\u{fffd}b\u{fffd}[31m\u{fffd}c");
    }
}
