//! One request, built and sent.

use std::time::Duration;

use super::{Response, Url};
use crate::{
    Failure, Result,
    artifact::Range,
    bindings::imports::wasi::http::{
        outgoing_handler,
        types::{
            ErrorCode, Fields, FutureIncomingResponse, HeaderError, OutgoingBody, OutgoingRequest,
            RequestOptions, Scheme,
        },
    },
    stream::Output,
};

pub use crate::bindings::imports::wasi::http::types::Method;

/// A request to be sent.
#[derive(Debug)]
pub struct Request {
    method: Method,
    url: Result<Url>,
    headers: Vec<(String, Vec<u8>)>,
    body: Body,
    connect: Duration,
    answer: Duration,
}

#[derive(Debug)]
enum Body {
    None,
    Bytes(Vec<u8>),
    Artifact(Range),
}

impl Request {
    /// A request that a server has 10 s to take and 5 min to answer. A URL
    /// that is none becomes the failure of [`Request::send`].
    pub fn new(method: Method, url: &str) -> Self {
        Self {
            method,
            url: url.parse().map_err(|error| Failure::permanent(format!("the URL: {error}"))),
            headers: Vec::new(),
            body: Body::None,
            connect: Duration::from_secs(10),
            answer: Duration::from_mins(5),
        }
    }

    /// `GET`.
    pub fn get(url: &str) -> Self {
        Self::new(Method::Get, url)
    }

    /// `HEAD`.
    pub fn head(url: &str) -> Self {
        Self::new(Method::Head, url)
    }

    /// `PUT`.
    pub fn put(url: &str) -> Self {
        Self::new(Method::Put, url)
    }

    /// `POST`.
    pub fn post(url: &str) -> Self {
        Self::new(Method::Post, url)
    }

    /// `DELETE`.
    pub fn delete(url: &str) -> Self {
        Self::new(Method::Delete, url)
    }

    /// Adds a header. Names and values that are none become the failure of
    /// [`Request::send`].
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl AsRef<str>) -> Self {
        self.headers.push((name.into(), value.as_ref().as_bytes().to_vec()));
        self
    }

    /// Sends these bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Bytes(bytes.into());
        self
    }

    /// Sends a part of the backup's file, which does not enter the component's
    /// memory.
    #[must_use]
    pub fn artifact(mut self, range: Range) -> Self {
        self.body = Body::Artifact(range);
        self
    }

    /// How long the server may take to answer once it has everything, and
    /// between two parts of its answer.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.answer = limit;
        self
    }

    /// Sends it and waits for the answer, whatever its status. Redirects are
    /// not followed.
    pub fn send(self) -> Result<Response> {
        let url = self.url?;
        let at = |failure: Failure| failure.context(&url);
        let length = match &self.body {
            Body::None => matches!(self.method, Method::Put | Method::Post).then_some(0),
            Body::Bytes(bytes) => Some(bytes.len() as u64),
            Body::Artifact(range) => Some(range.length),
        };
        let mut headers = self.headers;
        if let Some(length) = length {
            headers.push(("content-length".into(), length.to_string().into_bytes()));
        }
        let fields = Fields::from_list(&headers).map_err(|error| at(header_failure(error)))?;
        let request = OutgoingRequest::new(fields);
        let scheme = if url.is_secure() { Scheme::Https } else { Scheme::Http };
        let addressed = request
            .set_method(&self.method)
            .and_then(|()| request.set_scheme(Some(&scheme)))
            .and_then(|()| request.set_authority(Some(url.authority())))
            .and_then(|()| request.set_path_with_query(Some(url.path_with_query())));
        addressed.map_err(|()| at(Failure::permanent("the URL is refused")))?;
        let options = RequestOptions::new();
        // A console that does not know one of them goes by its own limits.
        let _ = options.set_connect_timeout(Some(nanoseconds(self.connect)));
        let _ = options.set_first_byte_timeout(Some(nanoseconds(self.answer)));
        let _ = options.set_between_bytes_timeout(Some(nanoseconds(self.answer)));

        let handle = |request| {
            outgoing_handler::handle(request, Some(options)).map_err(|code| at(failure(&code)))
        };
        let taken = |()| at(Failure::permanent("the request's body was taken twice"));
        let (answer, sent, finished) = if matches!(self.body, Body::None) {
            // A body that is taken and then empty would be announced as one
            // of unknown length, which some servers refuse.
            (handle(request)?, Ok(()), Ok(()))
        } else {
            let body = request.body().map_err(taken)?;
            let answer = handle(request)?;
            let output = Output(body.write().map_err(taken)?);
            let sent = match &self.body {
                Body::None => Ok(()),
                Body::Bytes(bytes) => output.write(bytes).and_then(|()| output.flush()),
                Body::Artifact(range) => send_range(&output, *range),
            };
            drop(output);
            // A body that is dropped instead tells the server that it is not whole.
            let finished = if sent.is_ok() {
                OutgoingBody::finish(body, None).map_err(|code| failure(&code))
            } else {
                drop(body);
                Ok(())
            };
            (answer, sent, finished)
        };
        // A server may answer before it has read everything, and its answer
        // says more than that the connection was closed.
        let response = wait(&answer).map_err(|code| match &sent {
            Err(first) if !first.is_temporary() => at(first.clone()),
            _ => at(failure(&code)),
        })?;
        let response = Response::new(url.clone(), response);
        if response.is_success() {
            sent.and(finished).map_err(at)?;
        }
        Ok(response)
    }
}

