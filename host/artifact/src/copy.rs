//! From the dump tool's output to the temp file.
//!
//! The calling thread reads and scans, `workers` threads compress, and one
//! thread hashes and writes in order. Bytes are scanned and hashed while they
//! are still in the processor's cache; on two cores, where the dump tool takes
//! one and a half, what counts is the work per byte. Blocks travel in a fixed
//! set of buffers: memory is bounded by `workers + 4` blocks, whatever the
//! dump's size, and a slow disk slows the reader down.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    num::NonZeroUsize,
    panic,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use cofferdam_model::Level;
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::{
    Meter,
    digest::{Digest, Hasher},
    gzip::{BLOCK, MemberEncoder},
    scan::{DumpScanner, ScanReport},
};

/// The most compressing threads that are started unasked: `pg_dump` writes no
/// faster than these compress.
const MOST_WORKERS: usize = 8;

/// What happens to the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Gzip members.
    Gzip {
        /// How hard.
        level: Level,
        /// Compressing threads; see [`default_workers`].
        workers: NonZeroUsize,
    },
    /// As they come: the source has compressed them already.
    Stored,
}

/// A copy that has succeeded. The file is not flushed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Bytes read from the source.
    pub raw_bytes: u64,
    /// Bytes written to the file.
    pub size_bytes: u64,
    /// Of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// What the scanner found, if it was asked.
    pub scan: Option<ScanReport>,
}

/// Why a copy failed. The temp file is then of no use.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source could not be read.
    #[error("reading the dump failed: {0}")]
    Read(#[source] io::Error),
    /// The file could not be written.
    #[error("writing the backup failed: {0}")]
    Write(#[source] io::Error),
    /// A thread could not be started.
    #[error("starting a thread failed: {0}")]
    Thread(#[source] io::Error),
}

/// One compressing thread per processor, at most eight.
pub fn default_workers() -> NonZeroUsize {
    let most = NonZeroUsize::new(MOST_WORKERS).unwrap_or(NonZeroUsize::MIN);
    thread::available_parallelism().map_or(NonZeroUsize::MIN, |count| count.min(most))
}

/// Reads `source` to its end into `target`, a backup's temp file as a rule.
/// With `scan`, the bytes are taken for a plain dump and looked at on the way.
/// To stop early, end the source (kill the dump tool); a failure to write is
/// noticed at the source's next bytes.
pub fn copy(
    source: impl Read,
    target: &mut (impl Write + Send),
    encoding: Encoding,
    scan: bool,
    meter: &Meter,
) -> Result<Copied, CopyError> {
    let workers = match encoding {
        Encoding::Gzip { workers, .. } => workers.get(),
        Encoding::Stored => 1,
    };
    let blocks = workers + 4;
    let (free, free_blocks) = bounded(blocks);
    let (tasks, task_queue) = bounded(blocks);
    let (done, finished) = bounded(blocks);
    for _ in 0..blocks {
        // Cannot fail: the channel has room for all of them.
        let _ = free.send(Block::default());
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = thread::Builder::new().name("write".to_owned()).spawn_scoped(scope, || {
            write(finished, free, target, meter)
                .inspect_err(|_| stop.store(true, Ordering::Relaxed))
        });
        let writer = writer.map_err(CopyError::Thread)?;
        let output = match encoding {
            Encoding::Stored => {
                drop(task_queue);
                done
            }
            Encoding::Gzip { level, .. } => {
                for _ in 0..workers {
                    let (queue, done) = (task_queue.clone(), done.clone());
                    thread::Builder::new()
                        .name("gzip".to_owned())
                        .spawn_scoped(scope, move || compress(&queue, &done, level))
                        .map_err(CopyError::Thread)?;
                }
                drop((task_queue, done));
                tasks
            }
        };
        let reader = Reader { source, scanner: scan.then(DumpScanner::new), meter, stop: &stop };
        let read = reader.run(&free_blocks, output, encoding);
        let digest = match writer.join() {
            Ok(written) => written.map_err(CopyError::Write)?,
            Err(cause) => panic::resume_unwind(cause),
        };
        let (raw_bytes, scan) = read.map_err(CopyError::Read)?;
        Ok(Copied { raw_bytes, size_bytes: digest.size_bytes, sha256: digest.sha256, scan })
    })
}

/// A buffer pair on its way around.
#[derive(Default)]
struct Block {
    place: u64,
    raw: Vec<u8>,
    raw_length: usize,
    packed: Vec<u8>,
    packed_length: Option<usize>,
}

impl Block {
    /// The bytes for the file.
    fn output(&self) -> &[u8] {
        match self.packed_length {
            Some(length) => &self.packed[..length],
            None => &self.raw[..self.raw_length],
        }
    }
}

struct Reader<'a, R> {
    source: R,
    scanner: Option<DumpScanner>,
    meter: &'a Meter,
    stop: &'a AtomicBool,
}

