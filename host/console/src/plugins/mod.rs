//! The components that are there now: those that the program carries, and those
//! in the plugin folder. Looking at the folder is in `folder`, hearing of
//! changes in `watching`; what people may do with components is in
//! `service::plugins`.
//!
//! Each component that loads is noted in the catalog, where its approval is.
//! A running call keeps the component that it began with, whatever happens to
//! the file meanwhile.

mod bundled;
mod folder;
mod note;
mod pause;
mod upload;
mod watching;

use std::{
    collections::HashSet,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use cofferdam_model::{ComponentHash, PluginId, Timestamp};
use cofferdam_runtime::{Compiler, FolderTrouble, Limits, Plugin, Runtime, RuntimeSettings};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::{OnceCell, watch};

use crate::{app::App, config::Config, hub::Change, one_line::OneLine};
use bundled::Bundled;
use folder::Files;
use note::noted;
use pause::{Pause, Trouble};

pub use folder::{FILE_MAX, file_name_is_fit};
pub use note::about;
pub use upload::put;
pub use watching::watch;

/// Compiling one component may take so much memory: the largest that were
/// tried, 20 MB from Python, took some 700 MiB.
const COMPILE_MEMORY: u64 = 2 << 30;
/// A component says what it is within this time: it has nothing to wait for.
const DESCRIBE_TIME: Duration = Duration::from_secs(20);
/// And has nothing to open.
const DESCRIBE_HANDLES: usize = 64;
/// A command line looks twice at a file that nobody has seen before, so far apart.
const BETWEEN_LOOKS: Duration = Duration::from_millis(300);
/// So many components are loaded at once: compiling one may take minutes, and
/// takes as much memory as above.
const AT_ONCE: usize = 2;
/// So long somebody waits who has put a file there: small ones are loaded by then.
const MOMENT: Duration = Duration::from_secs(2);
/// A command line does not wait for a file that keeps changing.
const LOOKS_MAX: u32 = 10;

/// Runs all of these, two at a time, in their order.
async fn two_at_once<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut waiting = futures.into_iter();
    let mut running: FuturesUnordered<F> = waiting.by_ref().take(AT_ONCE).collect();
    let mut done = Vec::new();
    while let Some(output) = running.next().await {
        done.push(output);
        running.extend(waiting.next());
    }
    done
}

/// A file that may be a component.
#[derive(Clone)]
pub struct Present {
    /// Its name in the plugin folder, or in the program.
    pub file: String,
    /// Whether the program carries it.
    pub bundled: bool,
    /// Its size.
    pub size_bytes: u64,
    /// What it is.
    pub found: Found,
}

/// What became of a file.
#[derive(Clone)]
pub enum Found {
    /// It may still be copied, or is being compiled.
    Settling,
    /// It is a plugin.
    Loaded(Arc<Plugin>),
    /// It is none, with the reason.
    Refused(String),
}

impl Present {
    /// The plugin, if it is one.
    pub fn plugin(&self) -> Option<&Arc<Plugin>> {
        match &self.found {
            Found::Loaded(plugin) => Some(plugin),
            _ => None,
        }
    }
}

/// How components are run here, with this folder for what was compiled.
pub fn runtime_settings(config: &Config, cache: PathBuf) -> RuntimeSettings {
    RuntimeSettings {
        cache,
        compiler: Compiler {
            // The file that runs, also after another one has taken its name:
            // only what this very program compiles can it load.
            program: PathBuf::from("/proc/self/exe"),
            arguments: vec![OsString::from("compile-component")],
            time: config.plugin_compile,
            memory_bytes: COMPILE_MEMORY,
        },
        limits: Limits {
            idle: config.plugin_limits.idle.min(DESCRIBE_TIME),
            longest: DESCRIBE_TIME,
            // It reaches nothing.
            handles: DESCRIBE_HANDLES,
            ..config.plugin_limits.clone()
        },
        roots: config.plugin_authorities.clone(),
    }
}

