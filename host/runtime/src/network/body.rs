//! Bodies on their way: counted, timed, and stopped with their call.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::{
    sync::Notify,
    time::{Instant, Sleep, sleep},
};
use wasmtime_wasi_http::{Error, WasiBody};

use super::error;
use crate::meter::{Meter, Waiting};

/// A request's body.
pub(super) struct Outgoing {
    shared: Arc<Shared>,
}

/// What the sender knows of the body that it sends.
#[derive(Clone)]
pub(super) struct Control {
    shared: Arc<Shared>,
}

struct Shared {
    /// Gone once it is no longer wanted.
    body: Mutex<Option<WasiBody>>,
    meter: Arc<Meter>,
    /// Set when the call is over: a body that ends after that was cut off.
    over: Arc<AtomicBool>,
    /// What is left of the length that the header promises. A body with one is
    /// not asked for its end.
    left: Option<AtomicU64>,
    ended: AtomicBool,
    /// Told when all of it has been taken.
    end: Notify,
    /// From that moment until somebody asks for it.
    waiting: Mutex<Option<Waiting>>,
    start: Instant,
    /// Milliseconds after `start` when the connection last asked for more.
    asked: AtomicU64,
}

impl Outgoing {
    pub(super) fn new(
        body: WasiBody,
        length: Option<u64>,
        meter: Arc<Meter>,
        over: Arc<AtomicBool>,
    ) -> (Self, Control) {
        let ended = length == Some(0) || body.is_end_stream();
        let shared = Arc::new(Shared {
            left: length.map(AtomicU64::new),
            ended: AtomicBool::new(ended),
            end: Notify::new(),
            waiting: Mutex::new(ended.then(|| meter.wait())),
            body: Mutex::new(Some(body)),
            meter,
            over,
            start: Instant::now(),
            asked: AtomicU64::new(0),
        });
        (Self { shared: Arc::clone(&shared) }, Control { shared })
    }
}

impl Shared {
    fn body(&self) -> std::sync::MutexGuard<'_, Option<WasiBody>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) {
        if !self.ended.swap(true, Relaxed) {
            *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.meter.wait());
            self.end.notify_one();
        }
    }
}

impl Control {
    /// When the connection last took a part of the body, or when it began to.
    pub(super) fn last(&self) -> Instant {
        self.shared.start + Duration::from_millis(self.shared.asked.load(Relaxed))
    }

    /// Whether all of the body has been taken.
    pub(super) fn ended(&self) -> bool {
        self.shared.ended.load(Relaxed)
    }

    /// Ends when all of the body has been taken; once.
    pub(super) async fn end(&self) {
        self.shared.end.notified().await;
    }

    /// The wait for the answer, if it has begun, for whoever goes on with it.
    fn waiting(&self) -> Option<Waiting> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The rest of the body is not wanted: whoever writes it finds its stream
    /// closed, and the connection waits without ending the request.
    pub(super) fn stop(&self) {
        *self.shared.body() = None;
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let shared = &self.shared;
        let mut body = shared.body();
        let Some(inner) = body.as_mut() else { return Poll::Pending };
        let frame = ready!(Pin::new(&mut *inner).poll_frame(cx));
        let now = u64::try_from(shared.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        shared.asked.store(now, Relaxed);
        match &frame {
            // A chunked body that was cut off must not end like a whole one.
            None if shared.over.load(Relaxed) => return Poll::Pending,
            None => shared.has_ended(),
            Some(Ok(part)) => {
                let bytes = part.data_ref().map_or(0, Bytes::len) as u64;
                if shared.meter.sending(bytes).is_err() {
                    return Poll::Ready(Some(Err(Error::HttpRequestBodySize(None))));
                }
                let left = shared.left.as_ref().map(|left| {
                    // One thread at a time polls a body.
                    let rest = left.load(Relaxed).saturating_sub(bytes);
                    left.store(rest, Relaxed);
                    rest
                });
                if left == Some(0) || inner.is_end_stream() {
                    shared.has_ended();
                }
            }
            Some(Err(_)) => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.shared.body().as_ref().is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.shared.body().as_ref().map_or_else(SizeHint::new, Body::size_hint)
    }
}

/// An answer's body.
pub(super) struct Answer {
    body: Incoming,
    meter: Arc<Meter>,
    patience: Duration,
    /// While a part of it is waited for: somebody who computes before reading
    /// on is not kept waiting by the server.
    sleep: Option<Pin<Box<Sleep>>>,
    waiting: Option<Waiting>,
    /// The request's body is closed no sooner than its answer: a component that
    /// has just written the last byte, and looks whether it went out, would find
    /// a quick server's answer to be a broken connection.
    _request: Control,
}

impl Answer {
    pub(super) fn new(
        body: Incoming,
        meter: Arc<Meter>,
        patience: Duration,
        request: Control,
    ) -> Self {
        let waiting = request.waiting();
        Self { body, meter, patience, sleep: None, waiting, _request: request }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.sleep = None;
                let frame = frame.map(|frame| frame.map_err(|error| error::of_http(&error)));
                match &frame {
                    Some(Ok(part)) => {
                        let bytes = part.data_ref().map_or(0, Bytes::len) as u64;
                        this.meter.received.fetch_add(bytes, Relaxed);
                    }
                    None | Some(Err(_)) => this.waiting = None,
                }
                Poll::Ready(frame)
            }
            Poll::Pending => {
                let patience = this.patience;
                let sleep = this.sleep.get_or_insert_with(|| Box::pin(sleep(patience)));
                ready!(sleep.as_mut().poll(cx));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
