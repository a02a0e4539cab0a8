//! From a host's name to a connection: resolved once, every address checked,
//! and connected to exactly one of those.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use cofferdam_model::address_of;
use hyper::client::conn::http1::{self, SendRequest};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, io::TokioIo};

use super::{
    address::{Reach, reach},
    body::Outgoing,
    early::KeepsAnswers,
    error,
    names::Resolve,
};
use crate::Denied;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Destination {
    /// As in the URL, an IPv6 address in brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// Whether the grant allows a private address.
    pub(super) private: bool,
}

/// Why there is no connection.
pub(super) enum Refused {
    /// What the component gets, and a sentence for the log.
    Failed(Error, String),
    Denied(Denied),
}

pub(crate) const RESOLVE: Duration = Duration::from_secs(10);
/// The head of an answer: looked at after each read, so up to twice as much.
pub(crate) const HEADER_BYTES: usize = 64 << 10;
pub(crate) const HEADERS: usize = 200;

impl Destination {
    /// The addresses of the host, each of them one that may be connected to.
    pub(super) async fn resolve(&self, names: &dyn Resolve) -> Result<Vec<SocketAddr>, Refused> {
        let port = self.port;
        let addresses: Vec<SocketAddr> = if let Some(address) = address_of(&self.host) {
            vec![(address, port).into()]
        } else {
            let found = match timeout(RESOLVE, names.resolve(&self.host, port)).await {
                Ok(Ok(found)) => found,
                Ok(Err(error)) => {
                    let text = format!("the name {} cannot be resolved: {error}", self.host);
                    let code = Error::DnsError { rcode: None, info_code: None };
                    return Err(Refused::Failed(code, text));
                }
                Err(_) => {
                    let text = format!("the name {} was not resolved in time", self.host);
                    return Err(Refused::Failed(Error::DnsTimeout, text));
                }
            };
            if Vec::is_empty(&found) {
                let text = format!("the name {} has no address", self.host);
                return Err(Refused::Failed(Error::DestinationNotFound, text));
            }
            found
        };
        // One bad address is enough: a name that stands for both kinds is not
        // one that the administrator had in mind.
        for address in &addresses {
            self.check(address.ip())?;
        }
        Ok(addresses)
    }

    fn check(&self, address: IpAddr) -> Result<(), Refused> {
        let (host, port) = (self.host.clone(), self.port);
        match reach(address) {
            Reach::Public => Ok(()),
            Reach::Private if self.private => Ok(()),
            Reach::Link if self.private && address_of(&self.host).is_some() => Ok(()),
            Reach::Private | Reach::Link => {
                Err(Refused::Denied(Denied::PrivateAddress { host, port, address }))
            }
            Reach::Nobody => Err(Refused::Denied(Denied::UnusableAddress { host, port, address })),
        }
    }

    /// A connection to the first of these addresses that answers.
    pub(super) async fn connect(
        &self,
        addresses: &[SocketAddr],
        config: &Arc<ClientConfig>,
        patience: Duration,
        (tasks, slot): (&std::sync::Mutex<JoinSet<()>>, OwnedSemaphorePermit),
    ) -> Result<SendRequest<Outgoing>, Refused> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match timeout(patience, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Failing to set it costs some milliseconds, not the request.
                    let _ = stream.set_nodelay(true);
                    if !self.tls {
                        return self.handshake(stream, tasks, slot).await;
                    }
                    let secured = timeout(patience, self.secure(stream, config)).await;
                    let late = || self.failed(Error::ConnectionTimeout, "no TLS handshake in time");
                    let stream = secured.map_err(|_| late())??;
                    return self.handshake(stream, tasks, slot).await;
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(self.failed(error::of_connect(&last), &last.to_string()))
    }

    async fn secure(
        &self,
        stream: TcpStream,
        config: &Arc<ClientConfig>,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Refused> {
        let name = match address_of(&self.host) {
            Some(address) => ServerName::from(address),
            None => ServerName::try_from(self.host.clone())
                .map_err(|error| self.failed(Error::HttpRequestUriInvalid, &error.to_string()))?,
        };
        let connector = TlsConnector::from(Arc::clone(config));
        let secured = connector.connect(name, stream).await;
        secured.map_err(|error| self.failed(error::of_tls(&error), &error.to_string()))
    }

    async fn handshake(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        tasks: &std::sync::Mutex<JoinSet<()>>,
        slot: OwnedSemaphorePermit,
    ) -> Result<SendRequest<Outgoing>, Refused> {
        let stream = TokioIo::new(KeepsAnswers::new(stream));
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(HEADER_BYTES)
            .max_headers(HEADERS)
            .handshake(stream)
            .await
            .map_err(|error| self.failed(error::of_http(&error), &error.to_string()))?;
        let mut tasks = tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Those that have ended are let go of here.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            // How it ended, the request or the answer's body has been told.
            let _ = connection.await;
            drop(slot);
        });
        Ok(sender)
    }

    fn failed(&self, code: Error, why: &str) -> Refused {
        let text = format!("connecting to {}:{} failed: {why}", self.host, self.port);
        Refused::Failed(code, text)
    }
}
