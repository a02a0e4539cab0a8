//! Plugins: what identifies a component, and the plugin that it is a version of.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The SHA-256 of a component file, 64 lower-case hexadecimal digits. Approval
/// and grants belong to it: one changed byte is another component.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ComponentHash(String);

impl ComponentHash {
    /// The hash of these 32 bytes.
    #[must_use]
    pub fn from_bytes(digest: &[u8; 32]) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in digest {
            // Writing into a `String` does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// All 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, which are enough for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl FromStr for ComponentHash {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() == 64 && text.bytes().all(digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a component's hash is 64 lower-case hexadecimal digits".to_owned())
        }
    }
}

impl TryFrom<String> for ComponentHash {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ComponentHash> for String {
    fn from(hash: ComponentHash) -> Self {
        hash.0
    }
}

impl fmt::Display for ComponentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a plugin calls itself in all its versions: 1 to 40 of `a`–`z`, `0`–`9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginId(String);

/// The text is not a [`PluginId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a plugin's id has 1 to 40 lower-case letters a–z, digits and -")]
pub struct PluginIdError;

impl PluginId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PluginId {
    type Err = PluginIdError;
    fn from_str(text: &str) -> Result<Self, PluginIdError> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if (1..=40).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PluginIdError)
        }
    }
}

impl TryFrom<String> for PluginId {
    type Error = PluginIdError;
    fn try_from(text: String) -> Result<Self, PluginIdError> {
        text.parse()
    }
}

impl From<PluginId> for String {
    fn from(id: PluginId) -> Self {
        id.0
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_one_spelling() {
        let hash = ComponentHash::from_bytes(&[0xab; 32]);
        assert_eq!(hash.as_str(), "ab".repeat(32));
        assert_eq!(hash.as_str().parse(), Ok(hash));
        for bad in ["", "AB", &"AB".repeat(32), &"ab".repeat(33), &"zz".repeat(32)] {
            assert!(bad.parse::<ComponentHash>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_could_be_a_path_or_an_option_is_no_plugin() {
        for bad in ["", "-x", "a/b", "..", "A", "a_b", &"x".repeat(41)] {
            assert!(bad.parse::<PluginId>().is_err(), "{bad:?}");
        }
        assert!("local-retention".parse::<PluginId>().is_ok());
    }
}
