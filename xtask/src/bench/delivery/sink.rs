//! A server that answers as S3 does and throws every byte away, in the kernel:
//! what is measured before it is the sender.

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use anyhow::Result;
use rustix::net::{RecvFlags, recv};

/// Sizes and SHA-256 of what was put, by path.
type Objects = Arc<Mutex<HashMap<String, (u64, String)>>>;

/// The sink; it lives as long as the program, or until its port is freed.
pub(super) struct Sink {
    pub(super) port: u16,
    closed: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

struct Head {
    method: String,
    path: String,
    query: String,
    headers: HashMap<String, String>,
}

impl Sink {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let (closed, over) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let sink = Self { port, closed: Arc::clone(&closed), over: Arc::clone(&over) };
        let objects = Objects::default();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Relaxed) {
                    break;
                }
                let (objects, closed) = (Arc::clone(&objects), Arc::clone(&closed));
                // A client that goes away ends its thread; nobody waits for it.
                thread::spawn(
                    move || {
                        while serve(&stream, &objects, closed.load(Relaxed)).is_some() {}
                    },
                );
            }
        });
        Ok(sink)
    }

    /// Sends everybody away for an hour, or lets them in again.
    pub(super) fn close(&self, closed: bool) {
        self.closed.store(closed, Relaxed);
    }

    /// Ends it, and gives its port away.
    pub(super) fn free(self) -> u16 {
        self.over.store(true, Relaxed);
        // It looks when somebody comes.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        while TcpListener::bind(("127.0.0.1", self.port)).is_err() {
            thread::sleep(Duration::from_millis(5));
        }
        self.port
    }
}

fn head(reader: &mut BufReader<&TcpStream>) -> Option<Head> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let method = words.next()?.to_owned();
    let target = words.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut head =
        Head { method, path: path.to_owned(), query: query.to_owned(), headers: HashMap::new() };
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { return Some(head) };
        head.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
}

/// Answers one request.
fn serve(stream: &TcpStream, objects: &Objects, closed: bool) -> Option<()> {
    // Small, so that nearly all of a body is left for the kernel.
    let mut reader = BufReader::with_capacity(8 << 10, stream);
    let head = head(&mut reader)?;
    let mut out = stream;
    if closed {
        let away = b"HTTP/1.1 503 away\r\nretry-after: 3600\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        out.write_all(away).ok()?;
        return None;
    }
    let header = |name: &str| head.headers.get(name).cloned().unwrap_or_default();
    if header("expect").eq_ignore_ascii_case("100-continue") {
        out.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let length: u64 = header("content-length").parse().unwrap_or(0);
    let here =
        usize::try_from(length).map_or(reader.buffer().len(), |all| all.min(reader.buffer().len()));
    reader.consume(here);
    throw_away(stream, length - here as u64)?;
    let (status, headers, body) = answer(&head, length, objects);
    let mut text = format!("HTTP/1.1 {status} answer\r\n{headers}");
    if head.method == "HEAD" {
        text.push_str("\r\n");
    } else {
        // Writing to a string does not fail.
        let _ = write!(text, "content-length: {}\r\n\r\n{body}", body.len());
    }
    out.write_all(text.as_bytes()).ok()?;
    (!header("connection").eq_ignore_ascii_case("close")).then_some(())
}

/// Takes so many bytes off a connection without looking at one.
fn throw_away(stream: &TcpStream, mut left: u64) -> Option<()> {
    let mut nowhere = vec![0_u8; 1 << 20];
    while left > 0 {
        let most = usize::try_from(left).map_or(nowhere.len(), |left| left.min(nowhere.len()));
        let (_, thrown) = recv(stream, &mut nowhere[..most], RecvFlags::TRUNC).ok()?;
        if thrown == 0 {
            return None;
        }
        left -= thrown as u64;
    }
    Some(())
}

/// Status, headers and body, as S3 would have them.
fn answer(head: &Head, length: u64, objects: &Objects) -> (u16, String, String) {
    let header = |name: &str| head.headers.get(name).cloned().unwrap_or_default();
    let has = |name: &str| head.query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let mut objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
    let checksum = match header("x-amz-checksum-sha256") {
        sum if sum.is_empty() => String::new(),
        sum => format!("x-amz-checksum-sha256: {sum}\r\n"),
    };
    let sent = format!("etag: \"none\"\r\n{checksum}");
    match head.method.as_str() {
        "PUT" if has("partNumber") => {
            objects.entry(head.path.clone()).or_default().0 += length;
            (200, sent, String::new())
        }
        "PUT" => {
            objects.insert(head.path.clone(), (length, header("x-amz-meta-sha256")));
            (200, sent, String::new())
        }
        "POST" if has("uploads") => {
            objects.insert(head.path.clone(), (0, header("x-amz-meta-sha256")));
            let body = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>";
            (200, String::new(), body.to_owned())
        }
        "POST" => {
            let body = "<CompleteMultipartUploadResult><ETag>\"none-1\"</ETag></CompleteMultipartUploadResult>";
            (200, String::new(), body.to_owned())
        }
        "HEAD" => match objects.get(&head.path) {
            Some((size, sha256)) => {
                let headers = format!(
                    "content-length: {size}\r\nx-amz-meta-sha256: {sha256}\r\netag: \"none\"\r\n\
                     last-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                );
                (200, headers, String::new())
            }
            None => (404, "content-length: 0\r\n".to_owned(), String::new()),
        },
        "GET" if has("uploads") => (
            200,
            String::new(),
            "<ListMultipartUploadsResult></ListMultipartUploadsResult>".to_owned(),
        ),
        "GET" => (200, String::new(), "<ListBucketResult></ListBucketResult>".to_owned()),
        _ => (204, String::new(), String::new()),
    }
}
