//! What was denied in a call, told so that it stays readable: a component may
//! ask a million times for what it may not have.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{Denied, LogLevel, Observer, text::clean};

/// Different ones that are told.
pub(crate) const DIFFERENT: usize = 20;
/// The longest name that a host has.
const HOST: usize = 253;

/// Passes on what it hears, and of equal denials only the first.
pub(crate) struct Denials {
    observer: Arc<dyn Observer>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// With how often each came again.
    told: Vec<(Denied, u64)>,
    left_out: u64,
}

impl Denials {
    pub(crate) fn new(observer: Arc<dyn Observer>) -> Arc<Self> {
        Arc::new(Self { observer, seen: Mutex::default() })
    }

    /// Whether this is to be told.
    fn is_new(&self, what: &Denied) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, again)) = seen.told.iter_mut().find(|(told, _)| told == what) {
            *again += 1;
            return false;
        }
        if seen.told.len() == DIFFERENT {
            seen.left_out += 1;
            return false;
        }
        seen.told.push((what.clone(), 0));
        true
    }

    /// Says how many there were beside those that were told.
    pub(crate) fn finish(&self) {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        let warn = |line: String| self.observer.log(LogLevel::Warning, &line);
        for (denied, again) in seen.told {
            match again {
                0 => {}
                1 => warn(format!("once more: {denied}")),
                _ => warn(format!("{again} more times: {denied}")),
            }
        }
        match seen.left_out {
            0 => {}
            1 => warn("something else was denied as well".to_owned()),
            count => warn(format!("other things were denied as well, {count} times")),
        }
    }
}

impl Observer for Denials {
    fn log(&self, level: LogLevel, line: &str) {
        self.observer.log(level, line);
    }

    fn sent(&self, bytes: u64) {
        self.observer.sent(bytes);
    }

    fn denied(&self, what: &Denied) {
        let mut what = what.clone();
        if let Some(host) = what.host_mut() {
            *host = clean(host, HOST, false);
        }
        if self.is_new(&what) {
            self.observer.denied(&what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Ear(Mutex<Vec<String>>);

    impl Observer for Ear {
        fn log(&self, _level: LogLevel, line: &str) {
            self.0.lock().expect("not poisoned").push(line.to_owned());
        }
        fn sent(&self, _bytes: u64) {}
        fn denied(&self, what: &Denied) {
            self.log(LogLevel::Warning, &what.to_string());
        }
    }

    #[test]
    fn equal_denials_are_told_once_and_counted_and_different_ones_have_an_end() {
        let ear = Arc::new(Ear::default());
        let denials = Denials::new(Arc::clone(&ear) as Arc<dyn Observer>);
        let host = |host: String| Denied::Host { host, port: 80 };
        for _ in 0..1_000 {
            denials.denied(&Denied::Mail);
        }
        denials.denied(&Denied::Sink);
        denials.denied(&Denied::Sink);
        for number in 0..1_000 {
            denials.denied(&host(format!("h{number}")));
        }
        denials.finish();
        let lines = ear.0.lock().expect("not poisoned");
        assert_eq!(lines.len(), DIFFERENT + 3);
        assert_eq!(lines[0], Denied::Mail.to_string());
        assert_eq!(lines[DIFFERENT], format!("999 more times: {}", Denied::Mail));
        assert_eq!(lines[DIFFERENT + 1], format!("once more: {}", Denied::Sink));
        assert_eq!(lines[DIFFERENT + 2], "other things were denied as well, 982 times");
    }

    #[test]
    fn a_long_host_is_cut() {
        let ear = Arc::new(Ear::default());
        let denials = Denials::new(Arc::clone(&ear) as Arc<dyn Observer>);
        denials.denied(&Denied::Host { host: "x".repeat(60_000), port: 80 });
        assert!(ear.0.lock().expect("not poisoned")[0].len() < 400);
    }
}
