//! Fetching a backup back from a destination, when its file is gone here.

use std::{io, sync::Arc};

use actix_web::web::Bytes;
use cofferdam_model::{Backup, Delivery};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::{Error, Result, deliveries, destinations, plugins::Ready};
use crate::{app::App, one_line::OneLine};

/// Blocks that wait for a slow reader at most; a plugin writes 1 MiB at once.
const AHEAD: usize = 4;

/// The copies of a backup that can be fetched, the one to try first at the end.
pub struct Copies {
    all: Vec<Copy>,
    size: u64,
}

/// One of them.
struct Copy {
    delivery: Delivery,
    location: String,
    ready: Ready,
    settings: Value,
    size: u64,
    sha256: String,
}

/// A copy that is about to be fetched, and those that stand in for it.
pub struct Fetching {
    copy: Copy,
    place: OwnedSemaphorePermit,
    others: Copies,
}

/// The copies whose destinations can be asked now. Where there are copies and
/// none can be asked, the reason of the newest.
pub async fn copies(app: &App, backup: &Backup) -> Result<Option<Copies>> {
    let (Some(size), Some(sha256)) = (backup.size_bytes, backup.sha256.clone()) else {
        return Ok(None);
    };
    let mut obstacle = None;
    let mut copies = Vec::new();
    // The oldest first, so that the newest is the first to be taken from the end.
    for delivery in deliveries::of(app, backup.id).await?.into_iter().filter(Delivery::is_copy) {
        let Some(location) = delivery.location.clone() else { continue };
        match usable(app, &delivery).await? {
            Ok((ready, settings)) => {
                let sha256 = sha256.clone();
                copies.push(Copy { delivery, location, ready, settings, size, sha256 });
            }
            Err(why) => obstacle = Some(why),
        }
    }
    match obstacle {
        Some(why) if copies.is_empty() => Err(Error::Conflict {
            message: format!("the file is gone here, and its copy cannot be fetched now: {why}"),
            hint: Some("look at the destination's page".to_owned()),
        }),
        _ if copies.is_empty() => Ok(None),
        _ => Ok(Some(Copies { all: copies, size })),
    }
}

/// What a copy is fetched with, or why it cannot be.
async fn usable(
    app: &App,
    delivery: &Delivery,
) -> Result<std::result::Result<(Ready, Value), String>> {
    let Some(destination) = app.catalog.destination(delivery.destination).await? else {
        return Ok(Err("its destination was removed".to_owned()));
    };
    destinations::ready(app, &destination).await
}

impl Copies {
    /// The whole file's size.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes a place at the destination of the newest copy that has one: of one
    /// destination only so many are fetched at once. Without any:
    /// [`Error::Conflict`].
    pub fn begin(mut self, app: &App) -> Result<Fetching> {
        let Some((copy, place)) = self.next(app) else {
            return Err(Error::Conflict {
                message: "the file is gone here, and as many copies as may be are being fetched from its destination".to_owned(),
                hint: Some("try again when another download has ended".to_owned()),
            });
        };
        Ok(Fetching { copy, place, others: self })
    }

    /// The next copy whose destination has a place.
    fn next(&mut self, app: &App) -> Option<(Copy, OwnedSemaphorePermit)> {
        while let Some(copy) = self.all.pop() {
            if let Some(place) = app.hub.fetching(copy.delivery.destination) {
                return Some((copy, place));
            }
        }
        None
    }
}

impl Fetching {
    /// Fetches the file; while nothing of it has come, from the next copy where
    /// one fails. What comes has the recorded size and SHA-256 or ends in an
    /// error: the last block is held back until that is known. A part could not
    /// be compared with anything, so there are none.
    pub fn fetch(self, app: Arc<App>) -> mpsc::Receiver<io::Result<Bytes>> {
        let Self { mut copy, mut place, mut others } = self;
        let (sender, receiver) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
            loop {
                let mut is_begun = false;
                let settings = copy.settings.clone();
                let call = destinations::call(&app, &copy.ready, settings, Arc::default());
                let passed = copy.pass(call, &sender, &mut is_begun).await;
                drop(place);
                let Err(error) = passed else { return };
                tracing::warn!(delivery = %copy.delivery.id, "a copy could not be fetched: {}", OneLine(&error));
                match others.next(&app) {
                    Some(next) if !is_begun && !sender.is_closed() => (copy, place) = next,
                    _ => {
                        let _ = sender.send(Err(error)).await;
                        return;
                    }
                }
            }
        });
        receiver
    }
}

impl Copy {
    async fn pass(
        &self,
        call: cofferdam_runtime::Call,
        to: &mpsc::Sender<io::Result<Bytes>>,
        is_begun: &mut bool,
    ) -> io::Result<()> {
        let (sink, mut blocks) = mpsc::channel(AHEAD);
        let work = self.ready.plugin.open(call, self.location.clone(), 0, None, sink);
        let forward = async {
            let mut hash = Sha256::new();
            let (mut passed, mut held) = (0, None::<Bytes>);
            while let Some(block) = blocks.recv().await {
                passed += block.len() as u64;
                if passed > self.size {
                    return Err(io::Error::other("the copy is longer than the backup"));
                }
                hash.update(&block);
                let Some(before) = held.replace(block) else { continue };
                *is_begun = true;
                if to.send(Ok(before)).await.is_err() {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
            Ok((passed, held, hash))
        };
        tokio::pin!(work, forward);
        // Whoever reads may go away, or the copy be wrong: then the call ends too.
        let mut outcome = None;
        let (passed, held, hash) = loop {
            tokio::select! {
                done = &mut work, if outcome.is_none() => outcome = Some(done),
                done = &mut forward => break done?,
                // A copy that says nothing must not hold its place for nobody.
                () = to.closed() => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        };
        let outcome = if let Some(outcome) = outcome {
            outcome
        } else {
            // It may have written everything and go on all the same.
            tokio::select! {
                done = work => done,
                () = to.closed() => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        };
        outcome.result.map_err(|error| io::Error::other(error.to_string()))?;
        if passed != self.size {
            let size = self.size;
            return Err(io::Error::other(format!("the copy has {passed} bytes of {size}")));
        }
        if hex::encode(hash.finalize()) != self.sha256 {
            return Err(io::Error::other("the copy is not the backup: its SHA-256 differs"));
        }
        if let Some(last) = held {
            let _ = to.send(Ok(last)).await;
        }
        Ok(())
    }
}
