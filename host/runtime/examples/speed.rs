//! Sends a file to a server on loopback, by a native client and through a
//! component, in turns, and prints how they compare:
//! `cargo run --release --example speed -p cofferdam-runtime -- target/plugins/bare.wasm [MiB] [ROUNDS]`
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::{
    convert::Infallible,
    error::Error,
    fs::File,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use cofferdam_runtime::{
    Artifact, BackupFacts, Call, Compiler, Grants, HostGrant, Limits, Plugin, Runtime,
    RuntimeSettings, Silent,
};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use tokio::net::{TcpListener, TcpStream};
use wasmtime_wasi_http::io::TokioIo;

type Failed = Box<dyn Error + Send + Sync>;

struct OnDisk(File, u64);

impl Artifact for OnDisk {
    fn size(&self) -> u64 {
        self.1
    }
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(into, offset)
    }
}

async fn swallow(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    Ok(Response::new(Full::default()))
}

async fn server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let serve = http1::Builder::new();
            let serve = serve.serve_connection(TokioIo::new(stream), service_fn(swallow));
            tokio::spawn(async move { drop(serve.await) });
        }
    });
    Ok(address)
}

/// What a careful program without plugins would do: blocks of 1 MiB, two in flight.
async fn native(address: SocketAddr, file: Arc<OnDisk>) -> Result<Duration, Failed> {
    let start = Instant::now();
    let size = file.1;
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await?;
    tokio::spawn(connection);
    let (blocks, mut receiver) = tokio::sync::mpsc::channel::<Bytes>(2);
    tokio::task::spawn_blocking(move || {
        let mut at = 0;
        while at < size {
            let mut block = vec![0; 1 << 20];
            let Ok(count) = file.read_at(at, &mut block) else { return };
            block.truncate(count);
            at += count as u64;
            if blocks.blocking_send(block.into()).is_err() {
                return;
            }
        }
    });
    let frames = futures(move |cx| receiver.poll_recv(cx));
    let request = Request::put("/").header("host", "x").header("content-length", size);
    let answer = sender.send_request(request.body(StreamBody::new(frames))?).await?;
    answer.into_body().collect().await?;
    Ok(start.elapsed())
}

/// A stream of frames out of a polled channel.
fn futures<F>(
    mut poll: F,
) -> impl futures_util::Stream<Item = Result<http_body::Frame<Bytes>, Infallible>>
where
    F: FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Option<Bytes>>,
{
    futures_util::stream::poll_fn(move |cx| {
        poll(cx).map(|block| block.map(|block| Ok(http_body::Frame::data(block))))
    })
}

async fn through(
    plugin: &Plugin,
    address: SocketAddr,
    file: Arc<OnDisk>,
) -> Result<Duration, Failed> {
    let host = HostGrant { host: "127.0.0.1".parse()?, port: address.port(), private: true };
    let call = Call {
        settings: serde_json::json!({ "do": "put", "url": format!("http://{address}/") }),
        grants: Grants { hosts: vec![host], ..Grants::default() },
        limits: Limits::default(),
        observer: Arc::new(Silent),
        mailer: None,
    };
    let now = chrono::Utc::now();
    let backup = BackupFacts {
        id: "1".to_owned(),
        database: "shop".to_owned(),
        engine: "postgres".to_owned(),
        filename: "backup.sql.gz".to_owned(),
        size: file.1,
        sha256: String::new(),
        created_at: now,
        completed_at: now,
        document: serde_json::json!({}),
        sidecar: String::new(),
    };
    let start = Instant::now();
    plugin.store(call, backup, file).await.result?;
    Ok(start.elapsed())
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let component = arguments.next().map(PathBuf::from).ok_or("which component?")?;
    let mib: u64 = arguments.next().map_or(Ok(1024), |text| text.parse())?;
    let rounds: usize = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("file");
    let mut file = File::create(&path)?;
    for number in 0..mib {
        file.write_all(&vec![number.to_le_bytes()[0]; 1 << 20])?;
    }
    let file = Arc::new(OnDisk(File::open(&path)?, mib << 20));
    let compiler = Compiler {
        program: std::env::current_exe()?.with_file_name("compile"),
        arguments: Vec::new(),
        time: Duration::from_mins(2),
        memory_bytes: 4 << 30,
    };
    let cache = folder.path().join("cache");
    let limits = Limits::default();
    let runtime = Runtime::new(RuntimeSettings { cache, compiler, limits, roots: Vec::new() })?;
    let plugin = runtime.load(std::fs::read(component)?.into()).await?;
    let address = server().await?;
    let (mut alone, mut sandboxed) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(native(address, Arc::clone(&file)).await?);
        sandboxed.push(through(&plugin, address, Arc::clone(&file)).await?);
    }
    alone.sort();
    sandboxed.sort();
    let (alone, sandboxed) = (alone[rounds / 2], sandboxed[rounds / 2]);
    let ratio = alone.as_secs_f64() / sandboxed.as_secs_f64();
    println!(
        "{mib} MiB: native {alone:?}, through the plugin {sandboxed:?}: {ratio:.2} of its speed"
    );
    Ok(())
}
