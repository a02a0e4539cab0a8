//! Digests of secrets: what the catalog keeps in place of cookie keys and tokens.

use std::fmt;

use sha2::Digest as _;

/// A SHA-256 digest. For keys and tokens of full entropy, so no salt and no
/// slow hash are needed; the plain text is never stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(sha2::Sha256::digest(bytes.as_ref()).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<Vec<u8>> for Digest {
    type Error = String;
    fn try_from(bytes: Vec<u8>) -> Result<Self, String> {
        bytes.try_into().map(Self).map_err(|b: Vec<u8>| format!("{} bytes, not 32", b.len()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.to_hex())
    }
}
