//! Trouble that passes, and when something is tried again that had it.

use std::time::{Duration, Instant};

use cofferdam_runtime::Refusal;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(10);
/// The longest: a disk has room again, a file may be read.
const LONGEST: Duration = Duration::from_mins(5);
/// The longest after compiling has used up what it was given, which takes
/// minutes of the processor each time.
const LONGEST_COMPILING: Duration = Duration::from_hours(6);

/// Why something is not loaded now.
pub(super) struct Trouble {
    pub(super) reason: String,
    /// Nothing where the file itself is what is wrong.
    longest: Option<Duration>,
}

impl Trouble {
    /// It is not the file's fault.
    pub(super) fn passing(reason: String) -> Self {
        Self { reason, longest: Some(LONGEST) }
    }

    /// How it is told to people.
    pub(super) fn told(&self) -> String {
        match self.longest {
            Some(_) => format!("{}\nHINT: the console tries it again by itself", self.reason),
            None => self.reason.clone(),
        }
    }

    /// Until when to wait, if trying again may help.
    pub(super) fn pause(&self, before: Option<Pause>) -> Option<Pause> {
        let length = before.map_or(FIRST, |before| before.length * 2).min(self.longest?);
        Some(Pause { until: Instant::now() + length, length })
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        let longest = match &refusal {
            Refusal::Host(_) => Some(LONGEST),
            Refusal::CompileTime(_) | Refusal::CompileCrash { .. } => Some(LONGEST_COMPILING),
            _ => None,
        };
        Self { reason: refusal.to_string(), longest }
    }
}

/// How long something is left alone that failed for a passing reason.
#[derive(Clone, Copy)]
pub(super) struct Pause {
    until: Instant,
    length: Duration,
}

impl Pause {
    /// Whether it is still to be waited for.
    pub(super) fn is_ahead(self) -> bool {
        Instant::now() < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_longest_one_and_a_bad_file_has_none() {
        let lengths = |trouble: &Trouble| {
            let mut pause = None;
            for _ in 0..30 {
                pause = trouble.pause(pause);
            }
            (trouble.pause(None).map(|it| it.length), pause.map(|it| it.length))
        };
        let full = Trouble::passing("the disk is full".to_owned());
        assert_eq!(lengths(&full), (Some(FIRST), Some(LONGEST)));
        let slow = Trouble::from(Refusal::CompileTime(Duration::from_mins(2)));
        assert_eq!(lengths(&slow), (Some(FIRST), Some(LONGEST_COMPILING)));
        assert_eq!(lengths(&Trouble::from(Refusal::NotWasm)), (None, None));
    }
}
