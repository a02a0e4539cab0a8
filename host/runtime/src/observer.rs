//! Who hears of a call while it runs.

use std::net::IpAddr;

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For who looks for a fault.
    Debug,
    /// What was done.
    Info,
    /// What is odd, and did no harm.
    Warning,
    /// What went wrong.
    Error,
}

/// Hears of a running call. The functions are called from the call itself: they
/// must return at once.
pub trait Observer: Send + Sync {
    /// A line from the component, or about its connections. It is clean and
    /// bounded, and there are no more of them than the limit says.
    fn log(&self, level: LogLevel, line: &str);
    /// So many more bytes of the file have passed: read by a component that
    /// stores it, or written by one that fetches it.
    fn sent(&self, bytes: u64);
    /// The component asked for something that it may not have. The same is told
    /// once in a call, and no more than twenty different things; how often there
    /// were others, lines say at the call's end.
    fn denied(&self, what: &Denied);
}

/// An observer that hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn log(&self, _level: LogLevel, _line: &str) {}
    fn sent(&self, _bytes: u64) {}
    fn denied(&self, _what: &Denied) {}
}

/// What was denied to a component. The text is for the administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A host that no grant names.
    #[error("a connection to {host}:{port} was denied: this host and port are not granted")]
    Host {
        /// As the component named it.
        host: String,
        /// The port.
        port: u16,
    },
    /// A granted host whose address is a private, loopback or link-local one.
    #[error(
        "a connection to {host}:{port} was denied: its address {address} is not a public one, and the grant does not allow private addresses"
    )]
    PrivateAddress {
        /// As the component named it.
        host: String,
        /// The port.
        port: u16,
        /// What the name was resolved to.
        address: IpAddr,
    },
    /// A granted host whose address no grant can allow, such as a multicast one.
    #[error("a connection to {host}:{port} was denied: {address} is not the address of a host")]
    UnusableAddress {
        /// As the component named it.
        host: String,
        /// The port.
        port: u16,
        /// What the name was resolved to.
        address: IpAddr,
    },
    /// A mail without the grant.
    #[error("sending a mail was denied: mail is not granted")]
    Mail,
    /// More mails than a call may send; see [`Limits::mails`](crate::Limits::mails).
    #[error("sending a mail was denied: a call may send {0}")]
    Mails(u32),
    /// The file of a backup, outside of `storage.store`.
    #[error("reading the backup's file was denied: there is none in this call")]
    Artifact,
    /// The sink, outside of `storage.open`.
    #[error("writing a fetched file was denied: nothing is fetched in this call")]
    Sink,
}

impl Denied {
    /// The host that it is about, in the component's own words.
    pub(crate) fn host_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Host { host, .. }
            | Self::PrivateAddress { host, .. }
            | Self::UnusableAddress { host, .. } => Some(host),
            Self::Mail | Self::Mails(_) | Self::Artifact | Self::Sink => None,
        }
    }
}
