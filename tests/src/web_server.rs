//! A web server on the loopback interface that takes whatever is put on it. What
//! is put below `/refused` it refuses; of a large file below `/stuck` it reads
//! the first half, and then nothing more.

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
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let is_stuck = path.starts_with("/stuck") && length > LARGE;
    let mut body = vec![0; if is_stuck { length / 2 } else { length }];
    reader.read_exact(&mut body).ok()?;
    if is_stuck {
        thread::sleep(Duration::from_hours(1));
    }
    if path.starts_with("/refused") && method != "OPTIONS" {
        let answer = "HTTP/1.1 403 Forbidden\r\ncontent-length: 26\r\nconnection: close\r\n\r\nThis folder is read-only.\n";
        let mut stream = stream;
        return stream.write_all(answer.as_bytes()).ok();
    }
    if method == "PUT" {
        files.lock().unwrap_or_else(PoisonError::into_inner).insert(path, body);
    }
    let answer =
        "HTTP/1.1 200 OK\r\nserver: shelf\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let mut stream = stream;
    stream.write_all(answer.as_bytes()).ok()
}
