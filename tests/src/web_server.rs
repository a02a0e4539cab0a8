//! A web server on the loopback interface that takes whatever is put on it,
//! gives it out again, whole or in part, and deletes it. What is put below
//! `/refused` it refuses; of a large file below `/stuck` it reads the first
//! half, and then nothing more.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// A file of more bytes is large.
const LARGE: usize = 1 << 20;

type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// The server; it lives as long as the test's process.
pub struct WebServer {
    port: u16,
    files: Files,
}

impl WebServer {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let files = Files::default();
        let shared = files.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let files = shared.clone();
                thread::spawn(move || serve(&stream, &files));
            }
        });
        Self { port, files }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The paths of what was put there, and their contents.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Answers one request; the connection ends with it.
fn serve(stream: &TcpStream, files: &Files) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?, words.next()?.to_owned());
    let (mut length, mut range) = (0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "range" => range = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let is_stuck = path.starts_with("/stuck") && length > LARGE;
    let mut body = vec![0; if is_stuck { length / 2 } else { length }];
    // A file that was cut off on its way is none.
    reader.read_exact(&mut body).ok()?;
    if is_stuck {
        thread::sleep(Duration::from_hours(1));
    }
    let (status, body) = if path.starts_with("/refused") && method != "OPTIONS" {
        (403, b"This folder is read-only.\n".to_vec())
    } else {
        answer(files, method, path, body, range.as_deref())
    };
    let head = format!(
        "HTTP/1.1 {status} -\r\nserver: shelf\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes()).ok()?;
    if method == "HEAD" { Some(()) } else { stream.write_all(&body).ok() }
}

fn answer(
    files: &Files,
    method: &str,
    path: String,
    body: Vec<u8>,
    range: Option<&str>,
) -> (u16, Vec<u8>) {
    let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
    match method {
        "PUT" => {
            files.insert(path, body);
            (201, Vec::new())
        }
        "DELETE" => (if files.remove(&path).is_some() { 204 } else { 404 }, Vec::new()),
        "GET" => match (files.get(&path), range) {
            (None, _) => (404, b"no such file".to_vec()),
            (Some(file), None) => (200, file.clone()),
            (Some(file), Some(range)) => match part(file.len(), range) {
                Some(part) => (206, file[part].to_vec()),
                None => (416, Vec::new()),
            },
        },
        _ => (200, Vec::new()),
    }
}

/// The bytes that a header asks for: `bytes=5-9` or `bytes=5-`.
fn part(size: usize, range: &str) -> Option<std::ops::Range<usize>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let first: usize = first.parse().ok()?;
    let end = if last.is_empty() { size } else { last.parse::<usize>().ok()? + 1 };
    (first < size && first < end).then(|| first..end.min(size))
}
