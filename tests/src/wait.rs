//! Waiting for something to become true, instead of sleeping and hoping.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Asks fifty times a second until there is an answer, and returns it.
///
/// # Panics
/// When there is none after the limit; `what` says for what was waited.
#[track_caller]
pub fn wait_until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_returned_as_soon_as_there_is_one() {
        let mut asked = 0;
        let answer = wait_until("three questions", Duration::from_secs(5), || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(answer, 3);
    }

    #[test]
    #[should_panic(expected = "in vain: snow in summer")]
    fn waiting_in_vain_says_for_what() {
        wait_until("snow in summer", Duration::from_millis(30), || None::<()>);
    }
}
