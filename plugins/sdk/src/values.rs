//! Lengths of time and sizes, as people write them in a form.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de};

/// A length of time: `90s`, `15m`, `12h`, `7d`, `2w`. At least a second, at most 100 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(u64);

impl Period {
    /// In seconds.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800)];
        scaled(text, &units)
            .filter(|seconds| (1..=100 * 365 * 86_400).contains(seconds))
            .map(Self)
            .ok_or_else(|| {
                format!("{text:?} is no length of time: write it as 90s, 15m, 12h or 7d")
            })
    }
}

/// A number of bytes: `64 MiB`, `1GiB`, `500 KB`, `4096`. At least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

impl Size {
    /// So many MiB.
    pub const fn mebibytes(number: u64) -> Self {
        Self(number << 20)
    }

    /// In bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [
            ("", 1),
            ("b", 1),
            ("kib", 1 << 10),
            ("mib", 1 << 20),
            ("gib", 1 << 30),
            ("tib", 1 << 40),
            ("kb", 1_000),
            ("mb", 1_000_000),
            ("gb", 1_000_000_000),
            ("tb", 1_000_000_000_000),
        ];
        scaled(text, &units)
            .filter(|bytes| *bytes > 0)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no size: write it as 64 MiB or 1 GiB"))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
        let whole = units.iter().find(|(_, shift)| self.0.is_multiple_of(1 << shift));
        match whole {
            Some((unit, shift)) => write!(f, "{} {unit}", self.0 >> shift),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// A whole number and one of the units, whatever their case and the space between.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

macro_rules! read_from_text {
    ($type:ident, $number:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                #[derive(Deserialize)]
                #[serde(untagged)]
                enum Written {
                    Number(u64),
                    Text(String),
                    Other(de::IgnoredAny),
                }
                let text = match Written::deserialize(from)? {
                    Written::Number(number) => format!("{number}{}", $number),
                    Written::Text(text) => text,
                    Written::Other(_) => "this".to_owned(),
                };
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

// A bare number is a number of seconds, and of bytes.
read_from_text!(Period, "s");
read_from_text!(Size, "");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, seconds) in [("90s", 90), ("15 m", 900), ("12h", 43_200), ("7D", 604_800)] {
            assert_eq!(text.parse::<Period>().map(Period::seconds), Ok(seconds), "{text}");
        }
        for text in
            ["", "7", "0d", "-1d", "d", "1.5h", "99999999999999999999s", "200000w", "7 days"]
        {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [("64 MiB", 64 << 20), ("1gib", 1 << 30), ("500KB", 500_000), ("1", 1)]
        {
            assert_eq!(text.parse::<Size>().map(Size::bytes), Ok(bytes), "{text}");
        }
        for text in ["", "0", "MiB", "-1 MiB", "1 XiB", "99999999 TiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_them_fail_badly(text in ".{0,30}") {
            let _ = text.parse::<Period>();
            let _ = text.parse::<Size>();
        }

        #[test]
        fn a_size_is_read_back_as_it_is_shown(bytes in 1u64..1 << 45) {
            let shown = Size(bytes).to_string().replace(" bytes", "");
            prop_assert_eq!(shown.parse::<Size>(), Ok(Size(bytes)));
        }
    }
}
