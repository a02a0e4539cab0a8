//! The runtime: one engine, one linker, one cache, and threads of its own.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use cofferdam_model::ComponentHash;
use rustls::{ClientConfig, pki_types::CertificateDer};
use tokio::sync::Semaphore;
use wasmtime::{Engine, component::Linker};

use crate::{
    Compiler, FolderTrouble, Limits, Plugin, Refusal, Resolve,
    cache::Cache,
    engine::{Ticker, engine},
    folder::Folders,
    linker::linker,
    load,
    network::{System, client_config},
    state::State,
};

/// What a [`Runtime`] needs to know.
#[derive(Debug, Clone)]
pub struct RuntimeSettings {
    /// The folder for compiled components. Only this account may be able to
    /// write to it; it is made if it is not there.
    pub cache: PathBuf,
    /// How components are compiled.
    pub compiler: Compiler,
    /// The bounds within which a component describes itself.
    pub limits: Limits,
    /// Certificate authorities beside those of the system.
    pub roots: Vec<CertificateDer<'static>>,
}

/// Why there is no runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// This machine, or this build, cannot run components.
    #[error("components cannot be run here: {0:#}")]
    Engine(wasmtime::Error),
    /// No threads.
    #[error("the threads for plugins cannot be started: {0}")]
    Threads(std::io::Error),
    /// The cache cannot be used.
    #[error("the folder for compiled plugins, {}, cannot be used: {error}", folder.display())]
    Cache {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A certificate authority that was given is not one.
    #[error("a certificate authority cannot be read: {0}")]
    Roots(rustls::Error),
}

/// Loads components. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) ticker: Ticker,
    pub(crate) cache: Cache,
    pub(crate) compiler: Compiler,
    /// For each compiler that runs: they take much memory.
    pub(crate) compiling: Semaphore,
    pub(crate) limits: Limits,
    pub(crate) folders: Folders,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) names: Arc<dyn Resolve>,
    living: Arc<AtomicUsize>,
    threads: Option<tokio::runtime::Runtime>,
}

/// Components compute on these, so that none holds up a page.
fn thread_count() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8)
}

/// Compilers at once.
const COMPILERS: usize = 2;
/// Reading, hashing and a granted folder's files, for all calls together.
const BLOCKING: usize = 64;
/// A thread that nobody needs ends after so long.
const KEEP: Duration = Duration::from_secs(2);

impl Runtime {
    /// Opens the cache and starts the threads.
    pub fn new(settings: RuntimeSettings) -> Result<Self, RuntimeError> {
        Self::with_names(settings, Arc::new(System))
    }

    /// The same, with another resolver of names than the system's.
    pub fn with_names(
        settings: RuntimeSettings,
        names: Arc<dyn Resolve>,
    ) -> Result<Self, RuntimeError> {
        let engine = engine().map_err(RuntimeError::Engine)?;
        let linker = linker(&engine).map_err(RuntimeError::Engine)?;
        let cache = Cache::open(&settings.cache, &engine)
            .map_err(|error| RuntimeError::Cache { folder: settings.cache, error })?;
        let tls = client_config(&settings.roots).map_err(RuntimeError::Roots)?;
        let ticker = Ticker::start(&engine).map_err(RuntimeError::Threads)?;
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(thread_count())
            .thread_name("plugin")
            .max_blocking_threads(BLOCKING)
            .thread_keep_alive(KEEP)
            .enable_all()
            .build()
            .map_err(RuntimeError::Threads)?;
        let shared = Shared {
            engine,
            linker,
            ticker,
            cache,
            compiler: settings.compiler,
            compiling: Semaphore::new(COMPILERS),
            limits: settings.limits,
            folders: Folders::default(),
            tls,
            names,
            living: Arc::default(),
            threads: Some(threads),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// How many calls hold a store right now, descriptions included. When it is
    /// zero, nothing of any call is left.
    #[must_use]
    pub fn live_calls(&self) -> usize {
        self.shared.living.load(Relaxed)
    }

    /// Removes compiled code of other components than these from the cache. May
    /// block. Says how many there were.
    pub fn keep_only(&self, wanted: &HashSet<ComponentHash>) -> std::io::Result<usize> {
        self.shared.cache.keep_only(wanted)
    }

    /// Looks whether this folder could be granted to a component.
    pub async fn look_at_folder(&self, folder: &Path) -> Result<(), FolderTrouble> {
        let (shared, folder) = (Arc::clone(&self.shared), folder.to_owned());
        let looked = self.shared.run(async move { shared.folders.look(&folder).await }).await;
        looked.unwrap_or_else(|why| Err(FolderTrouble::Closed { path: PathBuf::new(), why }))
    }

    /// Compiles the component, or finds it compiled; checks that it fits the
    /// contract; asks it to describe itself, and checks what it says.
    pub async fn load(&self, component: Bytes) -> Result<Arc<Plugin>, Refusal> {
        let shared = Arc::clone(&self.shared);
        let work = async move { load::inspect(&shared, component).await };
        let inspected = self.shared.run(work).await.map_err(Refusal::Host)??;
        Plugin::describe(Arc::clone(&self.shared), inspected).await.map(Arc::new)
    }
}

/// Counts a store for as long as it is there.
pub(crate) struct Living(Arc<AtomicUsize>);

impl Drop for Living {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Shared {
    pub(crate) fn living(&self) -> Living {
        self.living.fetch_add(1, Relaxed);
        Living(Arc::clone(&self.living))
    }

    /// Runs the work on the plugins' threads. It is stopped when the answer is
    /// dropped. An error is a defect of this program.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, String> {
        let Some(threads) = &self.threads else {
            return Err("the plugins' threads have ended".to_owned());
        };
        let mut task = StopOnDrop(threads.spawn(work));
        (&mut task.0)
            .await
            .map_err(|error| format!("a call into a plugin failed inside the console: {error}"))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // May happen on a thread of another runtime, which must not wait.
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

struct StopOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for StopOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
