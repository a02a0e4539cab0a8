//! Requests over HTTP/1.1, with the connections of one call.

use std::{
    collections::HashMap,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{Method, Request, Response, Uri, Version, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::SendRequest;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep_until, timeout},
};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::{
    body::{Answer, Control, Outgoing},
    connect::{Destination, Refused},
    error, head,
    names::Resolve,
};
use crate::{LimitBroken, LogLevel, Observer, log::Lines, meter::Meter, state::HEAD};

/// A component may ask for less, never for more.
pub(crate) const CONNECT: Duration = Duration::from_secs(30);
/// From the end of a request to the beginning of its answer: a storage service
/// may take minutes to put the parts of a large file together.
pub(crate) const FIRST_BYTE: Duration = Duration::from_mins(10);
pub(crate) const BETWEEN_BYTES: Duration = Duration::from_mins(1);
/// Open connections of one call.
pub(crate) const CONNECTIONS: usize = 16;
/// How long a connection that has just answered is waited for: less than a new
/// one takes.
const TURNOVER: Duration = Duration::from_millis(10);

/// The connections of one call. Dropping it ends them.
pub(super) struct Sender {
    meter: Arc<Meter>,
    observer: Arc<dyn Observer>,
    lines: Lines,
    tls: Arc<rustls::ClientConfig>,
    names: Arc<dyn Resolve>,
    /// Taken before a connection is made, given back when it has ended.
    slots: Arc<Semaphore>,
    /// Names are resolved once per call.
    addresses: Mutex<HashMap<Destination, Vec<SocketAddr>>>,
    idle: Mutex<HashMap<Destination, Vec<SendRequest<Outgoing>>>>,
    tasks: Mutex<JoinSet<()>>,
    over: Arc<AtomicBool>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sender {
    pub(super) fn new(
        meter: Arc<Meter>,
        observer: Arc<dyn Observer>,
        lines: Lines,
        tls: Arc<rustls::ClientConfig>,
        names: Arc<dyn Resolve>,
    ) -> Self {
        Self {
            meter,
            observer,
            lines,
            tls,
            names,
            slots: Arc::new(Semaphore::new(CONNECTIONS)),
            addresses: Mutex::default(),
            idle: Mutex::default(),
            tasks: Mutex::default(),
            over: Arc::default(),
        }
    }

    /// The call is over: no body ends well from here on.
    pub(super) fn close(&self) {
        self.over.store(true, Relaxed);
        lock(&self.tasks).abort_all();
    }

    /// Sends a request, and answers as soon as the answer's head is there. A
    /// redirect is an answer like any other.
    pub(super) async fn send(
        &self,
        to: Destination,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let (mut parts, body) = request.into_parts();
        let head = head::bytes(&parts);
        if head > HEAD as u64 {
            self.meter.stop(LimitBroken::Head(HEAD as u64));
            return Err(Error::HttpRequestHeaderSectionSize(u32::try_from(head).ok()));
        }
        let uri = head::path(&parts.uri).parse::<Uri>();
        parts.uri = uri.map_err(|_| Error::HttpRequestUriInvalid)?;
        parts.version = Version::HTTP_11;
        // Nobody here waits for the 100 that it asks for.
        parts.headers.remove(header::EXPECT);
        let length = parts.headers.get(header::CONTENT_LENGTH);
        let mut length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        // Of these a body is never sent, nor asked for, unless a header announces it.
        if matches!(parts.method, Method::GET | Method::HEAD) && length.is_none() {
            length = Some(0);
        }
        // What only asks can be asked again.
        let asks = matches!(parts.method, Method::GET | Method::HEAD) && length == Some(0);
        let spare = asks.then(|| parts.clone());
        let outgoing = |body| {
            let (meter, over) = (Arc::clone(&self.meter), Arc::clone(&self.over));
            Outgoing::new(body, length, meter, over)
        };
        let (body, mut control) = outgoing(body);
        let mut request = Request::from_parts(parts, body);

        let least = |asked: Option<Duration>, most| asked.map_or(most, |asked| asked.min(most));
        let first_byte = least(options.first_byte_timeout, FIRST_BYTE);
        let connect = least(options.connect_timeout, CONNECT);
        // The watch over the call comes first where nothing else goes on.
        let stall = self.meter.limits().idle + Duration::from_secs(1);
        let (answer, sender) = loop {
            let (mut sender, used) = self.connection(&to, connect).await?;
            if self.meter.sending(head).is_err() {
                // The call is over, whatever the component makes of this.
                return Err(Error::HttpRequestHeaderSectionSize(None));
            }
            let mut sent = pin!(sender.try_send_request(request));
            let result = loop {
                // Until the server has everything, it is its taking that is timed.
                let ended = control.ended();
                let patience = if ended { first_byte } else { stall };
                let until = control.last() + patience;
                tokio::select! {
                    biased;
                    result = &mut sent => break result,
                    () = control.end(), if !ended => {}
                    () = sleep_until(until) => {
                        let (code, why) = if ended {
                            (Error::ConnectionReadTimeout, "no answer in time")
                        } else {
                            (Error::ConnectionWriteTimeout, "the server does not take the data")
                        };
                        // Taken while this was looked at.
                        if control.last() + patience <= until && control.ended() == ended {
                            control.stop();
                            return Err(self.failed(&to, code, why));
                        }
                    }
                }
            };
            match result {
                Ok(answer) => break (answer, sender),
                // The server has closed a connection that lay idle: the request
                // never left, or was on its way.
                Err(mut error) => match (error.take_message(), &spare) {
                    (Some(unsent), _) if used => request = unsent,
                    (None, Some(parts)) if used => {
                        let empty = Empty::new().map_err(|never| match never {});
                        let (body, another) = outgoing(empty.boxed_unsync());
                        control = another;
                        request = Request::from_parts(parts.clone(), body);
                    }
                    _ => {
                        // Whoever still writes the body must not wait for somebody to take it.
                        control.stop();
                        let error = error.into_error();
                        return Err(self.failed(&to, error::of_http(&error), &error.to_string()));
                    }
                },
            }
        };
        self.keep(to, sender, &answer, &control);
        let patience = least(options.between_bytes_timeout, BETWEEN_BYTES);
        let meter = Arc::clone(&self.meter);
        Ok(answer.map(|body| Answer::new(body, meter, patience, control).boxed_unsync()))
    }

    fn keep<B>(
        &self,
        to: Destination,
        sender: SendRequest<Outgoing>,
        answer: &Response<B>,
        control: &Control,
    ) {
        if control.ended() {
            lock(&self.idle).entry(to).or_default().push(sender);
        } else if !answer.status().is_success() {
            // Refused before it was whole: whoever writes the rest should stop
            // and read why.
            control.stop();
        }
    }

    /// A connection, and whether it has been used before.
    async fn connection(
        &self,
        to: &Destination,
        patience: Duration,
    ) -> Result<(SendRequest<Outgoing>, bool), Error> {
        let idle = lock(&self.idle).get_mut(to).and_then(Vec::pop);
        if let Some(mut sender) = idle {
            match timeout(TURNOVER, sender.ready()).await {
                Ok(Ok(())) => return Ok((sender, true)),
                Ok(Err(_)) => {}
                // Its answer is still being read.
                Err(_) => lock(&self.idle).entry(to.clone()).or_default().insert(0, sender),
            }
        }
        let slot = self.slot(to).await?;
        let known = lock(&self.addresses).get(to).cloned();
        let addresses = if let Some(addresses) = known {
            addresses
        } else {
            let found = to.resolve(&*self.names).await.map_err(|refused| self.refused(refused))?;
            lock(&self.addresses).insert(to.clone(), found.clone());
            found
        };
        let made = to.connect(&addresses, &self.tls, patience, (&self.tasks, slot)).await;
        Ok((made.map_err(|refused| self.refused(refused))?, false))
    }

    /// Room for one more connection. Those that lie idle make room.
    async fn slot(&self, to: &Destination) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(slot);
        }
        lock(&self.idle).clear();
        let waited = timeout(TURNOVER, Arc::clone(&self.slots).acquire_owned()).await;
        if let Ok(Ok(slot)) = waited {
            return Ok(slot);
        }
        let text = format!("more than {CONNECTIONS} connections at once");
        Err(self.failed(to, Error::ConnectionLimitReached, &text))
    }

    fn refused(&self, refused: Refused) -> Error {
        match refused {
            Refused::Failed(code, text) => {
                self.lines.add(LogLevel::Warning, &text);
                code
            }
            Refused::Denied(denied) => {
                self.observer.denied(&denied);
                Error::DestinationIpProhibited
            }
        }
    }

    fn failed(&self, to: &Destination, code: Error, why: &str) -> Error {
        let text = format!("the request to {}:{} failed: {why}", to.host, to.port);
        self.lines.add(LogLevel::Warning, &text);
        code
    }
}
