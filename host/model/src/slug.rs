//! The short name of a database in file names, addresses and commands.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A database's short name: 1 to 63 of `a`–`z`, `0`–`9`, `_` and `-`.
/// Safe in file names, URLs and shell commands as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

/// Why a text is not a [`Slug`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// Nothing was given.
    #[error("a short name is needed")]
    Empty,
    /// More than 63 characters.
    #[error("a short name has at most 63 characters")]
    TooLong,
    /// Something outside the alphabet.
    #[error("a short name has only lower-case letters a–z, digits, _ and -")]
    Character,
    /// A leading `-` would look like an option on a command line.
    #[error("a short name does not start with -")]
    LeadingDash,
}

impl Slug {
    const MAX: usize = 63;

    /// The nearest slug to any name: other characters become `_`, and a name
    /// of which nothing remains becomes `database`.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let mut text = String::new();
        for c in name.chars().flat_map(char::to_lowercase) {
            match c {
                'a'..='z' | '0'..='9' | '_' | '-' => text.push(c),
                _ if !text.is_empty() && !text.ends_with('_') => text.push('_'),
                _ => {}
            }
            if text.len() == Self::MAX {
                break;
            }
        }
        let text = text.trim_matches(['_', '-']);
        Self(if text.is_empty() { "database".to_owned() } else { text.to_owned() })
    }

    /// This slug with `_2`, `_3` … behind it, shortened where it must be.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let suffix = format!("_{number}");
        let keep = self.0.len().min(Self::MAX - suffix.len());
        Self(format!("{}{suffix}", &self.0[..keep]))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = SlugError;
    fn from_str(text: &str) -> Result<Self, SlugError> {
        if text.is_empty() {
            return Err(SlugError::Empty);
        }
        if text.len() > Self::MAX {
            return Err(SlugError::TooLong);
        }
        if text.starts_with('-') {
            return Err(SlugError::LeadingDash);
        }
        let allowed =
            |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_' || c == b'-';
        if !text.bytes().all(allowed) {
            return Err(SlugError::Character);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Slug {
    type Error = SlugError;
    fn try_from(text: String) -> Result<Self, SlugError> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_nearest_slug_that_parses() {
        for (name, slug) in [
            ("Shop", "shop"),
            ("my shop (2)", "my_shop_2"),
            ("-f/x", "f_x"),
            ("..", "database"),
            ("", "database"),
            ("Größe", "gr_e"),
            ("postgres://x", "postgres_x"),
        ] {
            assert_eq!(Slug::from_name(name).as_str(), slug);
            assert!(slug.parse::<Slug>().is_ok());
        }
        assert_eq!(Slug::from_name(&"x".repeat(200)).as_str().len(), 63);
    }

    #[test]
    fn numbering_stays_within_the_length() {
        let long: Slug = "x".repeat(63).parse().expect("63 characters");
        assert_eq!(long.numbered(12).as_str().len(), 63);
        assert!(long.numbered(12).as_str().ends_with("x_12"));
    }

    #[test]
    fn what_could_leave_a_folder_or_look_like_an_option_is_refused() {
        for bad in ["", "-f", "a/b", "..", "a b", "A", "é", &"x".repeat(64)] {
            assert!(bad.parse::<Slug>().is_err(), "{bad:?}");
        }
    }
}
