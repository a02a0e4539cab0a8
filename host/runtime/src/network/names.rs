//! From names to addresses.

use std::{fmt, future::Future, io, net::SocketAddr, pin::Pin};

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
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}
