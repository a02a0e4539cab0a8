//! What somebody may choose for one backup.

use serde::{Deserialize, Serialize};

/// Why an option was refused. The text stands beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// The level is outside 1–9.
    #[error("the compression level is a whole number from 1 to 9")]
    Level,
    /// The format is unknown.
    #[error("the format is plain or custom")]
    Format,
    /// The description is too long.
    #[error("a description has at most 500 characters")]
    DescriptionLength,
    /// Control characters would break logs and headers.
    #[error("control characters and direction marks are not allowed here")]
    ControlCharacter,
    /// A label is empty or too long.
    #[error("a label has 1 to 40 characters")]
    LabelLength,
}

/// How a PostgreSQL backup is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Format {
    /// SQL text in gzip members: `.sql.gz`.
    #[default]
    Plain,
    /// `pg_dump`'s custom archive, compressed once by `pg_dump`: `.dump`.
    Custom,
}

impl Format {
    /// As written in JSON, forms and the catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Custom => "custom",
        }
    }

    /// The file name's ending, with its dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Plain => ".sql.gz",
            Self::Custom => ".dump",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = OptionError;
    fn from_str(text: &str) -> Result<Self, OptionError> {
        match text {
            "plain" => Ok(Self::Plain),
            "custom" => Ok(Self::Custom),
            _ => Err(OptionError::Format),
        }
    }
}

/// A gzip level from 1 (fast) to 9 (small).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Level(u8);

impl Level {
    /// Level 3: on two cores the dump stays as fast as `pg_dump` alone, and
    /// the file is smaller than `gzip -9` makes it (see README, "Speed").
    pub const DEFAULT: Self = Self(3);

    /// The number, 1 to 9.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl TryFrom<i64> for Level {
    type Error = OptionError;
    fn try_from(number: i64) -> Result<Self, OptionError> {
        match u8::try_from(number) {
            Ok(level @ 1..=9) => Ok(Self(level)),
            _ => Err(OptionError::Level),
        }
    }
}

impl From<Level> for i64 {
    fn from(level: Level) -> Self {
        level.0.into()
    }
}

impl std::str::FromStr for Level {
    type Err = OptionError;
    fn from_str(text: &str) -> Result<Self, OptionError> {
        text.trim().parse::<i64>().map_err(|_| OptionError::Level)?.try_into()
    }
}

/// Characters that are invisible or turn text around, and so can make a line
/// of a log or a page say something else than it does.
#[must_use]
pub fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $min:expr, $max:expr, $length:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = OptionError;
            fn from_str(text: &str) -> Result<Self, OptionError> {
                let text = text.trim();
                if !($min..=$max).contains(&text.chars().count()) {
                    return Err($length);
                }
                if text.chars().any(is_unfit) {
                    return Err(OptionError::ControlCharacter);
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = OptionError;
            fn try_from(text: String) -> Result<Self, OptionError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}

checked_text!(
    /// What somebody wrote about a backup: at most 500 characters, one line, perhaps empty.
    Description, 0, 500, OptionError::DescriptionLength
);
checked_text!(
    /// A label on a backup: 1 to 40 characters, one line.
    Label, 1, 40, OptionError::LabelLength
);

/// The choices for one backup.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BackupOptions {
    /// A note for people.
    #[serde(default)]
    pub description: Description,
    /// How hard to compress.
    #[serde(default)]
    pub level: Level,
    /// Plain SQL or `pg_dump`'s archive.
    #[serde(default)]
    pub format: Format,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_outside_one_to_nine_are_refused() {
        for bad in ["0", "10", "-1", "3.5", "", "fast", "99999999999999999999"] {
            assert_eq!(bad.parse::<Level>(), Err(OptionError::Level));
        }
        assert_eq!("9".parse::<Level>().map(Level::get), Ok(9));
    }

    #[test]
    fn text_that_could_forge_a_log_line_is_refused() {
        for bad in ["a\r\nb", "a\0b", "a\u{202e}b", "a\u{1b}[31m"] {
            assert_eq!(bad.parse::<Description>(), Err(OptionError::ControlCharacter));
        }
    }
}
