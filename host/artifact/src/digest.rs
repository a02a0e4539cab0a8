//! Size and SHA-256 of a file that is read again.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// What a file is recognised by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Bytes in all.
    pub size_bytes: u64,
    /// SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// Reads `file` to its end.
pub fn digest(mut file: impl Read) -> io::Result<Digest> {
    let mut hasher = Hasher::default();
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(length) => hasher.update(&block[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Hashes and counts.
#[derive(Default)]
pub(crate) struct Hasher {
    hash: Sha256,
    size: u64,
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
    }

    pub(crate) fn finish(self) -> Digest {
        Digest { size_bytes: self.size, sha256: hex::encode(self.hash.finalize()) }
    }
}
