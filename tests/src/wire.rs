//! As much of HTTP/1.1 as servers in the hands of a test need: one request per
//! connection, read to its end, and kept.

use std::{
    fmt::Write as _,
    io::{BufRead, Read as _, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `PUT`.
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// In their order.
    pub headers: Vec<(String, String)>,
    /// Empty where a server did not keep it.
    pub body: Vec<u8>,
}

impl Request {
    /// Reads a request's head; `None` where the connection ends or is no HTTP.
    pub fn read_head(from: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        let mut words = line.trim_end().split(' ');
        let mut request = Self {
            method: words.next()?.to_owned(),
            target: words.next()?.to_owned(),
            ..Self::default()
        };
        loop {
            let mut line = String::new();
            if from.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            request.headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Some(request)
    }

    /// Reads the body that the head announces.
    pub fn read_body(&mut self, from: &mut impl BufRead) -> Option<()> {
        self.body = vec![0; self.length()];
        from.read_exact(&mut self.body).ok()
    }

    /// The announced length of the body; 0 where there is none.
    #[must_use]
    pub fn length(&self) -> usize {
        self.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)
    }

    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A value of the query, as it was sent; empty where it has none.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| match pair.split_once('=') {
            Some((key, value)) if key == name => Some(value),
            None if pair == name => Some(""),
            _ => None,
        })
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// An answer to be sent.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// With this status and nothing else.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Writes it. The connection is over then.
    pub fn write(&self, to: &mut impl Write) -> Option<()> {
        let mut head = format!("HTTP/1.1 {} answer\r\nconnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            // Writing to a string does not fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "content-length: {}\r\n\r\n", self.body.len());
        to.write_all(head.as_bytes()).ok()?;
        to.write_all(&self.body).ok()
    }
}

/// What somebody who is called does: an answer, or silence.
pub type Reply = Option<Answer>;

/// A server that keeps what it is sent, and answers as a test wants.
pub struct Listener {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Listener {
    /// Starts it on loopback; it lives as long as the test's process. Where
    /// there is no answer, the connection stays open and silent.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn start(answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let seen = Arc::<Mutex<Vec<Request>>>::default();
        let (answer, kept) = (Arc::new(Mutex::new(answer)), Arc::clone(&seen));
        let port = accept(move |stream| {
            let mut reader = std::io::BufReader::new(stream.try_clone().ok()?);
            let mut request = Request::read_head(&mut reader)?;
            request.read_body(&mut reader)?;
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
            let reply = (answer.lock().unwrap_or_else(PoisonError::into_inner))(&request);
            if let Some(answer) = reply {
                return answer.write(&mut stream.try_clone().ok()?);
            }
            // Until the other side has had enough.
            let _ = reader.read(&mut [0]);
            None
        });
        Self { port, seen }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All that came, in order.
    #[must_use]
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Listens on a free port of the loopback interface, and serves each
/// connection on a thread of its own.
pub(crate) fn accept(serve: impl Fn(&TcpStream) -> Option<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            // Nobody waits for ever, whatever the console forgets.
            let _ = stream.set_read_timeout(Some(Duration::from_mins(2)));
            thread::spawn(move || serve(&stream));
        }
    });
    port
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn a_request_is_read_with_its_query_and_body() {
        let bytes = b"PUT /a/b?x=1&uploads HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcd";
        let mut reader = BufReader::new(&bytes[..]);
        let mut request = Request::read_head(&mut reader).expect("a head");
        request.read_body(&mut reader).expect("a body");
        assert_eq!((request.path(), request.text().as_str()), ("/a/b", "abc"));
        assert_eq!((request.query("x"), request.query("uploads")), (Some("1"), Some("")));
        assert_eq!((request.query("y"), request.header("HOST")), (None, Some("h")));
    }
}
