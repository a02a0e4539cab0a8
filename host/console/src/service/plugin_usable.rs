//! Which component of a plugin runs now.

use std::{collections::BTreeSet, sync::Arc};

use cofferdam_model::{ComponentHash, Grants, PluginId};
use cofferdam_runtime::Plugin;

use super::{Error, Result};
use crate::{app::App, plugins::Present};

/// A plugin that may run now.
#[derive(Clone)]
pub struct Ready {
    /// The component. Whoever holds it goes on with it, whatever happens to the file.
    pub plugin: Arc<Plugin>,
    /// What it may touch.
    pub grants: Grants,
}

/// What is there and what is approved, at one moment: for who asks about
/// several plugins.
pub struct Usable {
    present: Vec<Present>,
    /// The one approved last first.
    approved: Vec<(PluginId, ComponentHash, Grants)>,
}

impl Usable {
    /// As it is now.
    pub async fn now(app: &App) -> Result<Self> {
        app.plugins.ready(app).await.map_err(Error::Internal)?;
        let approved = app.catalog.approved_components().await?;
        Ok(Self { present: app.plugins.present(), approved })
    }

    /// The component of this plugin that may run: of the approved ones that
    /// are there, a file in the folder before a bundled one, and the one that
    /// was approved last. Otherwise the reason, for people.
    pub fn of(&self, id: &PluginId) -> std::result::Result<Ready, String> {
        let mut usable = Vec::new();
        for (_, hash, grants) in self.approved.iter().filter(|(plugin, ..)| plugin == id) {
            // The same component may be there as both.
            let there: Vec<_> = self.loaded().filter(|(_, plugin)| plugin.hash() == hash).collect();
            let is_file = there.iter().any(|(file, _)| !file.bundled);
            if let Some((_, plugin)) = there.first() {
                let ready = Ready { plugin: (*plugin).clone(), grants: grants.clone() };
                usable.push((!is_file, ready));
            }
        }
        // Stable, so the order of approval stays within each half.
        usable.sort_by_key(|(is_bundled, _)| *is_bundled);
        match usable.into_iter().next() {
            Some((_, ready)) => Ok(ready),
            None if self.loaded().any(|(_, plugin)| plugin.description().id == id.as_str()) => {
                Err(format!("the plugin {id} waits for approval"))
            }
            None => Err(format!("the plugin {id} is not there")),
        }
    }

    /// The component of every plugin that may run, by the plugins' names.
    pub fn all(&self) -> Vec<Ready> {
        let ids: BTreeSet<&str> = self.approved.iter().map(|(id, ..)| id.as_str()).collect();
        let ids = ids.into_iter().filter_map(|id| id.parse().ok());
        let mut all: Vec<Ready> = ids.filter_map(|id| self.of(&id).ok()).collect();
        all.sort_by_cached_key(|it| it.plugin.description().name.to_lowercase());
        all
    }

    fn loaded(&self) -> impl Iterator<Item = (&Present, &Arc<Plugin>)> {
        self.present.iter().filter_map(|it| it.plugin().map(|plugin| (it, plugin)))
    }
}

/// [`Usable::of`] one plugin, as it is now.
pub async fn current(app: &App, id: &PluginId) -> Result<std::result::Result<Ready, String>> {
    Ok(Usable::now(app).await?.of(id))
}
