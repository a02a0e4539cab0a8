//! Loading a component and calling it, as the console does.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use cofferdam_runtime::{
    Artifact, BackupFacts, Call, Compiler, Grants, HostGrant, Limits, Plugin, Runtime,
    RuntimeSettings, Silent,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Failed, text};

/// How many calls the median is of.
const CALLS: usize = 200;

struct OnDisk(File, u64);

impl Artifact for OnDisk {
    fn size(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(into, offset)
    }
}

/// A component, ready to be called, and the folder with its cache.
pub(crate) struct Loaded {
    plugin: Arc<Plugin>,
    _folder: TempDir,
}

fn runtime(cache: &Path) -> Result<Runtime, Failed> {
    let compiler = Compiler {
        program: std::env::current_exe()?.with_file_name("compile"),
        arguments: Vec::new(),
        time: Duration::from_mins(2),
        memory_bytes: 4 << 30,
    };
    let (cache, limits) = (cache.to_owned(), Limits::default());
    Ok(Runtime::new(RuntimeSettings { cache, compiler, limits, roots: Vec::new() })?)
}

fn call(settings: Value, grants: Grants) -> Call {
    Call { settings, grants, limits: Limits::default(), observer: Arc::new(Silent), mailer: None }
}

/// Seconds that each step takes: compiling in a child process, loading from the
/// cache, and a whole call of `check`, which these settings let end at once.
pub(crate) async fn steps(component: &str) -> Result<Value, Failed> {
    let component = Bytes::from(std::fs::read(component)?);
    let folder = tempfile::tempdir()?;
    let cache = folder.path().join("cache");
    let start = Instant::now();
    runtime(&cache)?.load(component.clone()).await?;
    let compiled = start.elapsed();
    let runtime = runtime(&cache)?;
    let start = Instant::now();
    let plugin = runtime.load(component).await?;
    let loaded = start.elapsed();
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let start = Instant::now();
        // What it thinks of empty settings does not matter here.
        let _ = plugin.check(call(json!({}), Grants::default())).await;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(json!({
        "compiled": compiled.as_secs_f64(),
        "loaded": loaded.as_secs_f64(),
        "called": times[CALLS / 2].as_secs_f64(),
        "called_99": times[CALLS * 99 / 100].as_secs_f64(),
    }))
}

impl Loaded {
    pub(crate) async fn new(component: &str) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let runtime = runtime(&folder.path().join("cache"))?;
        let plugin = runtime.load(std::fs::read(component)?.into()).await?;
        Ok(Self { plugin, _folder: folder })
    }

    /// One delivery.
    pub(crate) async fn store(&self, wish: &Value) -> Result<Value, Failed> {
        let file = File::open(text(wish, "file")?)?;
        let size = file.metadata()?.len();
        let endpoint = text(&wish["settings"], "endpoint")?;
        let port = endpoint.rsplit(':').next().ok_or("no port")?.parse()?;
        let host = HostGrant { host: "127.0.0.1".parse()?, port, private: true };
        let grants = Grants { hosts: vec![host], ..Grants::default() };
        let now = chrono::Utc::now();
        let backup = BackupFacts {
            id: uuid(),
            database: "shop".to_owned(),
            engine: "postgres".to_owned(),
            filename: text(wish, "name")?.to_owned(),
            size,
            sha256: text(wish, "sha256")?.to_owned(),
            created_at: now,
            completed_at: now,
            document: json!({}),
            sidecar: "{}".to_owned(),
        };
        let start = Instant::now();
        let outcome = self.plugin.store(
            call(wish["settings"].clone(), grants),
            backup,
            Arc::new(OnDisk(file, size)),
        );
        let outcome = outcome.await;
        let wall = start.elapsed().as_secs_f64();
        outcome.result?;
        Ok(json!({ "wall": wall, "memory": outcome.usage.memory_bytes }))
    }
}

fn uuid() -> String {
    "01890a5d-ac96-774b-bcce-b302099a8057".to_owned()
}
