//! The bytes of a backup, to whoever may have them.

use std::{fs::File, io, os::unix::fs::FileExt as _, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, Version, header},
    web::{Bytes, Data},
};
use cofferdam_artifact::follow::{FollowError, Live};
use cofferdam_model::{Backup, Format};
use tokio::{
    sync::{mpsc, watch},
    time,
};
use tokio_stream::wrappers::ReceiverStream;

use super::range::{self, Wanted};
use crate::{
    app::App,
    service::{Actor, Error, Result, fetch, files},
};

/// Bytes read at once; four of these wait for the network at most.
const CHUNK: usize = 256 << 10;
const AHEAD: usize = 4;
/// A follower that has everything so far looks again after this time.
const PULSE: Duration = Duration::from_millis(100);

type Chunks = mpsc::Sender<io::Result<Bytes>>;

/// Answers a download: a part or the whole of a finished file, or a running
/// backup as it grows.
pub async fn answer(
    app: &Data<App>,
    by: &Actor,
    request: &HttpRequest,
    backup: &Backup,
) -> Result<HttpResponse> {
    if backup.status == cofferdam_model::BackupStatus::Running
        && request.version() < Version::HTTP_11
    {
        return Err(Error::Conflict {
            message: "a backup that is being made cannot be sent over HTTP/1.0, which cannot show that it was cut off".to_owned(),
            hint: Some("use HTTP/1.1, or download it when it is completed".to_owned()),
        });
    }
    match files::open(app, by, backup).await? {
        files::Source::File { backup, file, size } => {
            finished(app, by, request, &backup, Stored::File(file), size).await
        }
        files::Source::Remote { backup, copies } => {
            let size = copies.size();
            finished(app, by, request, &backup, Stored::Copies(copies), size).await
        }
        files::Source::Running(live) => {
            if request.method() != Method::HEAD {
                files::note_download(app, by, backup).await?;
            }
            Ok(running(request, backup, live))
        }
    }
}

/// Where the bytes of a finished backup are.
enum Stored {
    File(File),
    Copies(fetch::Copies),
}

async fn finished(
    app: &Data<App>,
    by: &Actor,
    request: &HttpRequest,
    backup: &Backup,
    stored: Stored,
    size: u64,
) -> Result<HttpResponse> {
    let etag = format!("\"{}\"", backup.sha256.as_deref().unwrap_or_default());
    if matches_etag(request, &etag) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish());
    }
    let head = request.method() == Method::HEAD;
    // What comes from a destination is compared as a whole: a part of it would be
    // handed out unseen.
    let ranges = matches!(stored, Stored::File(_));
    let wanted = if head || !ranges { Wanted::Whole } else { range::wanted(request, size, &etag)? };
    let (status, from, length) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0, size),
        Wanted::Part(from, to) => (StatusCode::PARTIAL_CONTENT, from, to - from + 1),
    };
    let mut response = HttpResponse::build(status);
    describe(&mut response, backup);
    let unit = if ranges { "bytes" } else { "none" };
    response.insert_header((header::ETAG, etag)).insert_header((header::ACCEPT_RANGES, unit));
    if let Wanted::Part(from, to) = wanted {
        response.insert_header((header::CONTENT_RANGE, format!("bytes {from}-{to}/{size}")));
    }
    let (chunks, mut receiver) = mpsc::channel(AHEAD);
    if !head {
        // Before the download is noted: without a place to fetch it there is none.
        let stored = match stored {
            Stored::File(file) => Ok(file),
            Stored::Copies(copies) => Err(copies.begin(app)?),
        };
        match wanted {
            Wanted::Whole => files::note_download(app, by, backup).await?,
            Wanted::Part(..) => files::note_part(app, by, backup).await?,
        }
        match stored {
            Ok(file) => drop(tokio::spawn(send_file(Arc::new(file), from, length, chunks))),
            Err(copy) => receiver = copy.fetch(Arc::clone(app)),
        }
    }
    Ok(response.no_chunking(length).streaming(ReceiverStream::new(receiver)))
}

fn matches_etag(request: &HttpRequest, etag: &str) -> bool {
    let value = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    value.is_some_and(|list| {
        list.split(',').any(|item| {
            let item = item.trim();
            item == "*" || item.trim_start_matches("W/") == etag
        })
    })
}

/// A file that turns out shorter ends the answer with an error: the promised
/// length is then not reached, and the reader notices. No thread waits for a
/// slow reader: each chunk is read by itself.
async fn send_file(file: Arc<File>, from: u64, length: u64, chunks: Chunks) {
    let mut sent = 0;
    while sent < length {
        let size = usize::try_from(length - sent).unwrap_or(usize::MAX).min(CHUNK);
        let (file, at) = (file.clone(), from + sent);
        let read = tokio::task::spawn_blocking(move || read_chunk(&file, at, size)).await;
        let read = read.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        let over = read.is_err();
        sent += read.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if chunks.send(read).await.is_err() || over {
            return;
        }
    }
}

fn read_chunk(file: &File, at: u64, size: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; size];
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buffer.truncate(count);
                return Ok(buffer.into());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The stream stays inside what is finished, and is cut off, not ended, when
/// the backup fails: chunked coding without its last chunk is an error to
/// every reader. Neither length nor hash is known yet, so there is no `ETag`.
fn running(
    request: &HttpRequest,
    backup: &Backup,
    live: watch::Receiver<Option<Live>>,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    describe(&mut response, backup);
    response.insert_header((header::ACCEPT_RANGES, "none"));
    let (chunks, receiver) = mpsc::channel(AHEAD);
    if request.method() != Method::HEAD {
        tokio::spawn(follow(live, chunks));
    }
    response.streaming(ReceiverStream::new(receiver))
}

async fn follow(mut live: watch::Receiver<Option<Live>>, chunks: Chunks) {
    let found = tokio::select! {
        found = live.wait_for(Option::is_some) => found.ok().and_then(|live| live.clone()),
        () = chunks.closed() => return,
    };
    let Some(live) = found else {
        let _ = chunks.send(Err(cut())).await;
        return;
    };
    let mut follower = live.follow();
    while !chunks.is_closed() {
        let step = tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; CHUNK];
            let read = follower.read_timeout(&mut buffer, Duration::ZERO);
            buffer.truncate(read.as_ref().ok().copied().flatten().unwrap_or(0));
            (follower, read, Bytes::from(buffer))
        });
        let Ok((back, read, bytes)) = step.await else { return };
        follower = back;
        let next = match read {
            Ok(None) => {
                time::sleep(PULSE).await;
                continue;
            }
            Ok(Some(0)) => return,
            Ok(Some(_)) => Ok(bytes),
            Err(FollowError::Io(error)) => Err(error),
            Err(FollowError::Cut) => Err(cut()),
        };
        let over = next.is_err();
        if chunks.send(next).await.is_err() || over {
            return;
        }
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the backup ended before it was whole")
}

fn describe(response: &mut actix_web::HttpResponseBuilder, backup: &Backup) {
    let name = filename(backup);
    let media = match backup.format {
        Format::Plain => "application/gzip",
        Format::Custom => "application/octet-stream",
    };
    // The name has only letters, digits, `_`, `-` and `.`: it needs no quoting
    // beyond RFC 6266's quotes and no second spelling.
    response
        .content_type(media)
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
}

/// The file's name, or the one it will most likely get.
pub fn filename(backup: &Backup) -> String {
    backup.filename.clone().unwrap_or_else(|| {
        cofferdam_artifact::artifact_filename(&backup.database, backup.created_at, backup.format)
    })
}
