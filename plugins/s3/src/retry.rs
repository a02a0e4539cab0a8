//! Trying again within a delivery, so that one lost part does not cost the whole.

use std::{thread, time::Duration};

use cofferdam_plugin::{Failure, Result, log};

/// How often a request is sent at most.
const ATTEMPTS: u32 = 4;

/// The first pause; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// A service that asks for a longer pause gets it from the console, which
/// starts the delivery again then.
const LONGEST: Duration = Duration::from_secs(20);

/// Calls until it succeeds, fails for good, or has failed [`ATTEMPTS`] times.
pub(crate) fn retrying<T>(what: &str, mut call: impl FnMut() -> Result<T>) -> Result<T> {
    let mut attempt = 1;
    loop {
        let failure = match call() {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let Some(pause) = pause(&failure, attempt) else {
            return Err(failure.context(what));
        };
        log::warning(format_args!(
            "{what}: {}; trying again in {} ms",
            failure.message(),
            pause.as_millis()
        ));
        thread::sleep(pause);
        attempt += 1;
    }
}

/// How long to wait before the next attempt; nothing where there is to be none.
fn pause(failure: &Failure, attempt: u32) -> Option<Duration> {
    let Failure::Temporary(temporary) = failure else { return None };
    if attempt >= ATTEMPTS {
        return None;
    }
    let own = PAUSE * 2_u32.pow(attempt - 1);
    let asked = temporary.retry_after.map(|seconds| Duration::from_secs(seconds.into()));
    let pause = asked.map_or(own, |asked| asked.max(own));
    (pause <= LONGEST).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_and_end() {
        let failure = Failure::temporary("busy");
        let pauses: Vec<_> = (1..=4).map(|attempt| pause(&failure, attempt)).collect();
        let millis = |number| Some(Duration::from_millis(number));
        assert_eq!(pauses, [millis(500), millis(1_000), millis(2_000), None]);
    }

    #[test]
    fn a_service_that_asks_for_long_is_left_to_the_console() {
        assert_eq!(
            pause(&Failure::temporary_after("busy", Some(5)), 1),
            Some(Duration::from_secs(5))
        );
        assert_eq!(pause(&Failure::temporary_after("busy", Some(60)), 1), None);
    }

    #[test]
    fn what_fails_for_good_is_not_tried_again() {
        assert_eq!(pause(&Failure::denied("no"), 1), None);
        assert_eq!(pause(&Failure::permanent("no"), 1), None);
    }
}
