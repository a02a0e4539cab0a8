//! Reading any gzip, and this crate's own in parallel.
//!
//! One thread cuts the file into members, several decompress, and whoever
//! reads puts the results back into order. Blocks travel in a fixed set of
//! buffers, which bounds the memory whatever the file claims.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    thread,
};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{GzipError, MAX_MEMBER, member::MemberDecoder, split, walk};

/// The most threads that decompress; more would outrun any reader.
const MOST_WORKERS: usize = 4;

/// A buffer pair on its way around.
#[derive(Default)]
pub(super) struct Block {
    /// A member as it stands in the file.
    pub(super) packed: Vec<u8>,
    /// What is inside.
    pub(super) raw: Vec<u8>,
}

/// What comes out for one place in the order.
pub(super) enum Outcome {
    /// A block with so many raw bytes.
    Data(Block, usize),
    /// The end was reached, and nothing was wrong up to it.
    End,
    /// Nothing after this can be read.
    Fault(io::Error),
}

/// A member to be decompressed, and its place in the order.
pub(super) struct Task {
    pub(super) place: u64,
    pub(super) block: Block,
    pub(super) size: usize,
}

/// The uncompressed bytes of a gzip file.
///
/// Strict: a file that is cut off, damaged, or followed by anything that is not
/// gzip gives an error with a [`GzipError`] inside, after the bytes before the
/// fault, and gives it again when asked again. Memory stays below 50 MiB,
/// whatever the file says.
pub struct Reader {
    done: Receiver<(u64, Outcome)>,
    free: Sender<Block>,
    early: BTreeMap<u64, Outcome>,
    next_place: u64,
    current: Option<(Block, usize)>,
    position: usize,
    skip: u64,
    end: Option<Result<(), (io::ErrorKind, Option<GzipError>)>>,
}

impl Reader {
    /// Reads a gzip file from its beginning.
    pub fn open(file: File) -> io::Result<Self> {
        Self::open_at(file, 0)
    }

    /// Reads a gzip file from `raw_offset`, counted in uncompressed bytes. In a
    /// file that this crate wrote, what lies before costs two small reads per
    /// member; in any other it has to be decompressed. Beyond the end there is
    /// nothing to read, as in a plain file.
    ///
    /// The file's own position does not matter and is not moved, so that any
    /// number of readers can share one open file.
    pub fn open_at(file: File, raw_offset: u64) -> io::Result<Self> {
        let entry = walk::find(&file, raw_offset)?;
        let source = walk::Positioned { file, position: entry.position };
        Self::start(source, entry.position > 0, entry.skip)
    }

    /// Reads gzip from anywhere, from its beginning.
    pub fn new(source: impl Read + Send + 'static) -> io::Result<Self> {
        Self::start(source, false, 0)
    }

    /// `midway`: whole members came before, so that an end right here is a good one.
    fn start(source: impl Read + Send + 'static, midway: bool, skip: u64) -> io::Result<Self> {
        let workers = thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS);
        let blocks = workers + 2;
        let (free, free_blocks) = bounded(blocks);
        let (tasks, task_queue) = bounded::<Task>(blocks);
        // One more than there are blocks, so that the end never waits.
        let (done, outcomes) = bounded(blocks + 1);
        for _ in 0..blocks {
            // Cannot fail: the channel has room for all of them.
            let _ = free.send(Block::default());
        }
        for _ in 0..workers {
            let (tasks, done) = (task_queue.clone(), done.clone());
            spawn(move || decode(&tasks, &done))?;
        }
        spawn(move || split::run(source, midway, &free_blocks, &tasks, &done))?;
        Ok(Self {
            done: outcomes,
            free,
            early: BTreeMap::new(),
            next_place: 0,
            current: None,
            position: 0,
            skip,
            end: None,
        })
    }

    /// The next outcome in the file's order.
    fn next(&mut self) -> Outcome {
        loop {
            if let Some(outcome) = self.early.remove(&self.next_place) {
                self.next_place += 1;
                return outcome;
            }
            match self.done.recv() {
                Ok((place, outcome)) => drop(self.early.insert(place, outcome)),
                // Every orderly end sends word before it hangs up.
                Err(_) => return Outcome::Fault(io::Error::other("a gzip thread has stopped")),
            }
        }
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("gunzip".to_owned()).spawn(work).map(drop)
}

/// A worker: ends when the tasks end or nobody reads any more.
fn decode(tasks: &Receiver<Task>, done: &Sender<(u64, Outcome)>) {
    let mut decoder = MemberDecoder::new();
    for Task { place, mut block, size } in tasks {
        let outcome = match decoder.decode(&block.packed[..size], &mut block.raw) {
            Ok(length) => Outcome::Data(block, length),
            Err(error) => Outcome::Fault(error.into()),
        };
        if done.send((place, outcome)).is_err() {
            return;
        }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match &self.end {
                Some(Ok(())) => return Ok(0),
                Some(Err((_, Some(fault)))) => return Err(fault.clone().into()),
                Some(Err((kind, None))) => return Err((*kind).into()),
                None => {}
            }
            if let Some((block, length)) = &self.current {
                let rest = &block.raw[self.position..*length];
                if !rest.is_empty() {
                    let count = rest.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&rest[..count]);
                    self.position += count;
                    return Ok(count);
                }
            }
            if let Some((block, _)) = self.current.take() {
                // The cutting thread may have ended already.
                let _ = self.free.send(block);
            }
            match self.next() {
                Outcome::Data(block, length) => {
                    // A block is at most MAX_MEMBER long, so this fits.
                    let skip = self.skip.min(length as u64);
                    self.skip -= skip;
                    self.position = usize::try_from(skip).unwrap_or(MAX_MEMBER);
                    self.current = Some((block, length));
                }
                Outcome::End => self.end = Some(Ok(())),
                Outcome::Fault(error) => {
                    self.end = Some(Err((error.kind(), GzipError::of(&error).cloned())));
                    return Err(error);
                }
            }
        }
    }
}
