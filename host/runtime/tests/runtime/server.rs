//! Servers on loopback that behave well, and servers that do not.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use wasmtime_wasi_http::io::TokioIo;

/// A server that has started, with the number of its connections.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Answers `/size` with the number and the SHA-256 of the bytes that came,
/// `/redirect` with a redirect to `/hidden`, and anything else with its path.
pub(crate) async fn good() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let serve =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(async move { drop(serve.await) });
        }
    });
    Server { address, connections }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let mut response = Response::new(Full::default());
    let text = match path.as_str() {
        "/redirect" => {
            *response.status_mut() = hyper::StatusCode::FOUND;
            response.headers_mut().insert("location", "/hidden".parse().expect("a value"));
            "moved".to_owned()
        }
        "/head" => {
            response
                .headers_mut()
                .insert("x-long", "x".repeat(300 << 10).parse().expect("a value"));
            String::new()
        }
        "/size" => {
            let mut body = request.into_body();
            let (mut count, mut sum) = (0, Sha256::new());
            while let Some(Ok(frame)) = body.frame().await {
                if let Some(data) = frame.data_ref() {
                    count += data.len();
                    sum.update(data);
                }
            }
            format!("{count} {}", hex::encode(sum.finalize()))
        }
        path => path.to_owned(),
    };
    *response.body_mut() = Full::new(Bytes::from(text));
    Ok(response)
}

/// Answers every connection with these bytes, after reading that many, and
/// then closes it or holds it. What it got is sent to the channel.
pub(crate) async fn rude(
    answer: &'static str,
    read: usize,
    hold: bool,
) -> (Server, tokio::sync::mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, got) = tokio::sync::mpsc::unbounded_channel();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                let mut block = vec![0; 64 << 10];
                while seen.len() < read {
                    match stream.read(&mut block).await {
                        Ok(0) | Err(_) => break,
                        Ok(count) => seen.extend_from_slice(&block[..count]),
                    }
                }
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = sender.send(seen);
                if hold {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    (Server { address, connections }, got)
}

/// Answers every request with `hi` and closes the connection, after saying so.
pub(crate) async fn closing() -> Server {
    const ANSWER: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi";
    rude(ANSWER, 10, false).await.0
}

/// Takes whatever comes, waits before each of these parts of an answer, and
/// then holds the connection.
pub(crate) async fn slow(wait: Duration, parts: Vec<String>) -> Server {
    paced(parts.into_iter().map(|part| (wait, part)).collect()).await
}

/// The same with a wait of its own before each part.
pub(crate) async fn paced(parts: Vec<(Duration, String)>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let (mut input, mut output) = stream.into_split();
            let parts = parts.clone();
            tokio::spawn(async move {
                // An answer before the question is none.
                if input.read(&mut [0; 1024]).await.is_err() {
                    return;
                }
                tokio::spawn(async move {
                    drop(tokio::io::copy(&mut input, &mut tokio::io::sink()).await);
                });
                for (wait, part) in parts {
                    tokio::time::sleep(wait).await;
                    if output.write_all(part.as_bytes()).await.is_err() {
                        return;
                    }
                }
                std::future::pending::<()>().await;
            });
        }
    });
    Server { address, connections }
}
