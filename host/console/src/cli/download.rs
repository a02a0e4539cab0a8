//! `cofferdam backup download`

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use actix_web::web::Bytes;
use anyhow::{Context as _, bail};
use cofferdam_model::Slug;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::{
    client::{Client, is_over},
    output,
    remote::segment,
};
use crate::{
    dto,
    service::{Actor, backups, files},
};

/// Writes the backup to a file, checked against its SHA-256; or to standard
/// output as it comes.
pub async fn run(
    client: &Client,
    id: &str,
    target: Option<PathBuf>,
    as_json: bool,
) -> anyhow::Result<()> {
    let backup = client.backup(id).await?;
    let id = &backup.id;
    if target.as_deref() == Some(Path::new("-")) {
        let source = open(client, id).await?;
        tokio::task::spawn_blocking(move || copy(source, &mut io::stdout().lock())).await??;
        return Ok(());
    }
    let target = match target {
        Some(path) => path,
        None => PathBuf::from(name(&backup)?),
    };
    if target.exists() {
        bail!("{} is there already; nothing was overwritten", target.display());
    }
    let partial = target.with_added_extension("partial");
    // Only once there is something to write into it.
    let source = open(client, id).await?;
    let mut file = new_file(&partial)?;
    let copied = tokio::task::spawn_blocking(move || -> anyhow::Result<(u64, String)> {
        let copied = copy(source, &mut file)?;
        file.sync_all()?;
        Ok(copied)
    })
    .await?;
    let finish = async {
        let (size, sha256) = copied?;
        let ended = wait_for_end(client, id).await?;
        if ended.sha256.as_deref() != Some(sha256.as_str()) {
            bail!("what arrived is not the backup: its SHA-256 differs; nothing was kept");
        }
        fs::rename(&partial, &target)
            .with_context(|| format!("{} cannot be written", target.display()))?;
        Ok(size)
    };
    match finish.await {
        Ok(size) if as_json => output::json(
            &serde_json::json!({ "file": target, "size_bytes": size, "sha256_checked": true }),
        ),
        Ok(size) => output::line(&format!(
            "{}  {}, SHA-256 checked",
            target.display(),
            cofferdam_views::format::bytes(size)
        )),
        Err(error) => {
            let _ = fs::remove_file(&partial);
            Err(error)
        }
    }
}

/// The backup's name, or the one that a running backup will most likely get.
fn name(backup: &dto::Backup) -> anyhow::Result<String> {
    if let Some(name) = &backup.filename {
        return Ok(name.clone());
    }
    if is_over(backup.status) {
        bail!("this backup has no file: it was {}", backup.status.as_str());
    }
    let slug: Slug = backup.database.parse()?;
    Ok(cofferdam_artifact::artifact_filename(&slug, backup.created_at, backup.format))
}

/// The record of a followed backup is finished a moment after its last byte.
async fn wait_for_end(client: &Client, id: &str) -> anyhow::Result<dto::Backup> {
    loop {
        let backup = client.backup(id).await?;
        if is_over(backup.status) {
            return Ok(backup);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn new_file(partial: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(partial)
        .with_context(|| format!("{} cannot be written", partial.display()))
}

type Source = Box<dyn Read + Send>;

async fn open(client: &Client, id: &str) -> anyhow::Result<Source> {
    match client {
        Client::Local(app) => {
            let backup = backups::find(app, id).await?;
            match files::open(app, &Actor::cli(), &backup).await? {
                files::Source::File { backup, file, .. } => {
                    files::note_download(app, &Actor::cli(), &backup).await?;
                    Ok(Box::new(file))
                }
                files::Source::Remote { backup, copies } => {
                    let copy = copies.begin(app)?;
                    files::note_download(app, &Actor::cli(), &backup).await?;
                    let blocks = copy.fetch(app.clone());
                    Ok(Box::new(Fetched { blocks, rest: Bytes::new() }))
                }
                files::Source::Running(_) => bail!("the backup is still being made"),
            }
        }
        Client::Remote(remote) => {
            let (remote, path) = (remote.clone(), format!("/backups/{}/download", segment(id)));
            let answer = tokio::task::spawn_blocking(move || remote.open(&path)).await??;
            Ok(Box::new(answer.into_body().into_reader()))
        }
    }
}

/// Blocks as they come from a destination.
struct Fetched {
    blocks: mpsc::Receiver<io::Result<Bytes>>,
    rest: Bytes,
}

impl Read for Fetched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.blocks.blocking_recv() {
                None => return Ok(0),
                Some(block) => self.rest = block?,
            }
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest.split_to(count));
        Ok(count)
    }
}

fn copy(mut source: Source, target: &mut dyn Write) -> anyhow::Result<(u64, String)> {
    let mut buffer = vec![0; 256 << 10];
    let mut hash = Sha256::new();
    let mut size = 0;
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).context("the backup was cut off; nothing was kept"),
        };
        hash.update(&buffer[..count]);
        target.write_all(&buffer[..count]).context("the backup cannot be written here")?;
        size += count as u64;
    }
    target.flush()?;
    Ok((size, hex::encode(hash.finalize())))
}
