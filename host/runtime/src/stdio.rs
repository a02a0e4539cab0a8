//! What a component writes to its standard output and error becomes log lines.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

use crate::{LogLevel, log::Lines, text::clean};

/// What a component may write at once.
const PERMIT: usize = 64 << 10;
/// What is kept of a component's last words, in bytes.
const WORDS: usize = 300;

/// One of the two streams. Clones share the line that is not finished yet.
#[derive(Clone)]
pub(crate) struct Capture {
    lines: Lines,
    level: LogLevel,
    open: Arc<Mutex<Open>>,
}

/// What the stream has come to.
#[derive(Default)]
struct Open {
    /// The line that is not finished yet, as far as it is kept.
    line: Vec<u8>,
    /// Whether some of it is not kept.
    cut: bool,
    /// The last line that says something.
    last: String,
}

/// What Rust's library writes after a panic's own words.
const NOTE: &str = "note: run with `RUST_BACKTRACE=1`";

impl Open {
    fn finish(&mut self, lines: &Lines, level: LogLevel) {
        let mut line = String::from_utf8_lossy(&self.line).into_owned();
        if std::mem::take(&mut self.cut) {
            line.push('…');
        }
        self.line.clear();
        lines.add(level, &line);
        if !line.trim().is_empty() && !line.starts_with(NOTE) {
            self.last = line;
        }
    }
}

impl Capture {
    pub(crate) fn new(lines: Lines, level: LogLevel) -> Self {
        Self { lines, level, open: Arc::default() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, bytes: &[u8]) {
        let mut open = self.open();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            // What is beyond the longest line is not kept even before its end.
            let room = self.lines.line_bytes().saturating_sub(open.line.len());
            open.line.extend_from_slice(&text[..text.len().min(room)]);
            open.cut |= text.len() > room;
            if text.len() < part.len() {
                open.finish(&self.lines, self.level);
            }
        }
    }

    /// The component is gone: what it has written without a line end is a line.
    /// Gives the last line that says something.
    pub(crate) fn finish(&self) -> String {
        let mut open = self.open();
        if !open.line.is_empty() {
            open.finish(&self.lines, self.level);
        }
        clean(&open.last, WORDS, false).trim().to_owned()
    }
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Capture {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
