//! What one call may use, and the limiter inside its store.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use cofferdam_model::size;
use wasmtime::ResourceLimiter;

use crate::meter::Meter;

/// The bounds of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in all linear memories and tables together.
    pub memory_bytes: u64,
    /// Computing, the console's own work for it included, without a byte of the
    /// file passing between the console and the component: time that runs on while bytes pass would punish large files.
    pub cpu: Duration,
    /// The longest time without a byte of the file passing, not counting the
    /// time in which answers of servers are waited for.
    pub idle: Duration,
    /// The longest time spent waiting for answers of servers without a byte of
    /// the file passing: some take minutes to put the parts of a file together.
    /// A call that moves no file ends after both times together.
    pub answer: Duration,
    /// The longest time of any call, whatever passes.
    pub longest: Duration,
    /// Open resources: streams, requests, files, and entries in tables.
    pub handles: usize,
    /// Bytes that may be sent over the network, heads of requests and mails
    /// included, beside four times the file's size in a call that stores one.
    pub outgoing_bytes: u64,
    /// Mails that may be handed to the console's relay, taken or not.
    pub mails: u32,
    /// Log lines that are kept, those written to standard output and error included.
    pub lines: u32,
    /// Bytes of one log line that are kept.
    pub line_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            cpu: Duration::from_secs(10),
            idle: Duration::from_mins(5),
            answer: Duration::from_mins(15),
            longest: Duration::from_hours(24),
            handles: 256,
            outgoing_bytes: 64 << 20,
            mails: 5,
            lines: 500,
            line_bytes: 2000,
        }
    }
}

/// The limit that ended a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitBroken {
    /// See [`Limits::memory_bytes`].
    #[error("the plugin was stopped: it asked for more than {} of memory", size(*.0))]
    Memory(u64),
    /// See [`Limits::cpu`].
    #[error("the plugin was stopped: it computed for {:.1} s without passing on a byte of a file", .0.as_secs_f64())]
    Cpu(Duration),
    /// See [`Limits::idle`].
    #[error("the plugin was stopped: {:.0} s went by without an answer or a byte of a file", .0.as_secs_f64())]
    Idle(Duration),
    /// See [`Limits::answer`].
    #[error("the plugin was stopped: it waited for answers over the network for {:.0} s without passing on a byte of a file", .0.as_secs_f64())]
    Answer(Duration),
    /// See [`Limits::longest`].
    #[error("the plugin was stopped: the call took longer than {:.0} s", .0.as_secs_f64())]
    Longest(Duration),
    /// See [`Limits::handles`].
    #[error("the plugin was stopped: it held more than {0} streams, requests and files open")]
    Handles(usize),
    /// See [`Limits::outgoing_bytes`].
    #[error("the plugin was stopped: it sent more than {} over the network", size(*.0))]
    Outgoing(u64),
    /// Bytes of the head of one request: its first line and its headers.
    #[error("the plugin was stopped: it made a request whose head has more than {}", size(*.0))]
    Head(u64),
    /// Streams of the file that are open and not read to their end.
    #[error("the plugin was stopped: it held more than {0} streams of the file open")]
    Streams(usize),
    /// Pieces of the file that were read, with holes between them.
    #[error(
        "the plugin was stopped: it read more than {0} pieces of the file with gaps between them"
    )]
    Pieces(usize),
    /// Requests with a body that were made and not sent.
    #[error(
        "the plugin was stopped: it made more than {0} requests with a body and did not send them"
    )]
    Unsent(usize),
    /// Bytes of the file read or hashed, far more than once.
    #[error("the plugin was stopped: it read more than {} of the file, which is many times its size", size(*.0))]
    Rereads(u64),
}

impl LimitBroken {
    /// Whether the next attempt may well succeed: what broke was the patience
    /// with somebody else.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Idle(_) | Self::Answer(_) | Self::Longest(_))
    }
}

/// Core instances, tables and memories of one component; languages with a
/// runtime of their own bring dozens of instances.
const INSTANCES: usize = 300;
pub(crate) const TABLES: usize = 300;
pub(crate) const MEMORIES: usize = 50;
/// What an entry of a table takes of this process's memory, at most.
const TABLE_ENTRY: u64 = 16;

/// Asked by the store before any memory or table grows.
pub(crate) struct Limiter {
    meter: Arc<Meter>,
    bytes: u64,
    last: u64,
}

impl Limiter {
    pub(crate) fn new(meter: Arc<Meter>) -> Self {
        Self { meter, bytes: 0, last: 0 }
    }

    /// Asked for each memory and table by itself, so the sum is kept here.
    fn grow(&mut self, more: u64) -> wasmtime::Result<bool> {
        let limit = self.meter.limits().memory_bytes;
        if self.bytes.saturating_add(more) > limit {
            return Err(self.meter.stop(LimitBroken::Memory(limit)).into());
        }
        self.last = more;
        self.bytes += more;
        self.meter.memory_peak.fetch_max(self.bytes, Relaxed);
        Ok(true)
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow(desired.saturating_sub(current) as u64)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.bytes -= std::mem::take(&mut self.last);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow((desired.saturating_sub(current) as u64).saturating_mul(TABLE_ENTRY))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.bytes -= std::mem::take(&mut self.last);
        Ok(())
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}
