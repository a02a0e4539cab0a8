//! The thread that cuts a gzip stream into members, and decompresses what
//! others wrote.

use std::io::{self, BufRead, BufReader, Read};

use crossbeam_channel::{Receiver, Sender};

use super::{
    GzipError, MAX_MEMBER,
    member::{HEADER, member_size, recorded_size},
    reader::{Block, Outcome, Task},
};

/// Raw bytes per block of a foreign member.
const FOREIGN_BLOCK: usize = 256 << 10;
const MAGIC: u8 = 0x1f;

/// Why the thread stops.
enum Stop {
    /// Nobody reads any more.
    Unwanted,
    Fault(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Fault(error)
    }
}

impl From<GzipError> for Stop {
    fn from(error: GzipError) -> Self {
        Self::Fault(error.into())
    }
}

/// Cuts `source` to its end, then says how it ended.
pub(super) fn run(
    source: impl Read,
    midway: bool,
    free: &Receiver<Block>,
    tasks: &Sender<Task>,
    done: &Sender<(u64, Outcome)>,
) {
    let mut splitter = Splitter { free, tasks, done, place: 0 };
    let last = match splitter.split(Watched { source, failed: false }, midway) {
        Ok(()) => Outcome::End,
        Err(Stop::Fault(error)) => Outcome::Fault(error),
        Err(Stop::Unwanted) => return,
    };
    let _ = done.send((splitter.place, last));
}

struct Splitter<'a> {
    free: &'a Receiver<Block>,
    tasks: &'a Sender<Task>,
    done: &'a Sender<(u64, Outcome)>,
    place: u64,
}

impl Splitter<'_> {
    fn split(&mut self, mut source: Watched<impl Read>, mut midway: bool) -> Result<(), Stop> {
        loop {
            let mut block = self.free.recv().map_err(|_| Stop::Unwanted)?;
            if block.packed.len() < HEADER {
                block.packed = vec![0; MAX_MEMBER];
            }
            let filled = fill(&mut source, &mut block.packed[..HEADER])?;
            if filled == 0 && midway {
                return Ok(());
            }
            let Some(size) = member_size(&block.packed[..filled]) else {
                return self.foreign(&block.packed[..filled], source, midway);
            };
            if fill(&mut source, &mut block.packed[HEADER..size])? < size - HEADER {
                return Err(GzipError::Truncated.into());
            }
            if recorded_size(&block.packed[..size]).is_none_or(|raw| raw as usize > MAX_MEMBER) {
                return self.foreign(&block.packed[..size], source, midway);
            }
            let task = Task { place: self.place, block, size };
            self.tasks.send(task).map_err(|_| Stop::Unwanted)?;
            self.place += 1;
            midway = true;
        }
    }

    /// Decompresses everything from here on in this thread, member by member.
    fn foreign(
        &mut self,
        begun: &[u8],
        source: Watched<impl Read>,
        mut midway: bool,
    ) -> Result<(), Stop> {
        let mut rest = BufReader::with_capacity(FOREIGN_BLOCK, begun.chain(source));
        loop {
            match rest.fill_buf()?.first() {
                None if midway => return Ok(()),
                None => return Err(GzipError::Truncated.into()),
                Some(&MAGIC) => {}
                Some(_) if midway => return Err(GzipError::TrailingBytes.into()),
                Some(_) => return Err(GzipError::NotGzip.into()),
            }
            let mut member = flate2::bufread::GzDecoder::new(rest);
            loop {
                let mut block = self.free.recv().map_err(|_| Stop::Unwanted)?;
                if block.raw.len() < FOREIGN_BLOCK {
                    block.raw = vec![0; FOREIGN_BLOCK];
                }
                match member.read(&mut block.raw) {
                    Ok(length) => {
                        let outcome = Outcome::Data(block, length);
                        self.done.send((self.place, outcome)).map_err(|_| Stop::Unwanted)?;
                        self.place += 1;
                        if length == 0 {
                            break;
                        }
                    }
                    Err(error) if member.get_ref().get_ref().get_ref().1.failed => {
                        return Err(error.into());
                    }
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        return Err(GzipError::Truncated.into());
                    }
                    Err(_) if !midway && member.header().is_none() => {
                        return Err(GzipError::NotGzip.into());
                    }
                    Err(_) => return Err(GzipError::Damaged.into()),
                }
            }
            rest = member.into_inner();
            midway = true;
        }
    }
}

/// Reads until `buffer` is full or the source has ended.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Remembers whether an error came from the source rather than from the
/// decompressor, which uses the same kinds.
struct Watched<R> {
    source: R,
    failed: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer).inspect_err(|error| {
            self.failed |= error.kind() != io::ErrorKind::Interrupted;
        })
    }
}
