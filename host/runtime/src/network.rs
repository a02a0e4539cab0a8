//! The way out: which hosts a component reaches, at which addresses, and how.

mod address;
mod body;
mod connect;
mod early;
mod error;
mod gate;
mod head;
mod names;
mod sender;
mod tls;

#[cfg(test)]
pub(crate) use connect::{HEADER_BYTES, HEADERS, RESOLVE};
pub(crate) use gate::Gate;
pub(crate) use names::System;
pub use names::{Resolve, Resolving};
#[cfg(test)]
pub(crate) use sender::{BETWEEN_BYTES, CONNECT, CONNECTIONS, FIRST_BYTE};
pub(crate) use tls::client_config;
