//! The components inside the program. The build script puts them there.

use actix_web::web::Bytes;

use super::Plugins;
use crate::app::App;

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Loads all of them.
pub(super) async fn load_all(plugins: &Plugins, app: &App) -> anyhow::Result<()> {
    for (file, bytes) in BUNDLED {
        plugins.load(app, file, true, Bytes::from_static(bytes)).await;
    }
    Ok(())
}
