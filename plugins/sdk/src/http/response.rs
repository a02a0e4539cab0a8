//! The answer to a request.

use super::Url;
use crate::{
    Failure, Result,
    bindings::imports::wasi::{
        http::types::{IncomingBody, IncomingResponse},
        io::streams::InputStream,
    },
    stream::Input,
};

/// How much of an error's body is read.
const ERROR_LIMIT: usize = 64 << 10;

/// How much of an error's body is shown.
const SHOWN: usize = 300;

/// An answer: its status and headers are there, its body can be read once.
#[derive(Debug)]
pub struct Response {
    url: Url,
    status: u16,
    inner: IncomingResponse,
}

/// The body of an answer, as a stream.
#[derive(Debug)]
pub struct BodyStream {
    // Dropped in this order: the stream is a child of the body.
    stream: Input,
    _body: IncomingBody,
}

impl BodyStream {
    /// The bytes.
    pub fn input(&self) -> &Input {
        &self.stream
    }
}

impl Response {
    pub(super) fn new(url: Url, response: IncomingResponse) -> Self {
        Self { url, status: response.status(), inner: response }
    }

    /// The status: 200, 404.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.inner.headers().get(name).into_iter().next()?;
        String::from_utf8(value).ok()
    }

    /// How many seconds the server asks to wait.
    pub fn retry_after(&self) -> Option<u32> {
        retry_after(&self.header("retry-after")?)
    }

    /// The body's length, if it was announced.
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// The body as a stream.
    pub fn into_stream(self) -> Result<BodyStream> {
        let taken = |()| Failure::permanent("the answer's body was taken twice");
        let body = self.inner.consume().map_err(taken)?;
        let stream: InputStream = body.stream().map_err(taken)?;
        Ok(BodyStream { stream: Input(stream), _body: body })
    }

    /// The whole body, which must have no more than `limit` bytes, and as many
    /// as were announced.
    pub fn bytes(self, limit: usize) -> Result<Vec<u8>> {
        let (url, announced) = (self.url.clone(), self.content_length());
        let at = |failure: Failure| failure.context(&url);
        let stream = self.into_stream().map_err(at)?;
        let bytes = stream.input().read_up_to(limit + 1).map_err(at)?;
        if bytes.len() > limit {
            return Err(at(Failure::permanent("the answer is too long")));
        }
        if announced.is_some_and(|announced| announced != bytes.len() as u64) {
            return Err(at(Failure::temporary("the answer was cut off")));
        }
        Ok(bytes)
    }

    /// The beginning of the body, for an error's text.
    pub fn beginning(self) -> Vec<u8> {
        let read = self.into_stream().and_then(|stream| stream.input().read_up_to(ERROR_LIMIT));
        // What the status says is enough.
        read.unwrap_or_default()
    }

    /// Itself, if the status is 2xx; otherwise the failure that the status
    /// means, with the beginning of the body.
    pub fn success(self) -> Result<Self> {
        if self.is_success() {
            return Ok(self);
        }
        let (url, status, after) = (self.url.clone(), self.status, self.retry_after());
        let said = readable(&self.beginning());
        Err(by_status(status, &said, after).context(url))
    }

    /// The server, without path and query.
    pub fn server(&self) -> &Url {
        &self.url
    }
}

/// The failure that a status means. `said` is what the server said, perhaps nothing.
pub fn by_status(status: u16, said: &str, retry_after: Option<u32>) -> Failure {
    let text = |meaning: &str| {
        if said.is_empty() {
            format!("{meaning} (HTTP {status})")
        } else {
            format!("{meaning} (HTTP {status}): {said}")
        }
    };
    match status {
        300..=399 => Failure::permanent(text("it answered with a redirect, which is not followed")),
        401 => Failure::denied(text("it does not accept the credentials")),
        403 => Failure::denied(text("it does not allow this")),
        404 | 410 => Failure::not_found(text("there is nothing")),
        408 | 425 | 429 => Failure::temporary_after(text("it asks to wait"), retry_after),
        500..=599 => Failure::temporary_after(text("it has a fault"), retry_after),
        _ => Failure::permanent(text("it refused")),
    }
}

/// The number of seconds of a `Retry-After` header. A date is not read: the
/// console's own schedule serves as well.
pub fn retry_after(value: &str) -> Option<u32> {
    value.trim().parse().ok()
}

/// What a server said, on one line and cut: never control characters or markup
/// that could be taken for the console's own.
pub fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(ERROR_LIMIT)]);
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_to_try_again() {
        assert!(by_status(503, "", Some(30)).is_temporary());
        assert!(by_status(429, "", None).is_temporary());
        assert!(matches!(by_status(403, "no", None), Failure::Denied(_)));
        assert!(matches!(by_status(404, "", None), Failure::NotFound(_)));
        assert!(matches!(by_status(400, "", None), Failure::Permanent(_)));
        assert!(matches!(by_status(302, "", None), Failure::Permanent(_)));
    }

    #[test]
    fn what_a_server_says_becomes_one_short_line() {
        assert_eq!(readable(b"  no\r\n\x1b[31m such\tkey "), "no [31m such key");
        assert_eq!(readable(&[b'x'; 1000]).chars().count(), SHOWN + 1);
        assert_eq!(readable(b""), "");
    }

    #[test]
    fn a_wait_is_read_in_seconds() {
        assert_eq!(retry_after(" 120 "), Some(120));
        assert_eq!(retry_after("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(retry_after("-1"), None);
    }
}
