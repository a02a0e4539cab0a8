//! The gate: every request of a component comes by here.

use std::sync::Arc;

use http::{Method, Request, Response, uri::Scheme};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::{connect::Destination, names::Resolve, sender::Sender};
use crate::{Denied, Grants, Observer, log::Lines, meter::Meter};

/// The granted hosts, and the way to them, of one call.
pub(crate) struct Gate {
    grants: Grants,
    observer: Arc<dyn Observer>,
    sender: Arc<Sender>,
}

impl Gate {
    pub(crate) fn new(
        grants: Grants,
        meter: Arc<Meter>,
        observer: Arc<dyn Observer>,
        lines: Lines,
        tls: Arc<rustls::ClientConfig>,
        names: Arc<dyn Resolve>,
    ) -> Self {
        let sender = Arc::new(Sender::new(meter, Arc::clone(&observer), lines, tls, names));
        Self { grants, observer, sender }
    }

    fn destination(&self, request: &Request<WasiBody>) -> Result<Destination, Error> {
        let uri = request.uri();
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        // A name and a password in front of the host would go out in the header.
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(Error::HttpRequestUriInvalid);
        }
        // A tunnel would lead past every check.
        if request.method() == Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let tls = uri.scheme() == Some(&Scheme::HTTPS);
        let host = authority.host().to_ascii_lowercase();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let Some(grant) = self.grants.host(&host, port) else {
            self.observer.denied(&Denied::Host { host, port });
            return Err(Error::HttpRequestDenied);
        };
        Ok(Destination { host, port, tls, private: grant.private })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.sender.close();
    }
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(Response<WasiBody>, Io), Error>> + Send>;

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Io,
    ) -> Sent {
        let to = match self.destination(&request) {
            Ok(to) => to,
            Err(code) => return Box::new(async { Err(code) }),
        };
        let sender = Arc::clone(&self.sender);
        Box::new(async move {
            let answer = sender.send(to, request, options.unwrap_or_default()).await?;
            // The connection lives in the sender, for the next request.
            Ok((answer, Box::new(async { Ok(()) }) as Io))
        })
    }
}
