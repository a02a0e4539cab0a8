//! A blocking HTTP client that hides nothing: no redirect is followed, and no
//! status is an error.

use std::{
    io::{self, Read, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};
use ureq::{
    Agent, http,
    tls::{Certificate, RootCerts, TlsConfig},
};

/// A client of one console, with or without a bearer token.
#[derive(Debug, Clone)]
pub struct Api {
    agent: Agent,
    base: String,
    token: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// 200, say.
    pub status: u16,
    /// In the order they came; one name may come more than once.
    pub headers: http::HeaderMap,
    /// As it came.
    pub body: Vec<u8>,
}

/// An answer whose body is still to come.
pub struct Download {
    /// 200, say.
    pub status: u16,
    /// All of them are here before the first byte.
    pub headers: http::HeaderMap,
    /// Blocks until bytes come; fails when the connection is cut short.
    pub body: Box<dyn Read + Send>,
}

impl Api {
    /// Nobody, at `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn anonymous(base: &str) -> Self {
        Self::trusting(base, None)
    }

    /// Nobody, at `https://127.0.0.1:PORT`, whose certificate this authority
    /// (PEM) has signed.
    ///
    /// # Panics
    /// When the authority is none.
    #[must_use]
    pub fn trusting(base: &str, authority: Option<&[u8]>) -> Self {
        let mut tls = TlsConfig::builder();
        if let Some(pem) = authority {
            let authority = Certificate::from_pem(pem).expect("a certificate");
            tls = tls.root_certs(RootCerts::new_with_certs(&[authority]));
        }
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_mins(1)))
            .proxy(None)
            .build();
        Self { agent: config.into(), base: base.to_owned(), token: None }
    }

    /// Somebody, by a token from `POST /api/v1/auth/login`.
    ///
    /// # Panics
    /// When the name and password do not fit.
    #[must_use]
    #[track_caller]
    pub fn sign_in(base: &str, username: &str, password: &str) -> Self {
        let anonymous = Self::anonymous(base);
        let body = json!({ "username": username, "password": password });
        let answer = anonymous.post("/api/v1/auth/login", &body).expect(200).json();
        let token = answer["access_token"].as_str().expect("a token").to_owned();
        anonymous.with_token(&token)
    }

    /// The same console, with this token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The bearer token.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Reads.
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None)
    }

    /// Asks for something, in JSON.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        let body = body.to_string();
        self.send("POST", path, &[("Content-Type", "application/json")], Some(body.as_bytes()))
    }

    /// Changes something, in JSON.
    #[track_caller]
    pub fn patch(&self, path: &str, body: &Value) -> Reply {
        let body = body.to_string();
        self.send("PATCH", path, &[("Content-Type", "application/json")], Some(body.as_bytes()))
    }

    /// Removes.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, &[], None)
    }

    /// Any request.
    #[track_caller]
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Reply {
        let mut answer = self
            .ask(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let body = answer.body_mut().with_config().limit(u64::MAX).read_to_vec();
        let body = body.unwrap_or_else(|error| panic!("{method} {path}: the answer: {error}"));
        Reply { status, headers, body }
    }

    /// Begins to read a file that may be long, or not finished yet.
    #[track_caller]
    pub fn download(&self, path: &str, headers: &[(&str, &str)]) -> Download {
        let answer = self
            .ask("GET", path, headers, None)
            .unwrap_or_else(|error| panic!("GET {path}: {error}"));
        let (head, body) = answer.into_parts();
        let body = body.into_with_config().limit(u64::MAX).reader();
        Download { status: head.status.as_u16(), headers: head.headers, body: Box::new(body) }
    }

    /// Sends exactly these bytes over a connection of its own, and returns
    /// all that comes until the console closes it or is silent for the limit.
    pub fn raw(&self, request: &[u8], limit: Duration) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.base.trim_start_matches("http://"))?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(request)?;
        let mut answer = vec![];
        match stream.read_to_end(&mut answer) {
            Err(e)
                if !matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionReset
                ) =>
            {
                Err(e)
            }
            _ => Ok(answer),
        }
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let url = format!("{}{path}", self.base);
        let mut request = http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        match body {
            Some(body) => self.agent.run(request.body(body)?),
            None => self.agent.run(request.body(())?),
        }
    }
}

impl Reply {
    /// The same answer, if it has this status.
    ///
    /// # Panics
    /// With the whole body, if it has another.
    #[track_caller]
    #[allow(clippy::must_use_candidate, clippy::return_self_not_must_use)] // Often only the status counts.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the answer: {}", self.text());
        self
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader},
        net::TcpListener,
        thread,
    };

    use super::*;

    /// Answers one request with these bytes, and returns what it was sent up to the empty line.
    fn server(answer: &'static [u8]) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let reader = BufReader::new(stream.try_clone().expect("a second handle"));
            let head: Vec<_> =
                reader.lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            stream.write_all(answer).expect("sent");
            head.join("\n")
        });
        (base, served)
    }

    #[test]
    fn a_redirect_and_its_headers_are_shown_as_they_came() {
        let (base, served) =
            server(b"HTTP/1.1 303 See Other\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n");
        let reply = Api::anonymous(&base).with_token("t0k3n").get("/backups?limit=2").expect(303);
        assert_eq!(reply.header("location"), Some("/login"));
        let request = served.join().expect("served").to_lowercase();
        assert!(request.starts_with("get /backups?limit=2 http/1.1"), "{request}");
        assert!(request.contains("authorization: bearer t0k3n"), "{request}");
    }

    #[test]
    fn a_download_that_is_cut_off_gives_its_first_bytes_and_then_an_error() {
        let (base, _) =
            server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        let mut download = Api::anonymous(&base).download("/file", &[]);
        let mut bytes = [0; 5];
        download.body.read_exact(&mut bytes).expect("the first bytes");
        assert_eq!(&bytes, b"hello");
        assert!(download.body.read_to_end(&mut vec![]).is_err());
    }

    #[test]
    fn raw_bytes_arrive_as_they_are() {
        let (base, served) = server(b"HTTP/1.0 400 Bad Request\r\n\r\n");
        let answer =
            Api::anonymous(&base).raw(b"BREW /pot HTCPCP/1.0\r\n\r\n", Duration::from_secs(5));
        assert!(answer.expect("an answer").starts_with(b"HTTP/1.0 400"));
        assert_eq!(served.join().expect("served"), "BREW /pot HTCPCP/1.0");
    }
}
