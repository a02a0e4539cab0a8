//! Hears of changes in the plugin folder while a console runs.

use std::{
    io::ErrorKind,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use notify::{RecursiveMode, Watcher as _};
use tokio::{
    sync::mpsc,
    task::{JoinSet, spawn_blocking},
    time,
};

use super::{BETWEEN_LOOKS, upload};
use crate::app::App;

/// Without word of a change the folder is looked at so often: a folder that
/// was removed and made again gives no word, and neither do some network disks.
const RESCAN: Duration = Duration::from_secs(10);

/// So many may look at once: each may compile something, and keeps what it read.
const LOOKS: usize = 4;

/// Looks at the folder now, whenever it changes, and from time to time, until
/// the console stops. From this call on, before it is first polled, nobody else
/// needs to look.
pub fn watch(app: Arc<App>) -> impl Future<Output = ()> + Send {
    app.plugins.watched.store(true, Ordering::SeqCst);
    watching(app)
}

/// Whether something is settling.
async fn look(app: Arc<App>) -> bool {
    app.plugins.look(&app).await.unwrap_or_else(|error| {
        tracing::warn!("the plugin folder cannot be looked at: {error:#}");
        false
    })
}

async fn watching(app: Arc<App>) {
    let folder = app.plugins.folder().to_owned();
    match spawn_blocking(move || upload::sweep(&folder)).await {
        Ok(Ok(removed)) if removed > 0 => {
            tracing::info!(removed, "uploads of plugins that were cut off are removed");
        }
        Ok(Err(error)) if error.kind() != ErrorKind::NotFound => {
            tracing::debug!("what is left of uploads cannot be removed: {error}");
        }
        _ => {}
    }
    let (sender, mut changes) = mpsc::channel(1);
    // One word waiting is enough: the next look sees everything.
    let heard = move |told: notify::Result<notify::Event>| {
        // That somebody reads there is told too, and the next look would be one of those.
        if !told.is_ok_and(|event| event.kind.is_access()) {
            let _ = sender.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(heard)
        .inspect_err(|error| {
            tracing::warn!(
                "the plugin folder is only looked at every {} s: {error}",
                RESCAN.as_secs()
            );
        })
        .ok();
    let closing = app.hub.closing();
    let mut looks = JoinSet::new();
    tokio::pin!(closing);
    loop {
        // Again each time: the folder may be another one than before.
        if let Some(watcher) = &mut watcher
            && let Err(error) = watcher.watch(app.plugins.folder(), RecursiveMode::NonRecursive)
        {
            tracing::debug!("the plugin folder cannot be watched: {error}");
        }
        if looks.len() < LOOKS {
            looks.spawn(look(app.clone()));
        }
        // One that compiles takes minutes; what comes meanwhile is not kept waiting.
        let settling = match time::timeout(BETWEEN_LOOKS, looks.join_next()).await {
            Ok(Some(settling)) => settling.unwrap_or_default() || !looks.is_empty(),
            Ok(None) => false,
            Err(_) => true,
        };
        let wait = if settling { BETWEEN_LOOKS } else { RESCAN };
        tokio::select! {
            () = &mut closing => return,
            _ = changes.recv() => {}
            () = time::sleep(wait) => {}
        }
    }
}