impl<R: Read> Reader<'_, R> {
    /// Reads to the end, or until nobody takes blocks any more.
    #[allow(clippy::needless_pass_by_value)] // Hanging up tells the next thread that this is all.
    fn run(
        mut self,
        free: &Receiver<Block>,
        output: Sender<Block>,
        encoding: Encoding,
    ) -> io::Result<(u64, Option<ScanReport>)> {
        let mut raw_bytes = 0;
        let mut place = 0;
        // The writer keeps the other end while all is well.
        while let Ok(mut block) = free.recv() {
            let ended = self.fill(&mut block)?;
            raw_bytes += block.raw_length as u64;
            // A file without any member would be no gzip file.
            let first_member = place == 0 && matches!(encoding, Encoding::Gzip { .. });
            if block.raw_length > 0 || first_member {
                block.place = place;
                block.packed_length = None;
                place += 1;
                if output.send(block).is_err() {
                    break;
                }
            }
            if ended {
                break;
            }
        }
        Ok((raw_bytes, self.scanner.map(DumpScanner::finish)))
    }

    /// Fills a block, so that the members do not depend on how the source's
    /// bytes come; `true` at the end of the source.
    fn fill(&mut self, block: &mut Block) -> io::Result<bool> {
        block.raw_length = 0;
        if block.raw.is_empty() {
            block.raw = vec![0; BLOCK];
        }
        while block.raw_length < BLOCK {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(true);
            }
            match self.source.read(&mut block.raw[block.raw_length..]) {
                Ok(0) => return Ok(true),
                Ok(count) => {
                    let end = block.raw_length + count;
                    self.meter.add_raw(count);
                    self.scan(&block.raw[block.raw_length..end]);
                    block.raw_length = end;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn scan(&mut self, bytes: &[u8]) {
        let Some(scanner) = &mut self.scanner else { return };
        scanner.feed(bytes);
        let (table, bytes) = (scanner.current_table(), scanner.current_table_bytes());
        self.meter.set_table(table, bytes, scanner.tables_done());
    }
}

/// A compressing thread: ends when the blocks end or nobody takes them.
fn compress(queue: &Receiver<Block>, done: &Sender<Block>, level: Level) {
    let mut encoder = MemberEncoder::new(level);
    for mut block in queue {
        let raw = &block.raw[..block.raw_length];
        block.packed_length = Some(encoder.encode(raw, &mut block.packed));
        if done.send(block).is_err() {
            return;
        }
    }
}

/// The writing thread: brings blocks back into order, hashes and writes them.
#[allow(clippy::needless_pass_by_value)] // Hanging up at the end tells the others to stop.
fn write(
    finished: Receiver<Block>,
    free: Sender<Block>,
    target: &mut impl Write,
    meter: &Meter,
) -> io::Result<Digest> {
    let mut hasher = Hasher::default();
    let mut early = BTreeMap::new();
    let mut next = 0;
    for block in finished {
        early.insert(block.place, block);
        while let Some(block) = early.remove(&next) {
            next += 1;
            let bytes = block.output();
            target.write_all(bytes)?;
            hasher.update(bytes);
            meter.add_written(bytes.len());
            // The reader may have ended already.
            let _ = free.send(block);
        }
    }
    target.flush()?;
    Ok(hasher.finish())
}
