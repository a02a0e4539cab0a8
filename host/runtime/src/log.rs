//! The lines of a call: from the component's `log` and its standard output and
//! error, and from its connections. Bounded in number and length, and clean.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use crate::{
    LogLevel, Observer,
    bindings::imported::log::{Host, Level},
    state::State,
    text::clean,
};

/// Where lines go. Cheap to clone; all clones count together.
#[derive(Clone)]
pub(crate) struct Lines {
    shared: Arc<Shared>,
}

struct Shared {
    observer: Arc<dyn Observer>,
    most: u32,
    line_bytes: usize,
    seen: AtomicU32,
}

impl Lines {
    pub(crate) fn new(observer: Arc<dyn Observer>, most: u32, line_bytes: usize) -> Self {
        let shared = Shared { observer, most, line_bytes, seen: AtomicU32::new(0) };
        Self { shared: Arc::new(shared) }
    }

    /// The longest line that is kept, in bytes.
    pub(crate) fn line_bytes(&self) -> usize {
        self.shared.line_bytes
    }

    pub(crate) fn add(&self, level: LogLevel, line: &str) {
        let shared = &self.shared;
        let seen = shared.seen.load(Relaxed);
        shared.seen.store(seen.saturating_add(1), Relaxed);
        if seen < shared.most {
            shared.observer.log(level, clean(line, shared.line_bytes, false).trim_end());
        }
    }

    /// Says how many lines were left out, if there were any.
    pub(crate) fn finish(&self) {
        let out = self.shared.seen.load(Relaxed).saturating_sub(self.shared.most);
        if out > 0 {
            let lines =
                if out == 1 { "1 more line was" } else { &format!("{out} more lines were") };
            self.shared.observer.log(LogLevel::Warning, &format!("{lines} left out"));
        }
    }
}

impl Host for State {
    fn write(&mut self, level: Level, line: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warning => LogLevel::Warning,
            Level::Error => LogLevel::Error,
        };
        for line in line.lines() {
            self.lines.add(level, line);
        }
        Ok(())
    }
}
