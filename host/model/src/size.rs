//! Sizes as people read them, the same on pages, in logs and on the command line.

const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];

/// A size in decimal units, three digits at most: `512 bytes`, `83 MB`, `1.41 GB`.
#[must_use]
pub fn size(count: u64) -> String {
    if count == 1 {
        return "1 byte".to_owned();
    }
    if count < 1000 {
        return format!("{count} bytes");
    }
    let mut value = count as f64 / 1000.0;
    let mut unit = 0;
    // 999.5 and more would be written "1000".
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    let text = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_three_digits_and_a_decimal_unit() {
        for (count, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1 kB"),
            (6_514_000, "6.51 MB"),
            (999_600_000, "1 GB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(size(count), text);
        }
    }
}