/// See the module.
pub struct Plugins {
    settings: RuntimeSettings,
    /// Made when it is first needed: most commands need none.
    runtime: std::sync::OnceLock<Runtime>,
    folder: PathBuf,
    present: RwLock<Vec<Present>>,
    /// Why the folder could not be looked at the last time.
    problem: RwLock<Option<String>>,
    files: Mutex<Files>,
    /// Shared by all who look at the folder.
    looking: tokio::sync::RwLock<()>,
    bundled: Bundled,
    settled: OnceCell<()>,
    /// Whether somebody looks at the folder as long as the program runs.
    watched: AtomicBool,
    /// Whether all that was known before has been loaded.
    looked: watch::Sender<bool>,
}

impl Plugins {
    /// Nothing is looked at yet.
    pub fn open(config: &Config) -> Self {
        Self {
            settings: runtime_settings(config, config.data_dir.join("cache").join("plugins")),
            runtime: std::sync::OnceLock::new(),
            folder: config.plugin_dir.clone(),
            present: RwLock::default(),
            problem: RwLock::default(),
            files: Mutex::default(),
            looking: tokio::sync::RwLock::default(),
            bundled: Bundled::default(),
            settled: OnceCell::new(),
            watched: AtomicBool::new(false),
            looked: watch::Sender::new(false),
        }
    }

