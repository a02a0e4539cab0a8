//! A proxy between the console and an S3 service: it keeps every request's
//! head, and does what a test wants to have done to some of them.

use std::{
    fmt::Write as _,
    io::{BufReader, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use crate::wire::{Answer, Request, accept};

/// What is done to a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing.
    None,
    /// This is answered; the service hears nothing.
    Answer(Answer),
    /// One byte in the middle of the body becomes another one.
    Flip,
    /// The connection is reset after half of the body.
    Reset,
    /// The service gets it, and its answer is lost.
    Lost,
    /// The service gets it, and this takes the place of its answer.
    Instead(Answer),
    /// The service gets it, and the second half of its answer's body is lost.
    Truncated,
    /// It is passed on after this time.
    Slow(Duration),
}

type Choose = Box<dyn FnMut(&Request) -> Fault + Send>;

/// The proxy; it lives as long as the test's process.
#[derive(Clone)]
pub struct S3Proxy(Arc<Inner>);

struct Inner {
    port: Mutex<u16>,
    service: u16,
    seen: Mutex<Vec<Request>>,
    /// Nothing until somebody asks for it: bodies are large.
    whole: Mutex<Option<Vec<Request>>>,
    choose: Mutex<Choose>,
}

impl S3Proxy {
    /// To a service on this machine. Passes everything on until told otherwise.
    #[must_use]
    pub fn to(service: u16) -> Self {
        let inner = Arc::new(Inner {
            port: Mutex::new(0),
            service,
            seen: Mutex::default(),
            whole: Mutex::default(),
            choose: Mutex::new(Box::new(|_| Fault::None)),
        });
        let shared = Arc::clone(&inner);
        let port = accept(move |stream| shared.serve(stream));
        *lock(&inner.port) = port;
        Self(inner)
    }

    /// Where the console is to connect.
    #[must_use]
    pub fn port(&self) -> u16 {
        *lock(&self.0.port)
    }

    /// What is done to each request from now on, by its head.
    pub fn faults(&self, choose: impl FnMut(&Request) -> Fault + Send + 'static) {
        *lock(&self.0.choose) = Box::new(choose);
    }

    /// The heads of all requests since the last look, in order.
    #[allow(clippy::must_use_candidate)] // Often what was is only to be forgotten.
    pub fn take_seen(&self) -> Vec<Request> {
        std::mem::take(&mut *lock(&self.0.seen))
    }

    /// The requests since the last look, with their bodies as the console sent
    /// them, in the order in which they were whole. The first look begins it,
    /// and gives none.
    #[allow(clippy::must_use_candidate)] // The first look only begins it.
    pub fn take_whole(&self) -> Vec<Request> {
        lock(&self.0.whole).replace(Vec::new()).unwrap_or_default()
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::with_capacity(1 << 16, stream.try_clone().ok()?);
        let mut request = Request::read_head(&mut reader)?;
        lock(&self.seen).push(request.clone());
        let fault = (lock(&self.choose))(&request);
        match &fault {
            Fault::Reset => {
                let mut half = vec![0; request.length() / 2];
                reader.read_exact(&mut half).ok()?;
                // An error here means that it is gone already.
                let _ = rustix::net::connect_unspec(stream);
                return None;
            }
            Fault::Answer(answer) => {
                // As most services do: the refusal comes while the body still does.
                answer.write(&mut stream.try_clone().ok()?)?;
                let _ = stream.shutdown(Shutdown::Write);
                request.read_body(&mut reader)?;
                return None;
            }
            Fault::Slow(wait) => thread::sleep(*wait),
            _ => {}
        }
        request.read_body(&mut reader)?;
        if let Some(whole) = lock(&self.whole).as_mut() {
            whole.push(request.clone());
        }
        if matches!(fault, Fault::Flip) {
            let middle = request.body.len() / 2;
            *request.body.get_mut(middle)? ^= 1;
        }
        let mut answer = self.ask(&request)?;
        match fault {
            Fault::Lost => return None,
            Fault::Instead(other) => return other.write(&mut stream.try_clone().ok()?),
            Fault::Truncated => {
                let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
                answer.truncate(end + (answer.len() - end) / 2);
            }
            _ => {}
        }
        stream.try_clone().ok()?.write_all(&answer).ok()
    }

    /// The service's answer, byte for byte.
    fn ask(&self, request: &Request) -> Option<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.service)).ok()?;
        let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
        for (name, value) in &request.headers {
            if !name.eq_ignore_ascii_case("connection") {
                // Writing to a string does not fail.
                let _ = write!(head, "{name}: {value}\r\n");
            }
        }
        head.push_str("connection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        // A service that refuses early does not read it all.
        let _ = stream.write_all(&request.body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Some(answer)
    }
}
