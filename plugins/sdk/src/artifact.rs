//! The file of the backup that is being delivered. Only within
//! [`Storage::store`](crate::Storage::store).

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

pub use crate::bindings::imports::cofferdam::plugin::artifact::Algorithm;
use crate::{
    Backup, Failure, Result, bindings::imports::cofferdam::plugin::artifact, stream::Input,
};

/// Whether a stream was opened in this call: each call has an instance of its own.
static OPENED: AtomicBool = AtomicBool::new(false);

/// A part of the file. It lies within the file, or the console refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Where it begins.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u64,
}

impl Range {
    /// The whole file.
    pub fn whole() -> Self {
        Self { offset: 0, length: size() }
    }

    /// Its bytes, as a stream. [`Output::splice`](crate::stream::Output::splice)
    /// passes them on without taking them into the component's memory.
    pub fn open(self) -> Result<Input> {
        OPENED.store(true, Relaxed);
        artifact::open(self.offset, Some(self.length)).map(Input)
    }

    /// Its checksum, computed by the console, which is much quicker.
    pub fn digest(self, algorithm: Algorithm) -> Result<Vec<u8>> {
        artifact::digest(algorithm, self.offset, self.length)
    }
}

/// Reads the whole file, in the console, and compares it with the checksum that
/// the backup has. For a plugin that finds the file in its place already, and
/// so does not send it, or not all of it: without, the console does not count
/// it as delivered.
pub fn compare(backup: &Backup) -> Result<()> {
    let digest = Range::whole().digest(Algorithm::Sha256)?;
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    if digits.collect::<String>() != backup.sha256 {
        return Err(Failure::permanent("the backup's file is not what it was when it was made"));
    }
    if OPENED.load(Relaxed) {
        // Whoever has begun to read it reads all of it.
        Range::whole().open()?.skip(size())?;
    }
    Ok(())
}

/// The file's size in bytes.
pub fn size() -> u64 {
    artifact::size()
}
