//! Numbers and times as people read them. The API's `…_relative` fields use
//! the same functions, so that a page and a program never differ.

use cofferdam_model::Timestamp;

pub use cofferdam_model::size as bytes;

/// The exact size: `1,412,345,678 bytes`.
#[must_use]
pub fn bytes_exact(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{} bytes", number(count)) }
}

/// A rate: `83 MB/s`.
#[must_use]
pub fn rate(bytes_per_second: u64) -> String {
    if bytes_per_second < 1000 {
        format!("{bytes_per_second} B/s")
    } else {
        format!("{}/s", bytes(bytes_per_second))
    }
}

/// A whole number with separators: `1,412`.
#[must_use]
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A percentage for people: whole, rounded down, so that 100 is said only of what is done.
#[must_use]
pub fn percent(value: f64) -> u8 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Clamped to 0–100 first.
    let whole = value.clamp(0.0, 100.0).floor() as u8;
    whole
}

/// A duration: `40 ms`, `0.8 s`, `20 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`.
#[must_use]
pub fn duration(millis: u64) -> String {
    if millis < 100 {
        return format!("{millis} ms");
    }
    if millis < 10_000 {
        return format!("{}.{} s", millis / 1000, millis % 1000 / 100);
    }
    let seconds = millis / 1000;
    let two = |big: u64, big_unit: &str, small: u64, small_unit: &str| {
        if small == 0 {
            format!("{big} {big_unit}")
        } else {
            format!("{big} {big_unit} {small} {small_unit}")
        }
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// Time left, as roughly as it is known: `a few seconds`, `about 20 s`, `about 2 h 10 min`.
#[must_use]
pub fn remaining(seconds: u64) -> String {
    match seconds {
        0..5 => "a few seconds".to_owned(),
        5..60 => format!("about {} s", seconds.next_multiple_of(5)),
        60..3600 => format!("about {} min", seconds.div_ceil(60)),
        _ => format!("about {}", duration(seconds.div_ceil(600) * 600_000)),
    }
}

/// How long ago, or how long until: `just now`, `2 hours ago`, `in 5 minutes`.
#[must_use]
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = (now - at).num_seconds();
    let distance = seconds.unsigned_abs();
    if distance < 10 {
        return "just now".to_owned();
    }
    let (count, unit) = match distance {
        0..60 => (distance, "second"),
        60..3600 => (distance / 60, "minute"),
        3600..86_400 => (distance / 3600, "hour"),
        86_400..2_592_000 => (distance / 86_400, "day"),
        2_592_000..31_536_000 => (distance / 2_592_000, "month"),
        _ => (distance / 31_536_000, "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if seconds >= 0 {
        format!("{count} {unit}{plural} ago")
    } else {
        format!("in {count} {unit}{plural}")
    }
}

/// The exact moment with its zone: `2026-11-21 12:09:37 UTC`.
#[must_use]
pub fn exact(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The moment for programs, as in `<time datetime>`: `2026-11-21T12:09:37Z`.
#[must_use]
pub fn machine(at: Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, TimeZone, Utc};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_have_three_digits_and_a_decimal_unit() {
        for (count, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1 kB"),
            (1234, "1.23 kB"),
            (9_994, "9.99 kB"),
            (9_999, "10 kB"),
            (83_400_000, "83.4 MB"),
            (999_499_999, "999 MB"),
            (999_500_000, "1 GB"),
            (1_412_345_678, "1.41 GB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(bytes_exact(1_412_345_678), "1,412,345,678 bytes");
        assert_eq!(bytes_exact(1), "1 byte");
        assert_eq!((rate(12), rate(83_000_000)), ("12 B/s".to_owned(), "83 MB/s".to_owned()));
    }

    #[test]
    fn durations_name_two_units_at_most() {
        for (millis, text) in [
            (0, "0 ms"),
            (99, "99 ms"),
            (840, "0.8 s"),
            (20_400, "20 s"),
            (60_000, "1 min"),
            (185_000, "3 min 5 s"),
            (7_800_000, "2 h 10 min"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(duration(millis), text);
        }
        for (seconds, text) in [
            (0, "a few seconds"),
            (17, "about 20 s"),
            (61, "about 2 min"),
            (3600, "about 1 h"),
            (7000, "about 2 h"),
            (7300, "about 2 h 10 min"),
        ] {
            assert_eq!(remaining(seconds), text);
        }
    }

    #[test]
    fn relative_times_read_both_ways() {
        let now = Utc.with_ymd_and_hms(2026, 11, 21, 12, 0, 0).single().expect("a date");
        for (seconds, text) in [
            (0, "just now"),
            (-9, "just now"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (7200, "2 hours ago"),
            (86_400, "1 day ago"),
            (5_184_000, "2 months ago"),
            (63_072_000, "2 years ago"),
            (-300, "in 5 minutes"),
        ] {
            assert_eq!(relative(now - Duration::seconds(seconds), now), text);
        }
        assert_eq!(exact(now), "2026-11-21 12:00:00 UTC");
        assert_eq!(machine(now), "2026-11-21T12:00:00Z");
    }

    #[test]
    fn a_percentage_is_never_rounded_up_to_done() {
        assert_eq!(percent(99.999), 99);
        assert_eq!(percent(100.0), 100);
        assert_eq!(percent(f64::NAN), 0);
        assert_eq!(percent(-3.0), 0);
    }

    proptest! {
        #[test]
        fn separators_do_not_change_a_number(count: u64) {
            prop_assert_eq!(number(count).replace(',', ""), count.to_string());
        }

        #[test]
        fn every_size_is_short(count: u64) {
            prop_assert!(bytes(count).len() <= 9);
        }
    }
}
