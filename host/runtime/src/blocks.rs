//! A range of the backup's file as a stream, one block read ahead.

use std::{io, sync::Arc};

use bytes::Bytes;
use tokio::task::JoinHandle;
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

type Reading = JoinHandle<io::Result<Bytes>>;

/// The stream.
pub(crate) struct Blocks {
    source: Arc<Source>,
    /// Where the block begins that is given next.
    at: u64,
    /// Where the block begins that is read next.
    next: u64,
    end: u64,
    reading: Option<Reading>,
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
        self.reading = Some(tokio::task::spawn_blocking(move || {
            let block = read(&*source.file, offset, length)?;
            source.proof.look(offset, &block)?;
            Ok(block)
        }));
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
        // Not taken before it has ended: this future may be dropped while it waits.
        let Some(reading) = &mut self.reading else { return };
        let result = reading.await;
        self.reading = None;
        match result.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(block) => {
                self.block = block;
                self.read_ahead();
            }
            Err(error) => self.error = Some(error),
        }
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
