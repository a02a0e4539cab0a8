//! Reading a backup while it is still being written.
//!
//! A follower gets the finished part of the file, which ends at a gzip member's
//! end, and waits for more. It learns how the run ended: only a follower that
//! reads `Ok(Some(0))` has the whole backup. A cut file would pass `gunzip -t`, so
//! whoever passes the bytes on must break off without a proper end on
//! [`FollowError::Cut`].

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{Meter, TempArtifact};

/// Why a follower gets no more.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The run failed or was cancelled; what was read is not a backup.
    #[error("the backup ended before it was whole")]
    Cut,
    /// The file could not be read.
    #[error("reading the unfinished backup failed: {0}")]
    Io(#[from] io::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Published(u64),
    Cut,
}

#[derive(Debug)]
struct Inner {
    /// A handle of its own: it outlives the temp file's name.
    file: File,
    meter: Arc<Meter>,
    state: Mutex<State>,
}

/// A running backup that can be followed by any number of readers. Clones are
/// the same backup.
#[derive(Debug, Clone)]
pub struct Live(Arc<Inner>);

impl Live {
    /// Makes a run followable; `meter` is the one that its [`crate::copy`] moves.
    pub fn start(temp: &TempArtifact, meter: Arc<Meter>) -> io::Result<Self> {
        let file = temp.try_clone_file()?;
        Ok(Self(Arc::new(Inner { file, meter, state: Mutex::new(State::Running) })))
    }

    /// The run succeeded: the file has its name and this size.
    pub fn published(&self, size_bytes: u64) {
        self.leave(State::Published(size_bytes));
    }

    /// The run failed or was cancelled. Does nothing after [`Self::published`].
    pub fn ended(&self) {
        self.leave(State::Cut);
    }

    /// A value that calls [`Self::ended`] when dropped, so that no way out of a
    /// run, not even a panic, leaves followers waiting.
    #[must_use]
    pub fn guard(&self) -> LiveGuard {
        LiveGuard(self.clone())
    }

    /// A reader at the file's beginning.
    pub fn follow(&self) -> Follower {
        Follower { live: self.clone(), offset: 0 }
    }

    /// The run's counters.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.0.meter
    }

    fn leave(&self, to: State) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == State::Running {
            *state = to;
        }
        drop(state);
        self.0.meter.wake();
    }

    fn state(&self) -> State {
        *self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the file may be read now, and whether that is all.
    fn readable(&self) -> Result<(u64, bool), FollowError> {
        match self.state() {
            State::Running => Ok((self.0.meter.written_bytes(), false)),
            State::Published(size) => Ok((size, true)),
            State::Cut => Err(FollowError::Cut),
        }
    }
}

/// Ends a run for its followers when dropped; see [`Live::guard`].
#[derive(Debug)]
pub struct LiveGuard(Live);

impl Drop for LiveGuard {
    fn drop(&mut self) {
        self.0.ended();
    }
}

/// Reads a backup as it grows.
#[derive(Debug)]
pub struct Follower {
    live: Live,
    offset: u64,
}

impl Follower {
    /// Gives the next bytes, waiting no longer than `limit`: `Ok(None)` when
    /// nothing came. `Ok(Some(0))` means that the backup is published and was
    /// given to its end.
    pub fn read_timeout(
        &mut self,
        buffer: &mut [u8],
        limit: Duration,
    ) -> Result<Option<usize>, FollowError> {
        if buffer.is_empty() {
            return Ok(Some(0));
        }
        let (live, offset) = (&self.live, self.offset);
        let meter = &live.0.meter;
        let ready = || meter.written_bytes() > offset || live.state() != State::Running;
        if !meter.wait_until(limit, ready) {
            return Ok(None);
        }
        let (end, whole) = live.readable()?;
        let left = end.saturating_sub(offset);
        if left == 0 {
            return Ok(whole.then_some(0));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        loop {
            match live.0.file.read_at(&mut buffer[..most], offset) {
                // The file is shorter than what was written to it: somebody cut it.
                Ok(0) => return Err(FollowError::Cut),
                Ok(count) => {
                    self.offset += count as u64;
                    return Ok(Some(count));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
