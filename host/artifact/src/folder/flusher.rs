//! Flushing while the dump still runs, so that little is left to flush at its
//! end: the disk works while the processor compresses.

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Sender, bounded};

use crate::faults;

/// So many bytes are written between two flushes.
const STRIDE: usize = 16 << 20;

/// Flushes a file: whenever enough was written to it, in a thread, and at the
/// end. The thread begins with the first stride: small files never have one.
/// After a flush that failed the file is never flushed again: the kernel may
/// have forgotten what it could not write, and say yes.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    unflushed: usize,
    running: Option<Running>,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Something may not be on the disk yet.
    #[default]
    Due,
    Done,
    Failed,
}

#[derive(Debug)]
struct Running {
    /// Room for one call: while a flush runs, one more waits, and further ones add nothing.
    call: Sender<()>,
    broken: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<()>>,
}

impl Flusher {
    /// Counts what was written. An error is a flush that failed: the file is of no use then.
    pub(super) fn wrote(&mut self, file: &File, count: usize) -> io::Result<()> {
        if self.state == State::Done {
            self.state = State::Due;
        }
        self.unflushed += count;
        if self.unflushed < STRIDE {
            return Ok(());
        }
        self.unflushed = 0;
        if self.running.is_none() {
            self.running = Some(Running::start(file)?);
        }
        match &self.running {
            Some(running) if running.broken.load(Ordering::Relaxed) => self.finish(),
            Some(running) => {
                let _ = running.call.try_send(());
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Brings everything to the disk; nothing is left to do where nothing was
    /// written since the last time.
    pub(super) fn flush(&mut self, file: &File) -> io::Result<()> {
        match self.state {
            State::Done => return Ok(()),
            State::Failed => return Err(io::Error::other("an earlier flush failed")),
            State::Due => {}
        }
        self.finish()?;
        let flushed = faults::point("artifact::fsync").and_then(|()| file.sync_all());
        self.state = if flushed.is_ok() { State::Done } else { State::Failed };
        flushed
    }

    /// Waits for the flush that runs, if one does.
    fn finish(&mut self) -> io::Result<()> {
        let Some(Running { call, thread, .. }) = self.running.take() else { return Ok(()) };
        drop(call);
        let panicked = |_| Err(io::Error::other("the flushing thread panicked"));
        thread.join().unwrap_or_else(panicked).inspect_err(|_| self.state = State::Failed)
    }
}

impl Running {
    fn start(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (call, calls) = bounded(1);
        let broken = Arc::new(AtomicBool::new(false));
        let flag = broken.clone();
        let flush = move || {
            for () in calls {
                faults::point("artifact::flush-on-the-way")
                    .and_then(|()| file.sync_data())
                    .inspect_err(|_| flag.store(true, Ordering::Relaxed))?;
            }
            Ok(())
        };
        let thread = thread::Builder::new().name("flush".to_owned()).spawn(flush)?;
        Ok(Self { call, broken, thread })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use super::*;

    #[test]
    fn a_file_of_many_strides_is_flushed_on_the_way_and_whole() {
        let place = tempfile::tempdir().unwrap();
        let mut file = File::create(place.path().join("f")).unwrap();
        let mut flusher = Flusher::default();
        let block = vec![7_u8; 1 << 20];
        for _ in 0..40 {
            file.write_all(&block).unwrap();
            flusher.wrote(&file, block.len()).unwrap();
        }
        assert!(flusher.running.is_some());
        flusher.flush(&file).unwrap();
        assert_eq!(fs::metadata(place.path().join("f")).unwrap().len(), 40 << 20);
    }

    #[test]
    fn a_flush_that_fails_is_told_at_the_next_stride_or_at_the_end() {
        // What cannot be flushed: a pipe.
        let (_reader, writer) = io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(writer));
        let mut flusher = Flusher::default();
        flusher.wrote(&file, STRIDE).unwrap();
        let later = (0..1000).find_map(|_| {
            thread::sleep(std::time::Duration::from_millis(1));
            flusher.wrote(&file, STRIDE).err()
        });
        assert!(later.is_some());
        assert!(flusher.running.is_none());
        assert_eq!(flusher.flush(&file).unwrap_err().to_string(), "an earlier flush failed");
    }
}
