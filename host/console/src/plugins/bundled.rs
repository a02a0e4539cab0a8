//! The components inside the program. The build script puts them there.

use actix_web::web::Bytes;
use tokio::sync::Mutex;

use super::{Plugins, pause::Pause, two_at_once};
use crate::app::App;

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Those that are not loaded yet.
pub(super) struct Bundled(Mutex<Vec<Waiting>>);

struct Waiting {
    file: &'static str,
    bytes: &'static [u8],
    /// Not to be tried before it is over.
    pause: Option<Pause>,
}

impl Default for Bundled {
    fn default() -> Self {
        let all = BUNDLED.iter().map(|&(file, bytes)| Waiting { file, bytes, pause: None });
        Self(Mutex::new(all.collect()))
    }
}

impl Bundled {
    /// Loads all that are due, two at once.
    pub(super) async fn load(&self, plugins: &Plugins, app: &App) {
        let mut waiting = self.0.lock().await;
        let is_due = |it: &Waiting| !it.pause.is_some_and(Pause::is_ahead);
        let due: Vec<_> = waiting.extract_if(.., |it| is_due(it)).collect();
        let mut tries = Vec::new();
        for it in due {
            tries.push(load_one(plugins, app, it));
        }
        waiting.extend(two_at_once(tries).await.into_iter().flatten());
    }
}

/// Gives it back where it is to be tried again.
async fn load_one(plugins: &Plugins, app: &App, it: Waiting) -> Option<Waiting> {
    let bytes = Bytes::from_static(it.bytes);
    let pause = plugins.load(app, it.file, true, bytes, it.pause).await?;
    Some(Waiting { pause: Some(pause), ..it })
}
