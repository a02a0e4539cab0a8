//! A TCP proxy between the console and its PostgreSQL: the network, in the
//! hands of a test.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// No connection is ever held at this limit.
const OPEN: u64 = u64::MAX;

/// The network between console and server. It forwards until told otherwise.
#[derive(Debug, Clone)]
pub struct Link(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    port: u16,
    server: u16,
    /// So many bytes of each connection come through from the server.
    limit: AtomicU64,
    refuses: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Link {
    /// To a server on this machine.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let link = Self(Arc::new(Inner {
            port: listener.local_addr().expect("an address").port(),
            server,
            limit: AtomicU64::new(OPEN),
            refuses: AtomicBool::new(false),
            open: Mutex::default(),
        }));
        let accepting = link.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.0.refuses.load(Ordering::Relaxed) {
                    reset(&client);
                } else if let Ok(server) = TcpStream::connect(("127.0.0.1", accepting.0.server)) {
                    accepting.join(&client, &server);
                }
            }
        });
        link
    }

    /// Where the console is to connect.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Lets so many bytes of each connection come through from the server,
    /// and then no more, without closing anything: a dump stands still there.
    pub fn hold_after(&self, bytes: u64) {
        self.0.limit.store(bytes, Ordering::Relaxed);
    }

    /// Lets everything through again.
    pub fn release(&self) {
        self.hold_after(OPEN);
    }

    /// Resets all connections there are.
    pub fn reset(&self) {
        for stream in self.0.open.lock().expect("no panic").drain(..) {
            reset(&stream);
        }
    }

    /// Resets every new connection, or takes them again.
    pub fn refuse(&self, refuses: bool) {
        self.0.refuses.store(refuses, Ordering::Relaxed);
    }

    fn join(&self, client: &TcpStream, server: &TcpStream) {
        let twin = |stream: &TcpStream| stream.try_clone().expect("a second handle");
        self.0.open.lock().expect("no panic").extend([twin(client), twin(server)]);
        let (to_server, from_client) = (twin(server), twin(client));
        let server_end = twin(server);
        thread::spawn(move || {
            forward(from_client, to_server, || OPEN);
            // As a kernel does for a process that is gone: a server with a full window
            // would not hear of an orderly end, and wait for ever.
            reset(&server_end);
        });
        let (to_client, from_server, link) = (twin(client), twin(server), self.clone());
        thread::spawn(move || {
            forward(from_server, to_client, || link.0.limit.load(Ordering::Relaxed));
        });
    }
}

/// Copies until one side ends, and then ends both.
fn forward(mut from: TcpStream, mut to: TcpStream, limit: impl Fn() -> u64) {
    let mut buffer = [0; 16 << 10];
    let mut passed = 0;
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        passed += count as u64;
        while passed > limit() {
            if gone(&from) || gone(&to) {
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // The other side may have gone first.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// Whether the other side has closed or reset this connection.
fn gone(stream: &TcpStream) -> bool {
    let mut asked = [PollFd::new(stream, PollFlags::RDHUP)];
    poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
}

/// Ends a connection with RST instead of an orderly end.
fn reset(stream: &TcpStream) {
    // It may be over already.
    let _ = rustix::net::connect_unspec(stream);
}
