//! A range of the backup's file as a stream, one block read ahead.

use std::{io, sync::Arc};

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};
use wasmtime::format_err;
use wasmtime_wasi::{
    async_trait,
    p2::{InputStream, Pollable, StreamError, StreamResult},
};

use crate::{
    Artifact,
    artifact::{BLOCK, Source, Streaming},
    bindings::imported::types::Failure,
};

type Work<T> = JoinHandle<io::Result<T>>;

/// The stream. While one block is sent, the one after it is hashed, and the one
/// after that is read.
pub(crate) struct Blocks {
    source: Arc<Source>,
    /// Where the block begins that is given next.
    at: u64,
    /// Where the block begins that is read next.
    next: u64,
    end: u64,
    reading: Option<Work<Bytes>>,
    /// Was read, and is given once its turn to be hashed has come.
    waiting: Option<Bytes>,
    /// Of the block that begins there.
    hashing: Option<(u64, Work<()>)>,
    block: Bytes,
    error: Option<io::Error>,
    /// Given back at the end, where nothing is held any more.
    streaming: Option<Streaming>,
}

impl Blocks {
    pub(crate) fn open(
        source: Arc<Source>,
        offset: u64,
        end: u64,
        streaming: Option<Streaming>,
    ) -> Self {
        let mut blocks = Self {
            source,
            at: offset,
            next: offset,
            end,
            reading: None,
            waiting: None,
            hashing: None,
            block: Bytes::new(),
            error: None,
            streaming: streaming.filter(|_| offset < end),
        };
        blocks.read_ahead();
        blocks
    }

    fn read_ahead(&mut self) {
        let left = self.end - self.next;
        if left == 0 {
            return;
        }
        let length = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        let (source, offset) = (Arc::clone(&self.source), self.next);
        // Counted here: whoever drops a stream has had it read all the same. Whatever
        // breaks the limit ends the call.
        let _ = self.source.count(length as u64);
        self.next += length as u64;
        self.reading = Some(spawn_blocking(move || read(&*source.file, offset, length)));
    }

    fn hash(&mut self, block: &Bytes) {
        let (source, offset, block) = (Arc::clone(&self.source), self.at, block.clone());
        let work = spawn_blocking(move || source.proof.look(offset, &block));
        self.hashing = Some((offset, work));
    }

    /// Waits for the next block. May be dropped while it waits: whatever is under
    /// way is kept in `self` until it has ended.
    async fn advance(&mut self) -> io::Result<()> {
        if let Some(reading) = &mut self.reading
            && self.waiting.is_none()
        {
            let read = reading.await;
            self.reading = None;
            self.waiting = Some(read.map_err(io::Error::other)??);
        }
        let Some(block) = self.waiting.clone() else { return Ok(()) };
        if self.hashing.as_ref().is_some_and(|(of, _)| *of != self.at) {
            // One after the other, in their order.
            self.hashed().await?;
        }
        if self.hashing.is_none() {
            self.hash(&block);
            self.read_ahead();
        }
        // Nobody gets the file's last byte before all of it has been compared, and
        // the stream that follows this one goes on where this one has ended.
        if self.at + block.len() as u64 == self.end {
            self.hashed().await?;
        }
        self.waiting = None;
        self.block = block;
        Ok(())
    }

    async fn hashed(&mut self) -> io::Result<()> {
        let Some((_, hashing)) = &mut self.hashing else { return Ok(()) };
        let hashed = hashing.await;
        self.hashing = None;
        hashed.map_err(io::Error::other)?
    }
}

/// Exactly these bytes: a file that is shorter than it was is an error.
fn read(file: &dyn Artifact, offset: u64, length: usize) -> io::Result<Bytes> {
    let mut block = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(offset + filled as u64, &mut block[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    Ok(Bytes::from(block))
}

#[async_trait]
impl Pollable for Blocks {
    async fn ready(&mut self) {
        if !self.block.is_empty() || self.error.is_some() {
            return;
        }
        self.error = self.advance().await.err();
    }
}

impl InputStream for Blocks {
    fn read(&mut self, most: usize) -> StreamResult<Bytes> {
        if let Some(error) = &self.error {
            let told = match self.source.unreadable(error) {
                Failure::Permanent(text) => text,
                _ => "the file cannot be read".to_owned(),
            };
            return Err(StreamError::LastOperationFailed(format_err!("{told}")));
        }
        if self.block.is_empty() {
            let over = self.at == self.end;
            return if over { Err(StreamError::Closed) } else { Ok(Bytes::new()) };
        }
        let part = self.block.split_to(self.block.len().min(most));
        let bytes = part.len() as u64;
        self.source.given(self.at, bytes).map_err(|limit| StreamError::Trap(limit.into()))?;
        self.at += bytes;
        if self.at == self.end {
            self.streaming = None;
        }
        Ok(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::source;

    #[tokio::test]
    async fn a_stream_gives_all_bytes_in_blocks_and_then_closes() {
        let source = source(BLOCK as u64 * 2 + 5);
        let mut blocks = Blocks::open(Arc::clone(&source), 1, BLOCK as u64 * 2 + 5, None);
        let mut sizes = Vec::new();
        loop {
            match blocks.blocking_read(usize::MAX).await {
                Ok(block) => sizes.push(block.len()),
                Err(StreamError::Closed) => break,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(sizes, [BLOCK, BLOCK, 4]);
        assert_eq!(source.read(), BLOCK as u64 * 2 + 4);
    }
}
