//! From names to addresses.

use std::{
    fmt,
    future::Future,
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    pin::Pin,
    sync::{Arc, LazyLock},
};

use tokio::sync::Semaphore;

/// Names that are asked for at once: name servers that do not answer must not take
/// the threads that read and hash files.
static ASKING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(16)));

/// The addresses that a name stands for, or why that is not known.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// Who knows which addresses a name stands for. Whatever it says, every address
/// is checked before a connection is made to it.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// All addresses of the host, each with the port.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a>;
}

/// The system's own resolver: its name servers and its file of hosts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        Box::pin(async move {
            let place = Arc::clone(&ASKING).acquire_owned().await.map_err(io::Error::other)?;
            let host = host.to_owned();
            // Not with the runtime's own function: whoever has stopped waiting leaves
            // a thread behind that still asks, and it keeps its place until it ends.
            let asked = tokio::task::spawn_blocking(move || {
                let _place = place;
                Ok((host.as_str(), port).to_socket_addrs()?.collect())
            });
            asked.await.map_err(io::Error::other)?
        })
    }
}
