//! What is heard of a component's calls.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cofferdam_runtime::{Denied, LogLevel, Observer};

/// More texts than this are not kept: a component may write as many as it likes.
const TEXTS_MAX: usize = 20_000;

/// Every text that people would see, and what was denied.
#[derive(Debug, Default)]
pub struct Heard {
    texts: Mutex<Vec<(&'static str, String)>>,
    denied: Mutex<Vec<Denied>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Heard {
    /// Keeps a text, with what it is.
    pub fn text(&self, what: &'static str, text: &str) {
        let mut texts = lock(&self.texts);
        if texts.len() < TEXTS_MAX {
            texts.push((what, text.to_owned()));
        }
    }

    /// What the first text is that holds one of these words.
    pub fn holds(&self, words: &[&str]) -> Option<&'static str> {
        let texts = lock(&self.texts);
        let found = texts.iter().find(|(_, text)| words.iter().any(|word| text.contains(word)));
        found.map(|(what, _)| *what)
    }

    /// How many texts there are.
    pub fn count(&self) -> usize {
        lock(&self.texts).len()
    }

    /// What was denied since somebody asked last.
    pub fn take_denied(&self) -> Vec<Denied> {
        std::mem::take(&mut lock(&self.denied))
    }
}

impl Observer for Heard {
    fn log(&self, _level: LogLevel, line: &str) {
        self.text("a log line", line);
    }

    fn sent(&self, _bytes: u64) {}

    fn denied(&self, what: &Denied) {
        let mut denied = lock(&self.denied);
        if denied.len() < TEXTS_MAX {
            denied.push(what.clone());
        }
    }
}