fn send_range(output: &Output, range: Range) -> Result<()> {
    if range.length == 0 {
        return Ok(());
    }
    let input = range.open()?;
    output.pass_on(&input, range.length)
}

fn wait(
    answer: &FutureIncomingResponse,
) -> std::result::Result<crate::bindings::imports::wasi::http::types::IncomingResponse, ErrorCode> {
    loop {
        match answer.get() {
            Some(Ok(result)) => return result,
            Some(Err(())) => {
                return Err(ErrorCode::InternalError(Some("the answer was taken twice".into())));
            }
            None => answer.subscribe().block(),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn header_failure(error: HeaderError) -> Failure {
    Failure::permanent(match error {
        HeaderError::InvalidSyntax => "a header's name or value contains what no header may",
        HeaderError::Forbidden => "a header is one that only the console may set",
        HeaderError::Immutable => "the headers cannot be changed",
    })
}

/// What went wrong before there was an answer, in plain words.
fn failure(code: &ErrorCode) -> Failure {
    let temporary = |text: &str| Failure::temporary(text);
    match code {
        ErrorCode::HttpRequestDenied => {
            Failure::denied("the console does not allow this connection: grant the host first")
        }
        ErrorCode::DestinationIpProhibited => Failure::denied(
            "the console does not allow this address: it is a private one, and that was not granted",
        ),
        ErrorCode::DnsTimeout => temporary("its name was not resolved in time"),
        ErrorCode::DnsError(error) => Failure::temporary(match &error.rcode {
            Some(code) => format!("its name cannot be resolved ({code})"),
            None => "its name cannot be resolved".to_owned(),
        }),
        ErrorCode::DestinationNotFound => temporary("its name cannot be resolved"),
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
            temporary("it cannot be reached")
        }
        ErrorCode::ConnectionRefused => temporary("it refused the connection"),
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => {
            temporary("it closed the connection before the end")
        }
        ErrorCode::ConnectionTimeout => temporary("it did not take the connection in time"),
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            temporary("it did not answer in time")
        }
        ErrorCode::ConnectionWriteTimeout => temporary("it did not take the data in time"),
        ErrorCode::ConnectionLimitReached => temporary("there are too many connections"),
        ErrorCode::TlsCertificateError => Failure::permanent("its certificate is not trusted"),
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => {
            Failure::permanent("no TLS connection could be agreed on")
        }
        ErrorCode::InternalError(Some(text)) => Failure::temporary(text),
        other => Failure::temporary(format!("the request failed ({other:?})")),
    }
}
