//! Fetching a backup back from a destination, when its file is gone here.

use std::io;

use actix_web::web::Bytes;
use cofferdam_model::{Backup, Delivery};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::{
    Error, Hearing, Result, deliveries, destinations,
    plugins::{self, Ready},
};
use crate::app::App;

/// Blocks that wait for a slow reader at most; a plugin writes 1 MiB at once.
const AHEAD: usize = 4;

/// A copy that can be fetched.
pub struct Copy {
    delivery: Delivery,
    location: String,
    ready: Ready,
    settings: Value,
    size: u64,
    sha256: String,
}

/// The newest copy whose destination can be asked now. Where there are copies
/// and none can be asked, the reason of the newest.
pub async fn copy(app: &App, backup: &Backup) -> Result<Option<Copy>> {
    let (Some(size), Some(sha256)) = (backup.size_bytes, backup.sha256.clone()) else {
        return Ok(None);
    };
    let mut obstacle = None;
    let all = deliveries::of(app, backup.id).await?;
    for delivery in all.into_iter().rev().filter(Delivery::is_copy) {
        let Some(location) = delivery.location.clone() else { continue };
        let Some(destination) = app.catalog.destination(delivery.destination).await? else {
            obstacle.get_or_insert_with(|| "its destination was removed".to_owned());
            continue;
        };
        match plugins::current(app, &destination.plugin).await? {
            Ok(ready) => {
                let settings = destinations::open(app, &destination)?;
                return Ok(Some(Copy { delivery, location, ready, settings, size, sha256 }));
            }
            Err(why) => {
                obstacle.get_or_insert(why);
            }
        }
    }
    match obstacle {
        None => Ok(None),
        Some(why) => Err(Error::Conflict {
            message: format!("the file is gone here, and its copy cannot be fetched now: {why}"),
            hint: Some("look at the destination's page".to_owned()),
        }),
    }
}

impl Copy {
    /// The whole file's size.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Fetches a part of the file. What comes is exactly that part or ends in
    /// an error; the whole file also has the recorded SHA-256: its last block
    /// is held back until that is known.
    pub fn fetch(self, app: &App, from: u64, length: u64) -> mpsc::Receiver<io::Result<Bytes>> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let hearing = std::sync::Arc::<Hearing>::default();
        let call = destinations::call(app, &self.ready, self.settings.clone(), hearing);
        tokio::spawn(async move {
            if let Err(error) = self.pass(call, from, length, &sender).await {
                tracing::warn!(delivery = %self.delivery.id, "a copy could not be fetched: {error}");
                let _ = sender.send(Err(error)).await;
            }
        });
        receiver
    }

    async fn pass(
        &self,
        call: cofferdam_runtime::Call,
        from: u64,
        length: u64,
        to: &mpsc::Sender<io::Result<Bytes>>,
    ) -> io::Result<()> {
        let whole = from == 0 && length == self.size;
        let (sink, mut blocks) = mpsc::channel(AHEAD);
        let asked = (!whole).then_some(length);
        let work = self.ready.plugin.open(call, self.location.clone(), from, asked, sink);
        let forward = async {
            let mut hash = Sha256::new();
            let (mut passed, mut held) = (0, None::<Bytes>);
            while let Some(block) = blocks.recv().await {
                passed += block.len() as u64;
                if passed > length {
                    return Err(io::Error::other("the copy is longer than the backup"));
                }
                if whole {
                    hash.update(&block);
                }
                if let Some(before) = held.replace(block)
                    && to.send(Ok(before)).await.is_err()
                {
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
            }
        };
        let outcome = match outcome {
            Some(outcome) => outcome,
            None => work.await,
        };
        outcome.result.map_err(|error| io::Error::other(error.to_string()))?;
        if passed != length {
            return Err(io::Error::other(format!("the copy has {passed} bytes of {length}")));
        }
        if whole && hex::encode(hash.finalize()) != self.sha256 {
            return Err(io::Error::other("the copy is not the backup: its SHA-256 differs"));
        }
        if let Some(last) = held {
            let _ = to.send(Ok(last)).await;
        }
        Ok(())
    }
}
