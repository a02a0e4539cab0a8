//! Where a component puts the bytes that it fetches.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use bytes::Bytes;
use tokio::sync::mpsc::{OwnedPermit, Sender};
use wasmtime::{component::Resource, format_err};
use wasmtime_wasi::{
    async_trait,
    p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult},
};

use crate::{
    Breach, Denied, Observer,
    bindings::imported::{sink::Host, types::Failure},
    meter::Meter,
    state::State,
};

/// The most that a component writes at once.
const BLOCK: usize = 1 << 20;

/// The sink of one call, before and after it is opened.
pub(crate) struct Target {
    bytes: Option<Sender<Bytes>>,
    offset: u64,
    length: Option<u64>,
    pub(crate) total: Option<u64>,
    pub(crate) written: Arc<AtomicU64>,
}

impl Target {
    /// For so many bytes from the offset on, or for all that follow.
    pub(crate) fn new(bytes: Sender<Bytes>, offset: u64, length: Option<u64>) -> Self {
        Self { bytes: Some(bytes), offset, length, total: None, written: Arc::default() }
    }

    /// Whether the component has opened it.
    pub(crate) fn has_begun(&self) -> bool {
        self.bytes.is_none()
    }
}

/// How many bytes are to come, if that is known: what was asked for, and no
/// more than there is from the offset on.
pub(crate) fn wanted(offset: u64, length: Option<u64>, total: Option<u64>) -> Option<u64> {
    let left = total.map(|total| total.saturating_sub(offset));
    match (length, left) {
        (Some(length), Some(left)) => Some(length.min(left)),
        (known, None) | (None, known) => known,
    }
}

struct Stream {
    bytes: Sender<Bytes>,
    permit: Option<OwnedPermit<Bytes>>,
    wanted: Option<u64>,
    written: Arc<AtomicU64>,
    meter: Arc<Meter>,
    observer: Arc<dyn Observer>,
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        if self.permit.is_none() && !self.bytes.is_closed() {
            // Closed while waiting: the next look at the stream says so.
            self.permit = self.bytes.clone().reserve_owned().await.ok();
        }
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let Some(permit) = self.permit.take() else {
            return Err(StreamError::Trap(format_err!("written without asking for leave")));
        };
        if bytes.is_empty() {
            self.permit = Some(permit);
            return Ok(());
        }
        if bytes.len() > BLOCK {
            return Err(StreamError::Trap(format_err!("more written than there was leave for")));
        }
        let count = bytes.len() as u64;
        let sum = self.written.fetch_add(count, Relaxed) + count;
        if let Some(wanted) = self.wanted
            && sum > wanted
        {
            return Err(StreamError::Trap(Breach::Overrun { wanted }.into()));
        }
        permit.send(bytes);
        self.meter.passed(count);
        self.observer.sent(count);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if self.permit.is_none() {
            match self.bytes.clone().try_reserve_owned() {
                Ok(permit) => self.permit = Some(permit),
                Err(tokio::sync::mpsc::error::TrySendError::Full(_)) => return Ok(0),
                Err(tokio::sync::mpsc::error::TrySendError::Closed(_)) => {
                    return Err(StreamError::Closed);
                }
            }
        }
        Ok(BLOCK)
    }
}

impl Host for State {
    fn begin(
        &mut self,
        total: Option<u64>,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, Failure>> {
        let Some(target) = &mut self.target else {
            self.observer.denied(&Denied::Sink);
            return Ok(Err(Failure::Denied(Denied::Sink.to_string())));
        };
        let Some(bytes) = target.bytes.take() else {
            return Ok(Err(Failure::Denied("the sink is opened once per call".to_owned())));
        };
        target.total = total;
        let stream: DynOutputStream = Box::new(Stream {
            bytes,
            permit: None,
            wanted: wanted(target.offset, target.length, total),
            written: Arc::clone(&target.written),
            meter: Arc::clone(&self.meter),
            observer: Arc::clone(&self.observer),
        });
        Ok(Ok(self.table.push(stream)?))
    }
}
