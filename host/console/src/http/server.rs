//! The listening server.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_web::{App as Actix, HttpServer, dev::Server, middleware::from_fn, web::Data};
use anyhow::Context as _;

use super::{answer, headers::secure, routes, tls};
use crate::{app::App, config::Access};

/// Whoever needs longer than this to send a request's head is cut off.
const HEAD_TIME: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_mins(1);
/// More connections than this at once wait in the system's queue.
const CONNECTIONS_PER_WORKER: usize = 2048;
const WORKERS: usize = 2;
/// Reading files and asking PostgreSQL takes a thread for as long as it lasts.
const BLOCKING_PER_WORKER: usize = 128;

/// A server that listens and does not answer yet.
pub struct Bound {
    /// Runs it.
    pub server: Server,
    /// Where it listens.
    pub address: SocketAddr,
    /// `http` or `https`.
    pub scheme: &'static str,
}

/// Takes the address. Done before anything else is opened: a start that fails
/// for its address has changed nothing.
pub fn listen(access: &Access) -> anyhow::Result<TcpListener> {
    TcpListener::bind(access.listen).with_context(|| {
        format!(
            "the address {} cannot be taken\nHINT: choose another one with --listen or COFFERDAM_LISTEN",
            access.listen
        )
    })
}

/// A server on that address.
pub fn bind(app: Data<App>, listener: TcpListener) -> anyhow::Result<Bound> {
    let access = app.config.access.clone();
    let shutdown = app.config.shutdown.as_secs();
    let server = HttpServer::new(move || {
        Actix::new()
            .app_data(app.clone())
            .configure(routes::all(&app))
            // The last one wrapped is the first to see a request.
            .wrap(from_fn(answer::render))
            .wrap(from_fn(secure))
    })
    .workers(WORKERS)
    .worker_max_blocking_threads(BLOCKING_PER_WORKER)
    .max_connections(CONNECTIONS_PER_WORKER)
    .client_request_timeout(HEAD_TIME)
    .keep_alive(KEEP_ALIVE)
    // Whoever leaves an event stream is noticed at once.
    .h1_allow_half_closed(false)
    .shutdown_timeout(shutdown)
    .disable_signals();
    let (server, scheme) = match &access.tls {
        Some((certificate, key)) => {
            (server.listen_rustls_0_23(listener, tls::config(certificate, key)?), "https")
        }
        None => (server.listen(listener), "http"),
    };
    let server = server.context("the address cannot be listened on")?;
    let address = server.addrs().first().copied().context("no address was taken")?;
    Ok(Bound { server: server.run(), address, scheme })
}
