//! What a careful program without plugins would do: one connection, blocks of
//! 1 MiB, two of them read ahead.

use std::{
    convert::Infallible,
    fs::File,
    os::unix::fs::FileExt as _,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{Request, Uri};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc};
use wasmtime_wasi_http::io::TokioIo;

use crate::{Failed, text};

/// Sends a file, and waits for the answer.
pub(crate) async fn put(wish: &Value) -> Result<Value, Failed> {
    let file = File::open(text(wish, "file")?)?;
    let size = file.metadata()?.len();
    let uri: Uri = text(wish, "url")?.parse()?;
    let start = Instant::now();
    let authority = uri.authority().ok_or("no host")?.to_string();
    let stream = TcpStream::connect(&authority).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut blocks = read(file, size);
    let frames = frames(move |cx| blocks.poll_recv(cx));
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::put(path).header("host", &authority).header("content-length", size);
    for (name, value) in wish["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap_or_default());
    }
    let answer = sender.send_request(request.body(StreamBody::new(frames))?).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(json!({ "wall": start.elapsed().as_secs_f64() }))
}

/// Reads on a thread of its own.
fn read(file: File, size: u64) -> mpsc::Receiver<Bytes> {
    let (blocks, receiver) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        let mut at = 0;
        while at < size {
            let mut block = vec![0; 1 << 20];
            let Ok(count) = file.read_at(&mut block, at) else { return };
            block.truncate(count);
            at += count as u64;
            if blocks.blocking_send(block.into()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A stream of frames out of a polled channel.
fn frames<F>(mut poll: F) -> impl futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>>
where
    F: FnMut(&mut Context<'_>) -> Poll<Option<Bytes>>,
{
    futures_util::stream::poll_fn(move |cx| {
        poll(cx).map(|block| block.map(|block| Ok(Frame::data(block))))
    })
}