    /// The folder that is looked at.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Why the folder cannot be looked at, if that is so: what was known of it
    /// before still holds. As errors are written, with a hint.
    pub fn problem(&self) -> Option<String> {
        self.problem.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many calls into plugins run right now.
    pub fn live_calls(&self) -> usize {
        self.runtime.get().map_or(0, Runtime::live_calls)
    }

    /// Notes how the last look went. Says whether that is news.
    fn set_problem(&self, problem: Option<String>) -> bool {
        let mut known = self.problem.write().unwrap_or_else(PoisonError::into_inner);
        let news = *known != problem;
        *known = problem;
        news
    }

    /// All files as of the last look.
    pub fn present(&self) -> Vec<Present> {
        self.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The component with this hash, if it is there and loads.
    pub fn loaded(&self, hash: &ComponentHash) -> Option<Arc<Plugin>> {
        let present = self.present.read().unwrap_or_else(PoisonError::into_inner);
        present.iter().filter_map(Present::plugin).find(|it| it.hash() == hash).cloned()
    }

    fn runtime(&self) -> Result<&Runtime, String> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let made = Runtime::new(self.settings.clone()).map_err(|error| error.to_string())?;
        Ok(self.runtime.get_or_init(|| made))
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces what is known of a file, or adds it.
    fn set(&self, present: Present) {
        let mut all = self.present.write().unwrap_or_else(PoisonError::into_inner);
        let same = |it: &Present| it.file == present.file && it.bundled == present.bundled;
        match all.iter_mut().find(|it| same(it)) {
            Some(known) => *known = present,
            None => all.push(present),
        }
    }

    fn forget(&self, file: &str) {
        let mut all = self.present.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|it| it.bundled || it.file != file);
    }

    /// For who needs plugins: in a console, waits until those that it knew
    /// before are loaded; elsewhere, looks until nothing is settling any more.
    pub async fn ready(&self, app: &App) -> anyhow::Result<()> {
        if self.watched.load(Ordering::SeqCst) {
            // The sender is as old as this.
            let _ = self.looked.subscribe().wait_for(|looked| *looked).await;
            return Ok(());
        }
        self.settled.get_or_try_init(|| self.settle(app)).await.copied()
    }

    /// For who has just put a file of this size there. A console looks at it by
    /// itself, and is waited for no longer than a moment: compiling may take
    /// minutes, and pages and lists say that it goes on. Elsewhere the file is
    /// loaded here, however long it takes.
    pub async fn was_put(&self, app: &App, file: &str, size_bytes: u64) -> anyhow::Result<()> {
        if !self.watched.load(Ordering::SeqCst) {
            return self.settle(app).await;
        }
        let file = file.to_owned();
        self.set(Present {
            file: file.clone(),
            bundled: false,
            size_bytes,
            found: Found::Settling,
        });
        app.hub.tell(Change::Plugins);
        let begun = Instant::now();
        while begun.elapsed() < MOMENT {
            tokio::time::sleep(BETWEEN_LOOKS / 4).await;
            let is_settling = |it: &Present| {
                it.file == file && !it.bundled && matches!(it.found, Found::Settling)
            };
            if !self.present().iter().any(is_settling) {
                break;
            }
        }
        Ok(())
    }

    /// Looks until nothing is settling any more, nor loaded by somebody else.
    async fn settle(&self, app: &App) -> anyhow::Result<()> {
        for _ in 0..LOOKS_MAX {
            if !self.look(app).await? {
                break;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
            while self.files().are_looked_at() {
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        }
        Ok(())
    }

    /// Looks at the folder once, and loads what has been the same for two
    /// looks. Says whether something is settling, so that another look is due soon.
    pub async fn look(&self, app: &App) -> anyhow::Result<bool> {
        self.bundled.load(self, app).await;
        let _looking = self.looking.read().await;
        let looked = folder::look(self, app).await;
        // However it went: whoever waits would learn no more by waiting.
        self.looked.send_replace(true);
        looked
    }

    /// Forgets in the catalog what was first seen before this moment, was never
    /// approved or is not any more, and is not there. Says how many; none where
    /// somebody looks at the folder at this moment.
    pub async fn forget_gone(&self, app: &App, before: Timestamp) -> anyhow::Result<u64> {
        // What appears is noted while somebody looks.
        let Ok(_nobody_looks) = self.looking.try_write() else { return Ok(0) };
        if self.problem().is_some() {
            // What is there cannot be told now.
            return Ok(0);
        }
        let there: Vec<ComponentHash> =
            self.present().iter().filter_map(|it| Some(it.plugin()?.hash().clone())).collect();
        let mut tx = app.catalog.begin().await?;
        let gone = tx.forget_components(&there, before).await?;
        tx.commit().await?;
        let known = app.catalog.components().await?.into_iter().map(|it| it.seen.hash);
        self.tidy(there.into_iter().chain(known).collect()).await;
        Ok(gone)
    }

    /// Removes compiled code of what is neither there nor known any more.
    async fn tidy(&self, wanted: HashSet<ComponentHash>) {
        let Some(runtime) = self.runtime.get().cloned() else { return };
        match tokio::task::spawn_blocking(move || runtime.keep_only(&wanted)).await {
            Ok(Ok(0)) => {}
            Ok(Ok(removed)) => {
                tracing::info!(removed, "compiled plugins that are gone are removed");
            }
            Ok(Err(error)) => tracing::warn!("compiled plugins cannot be removed: {error}"),
            Err(error) => tracing::error!("compiled plugins were not looked at: {error}"),
        }
    }

    /// Why this folder can be granted to no component, if that is so.
    pub async fn folder_trouble(&self, folder: &Path) -> Option<FolderTrouble> {
        match self.runtime() {
            Ok(runtime) => runtime.look_at_folder(folder).await.err(),
            // Nothing can be called either.
            Err(_) => None,
        }
    }

    /// What waits for this plugin is looked at again at once.
    async fn wake(&self, app: &App, plugin: &Plugin) {
        let Ok(id) = plugin.description().id.parse::<PluginId>() else { return };
        let woken = async {
            let mut tx = app.catalog.begin().await?;
            tx.wake_deliveries(Some(&id), None, app.now()).await?;
            tx.commit().await
        };
        if let Err(error) = woken.await {
            tracing::debug!("deliveries were not woken: {error}");
        }
    }

    /// Loads a component and notes it in the catalog. Where that failed for a
    /// passing reason, gives the pause after which it is to be tried again,
    /// longer than the one before.
    async fn load(
        &self,
        app: &App,
        file: &str,
        bundled: bool,
        bytes: Bytes,
        before: Option<Pause>,
    ) -> Option<Pause> {
        let size_bytes = bytes.len() as u64;
        let loaded = match self.runtime() {
            Ok(runtime) => runtime.load(bytes).await.map_err(Trouble::from),
            Err(error) => Err(Trouble::passing(error)),
        };
        let (found, pause) = match noted(app, file, bundled, loaded).await {
            Ok(plugin) => {
                self.wake(app, &plugin).await;
                (Found::Loaded(plugin), None)
            }
            Err(trouble) => {
                tracing::warn!(
                    file,
                    "a file is not taken as a plugin: {}",
                    OneLine(trouble.told())
                );
                (Found::Refused(trouble.told()), trouble.pause(before))
            }
        };
        self.set(Present { file: file.to_owned(), bundled, size_bytes, found });
        app.hub.tell(Change::Plugins);
        // What waits for this very plugin need not wait for the next look.
        app.hub.work.notify_one();
        pause
    }
}
