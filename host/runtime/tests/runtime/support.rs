//! A runtime, a component, and somebody who listens.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use cofferdam_runtime::{
    Artifact, BackupFacts, Call, Compiler, Denied, Grants, HostGrant, Limits, LogLevel, Observer,
    Plugin, Refusal, Runtime, RuntimeSettings,
};
use serde_json::{Value, json};

/// The child that compiles, which Cargo has built beside this test.
pub(crate) fn compiler() -> Compiler {
    let test = std::env::current_exe().expect("this test is a file");
    let folder = test.parent().and_then(Path::parent).expect("it lies in target/debug/deps");
    let program = folder.join("examples/compile");
    assert!(program.exists(), "{} is missing: build this crate's examples", program.display());
    Compiler { program, arguments: Vec::new(), time: Duration::from_mins(2), memory_bytes: 4 << 30 }
}

/// The component that does what it is told.
pub(crate) fn component() -> Bytes {
    built("bare")
}

/// The component that does harm, made with the SDK.
pub(crate) async fn misbehaving() -> Arc<Plugin> {
    load(built("misbehaving").to_vec()).await.expect("it fits the contract")
}

/// Loads any component.
pub(crate) async fn load(component: Vec<u8>) -> Result<Arc<Plugin>, Refusal> {
    runtime_in(cache()).load(component.into()).await
}

/// A component that set-up has built.
pub(crate) fn built(name: &str) -> Bytes {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let path = target.join("plugins").join(format!("{name}.wasm"));
    let bytes = std::fs::read(&path);
    bytes
        .unwrap_or_else(|error| panic!("{}: {error}; cargo xtask setup builds it", path.display()))
        .into()
}

/// Compiled components, kept from test to test: what the cache is for.
pub(crate) fn cache() -> PathBuf {
    let test = std::env::current_exe().expect("this test is a file");
    test.parent().expect("it lies in a folder").join("cofferdam-runtime-cache")
}

pub(crate) fn runtime_in(cache: PathBuf) -> Runtime {
    let limits = Limits::default();
    let settings = RuntimeSettings { cache, compiler: compiler(), limits, roots: Vec::new() };
    Runtime::new(settings).expect("components can be run here")
}

pub(crate) async fn plugin() -> Arc<Plugin> {
    loaded(component()).await
}

pub(crate) async fn loaded(component: Bytes) -> Arc<Plugin> {
    runtime_in(cache()).load(component).await.expect("it fits the contract")
}

/// Writes down what it hears.
#[derive(Default)]
pub(crate) struct Ear {
    pub(crate) lines: Mutex<Vec<(LogLevel, String)>>,
    pub(crate) denied: Mutex<Vec<Denied>>,
    pub(crate) bytes: Mutex<u64>,
}

impl Ear {
    pub(crate) fn denials(&self) -> Vec<String> {
        self.denied.lock().expect("not poisoned").iter().map(ToString::to_string).collect()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("not poisoned").iter().map(|(_, line)| line.clone()).collect()
    }
}

impl Observer for Ear {
    fn log(&self, level: LogLevel, line: &str) {
        self.lines.lock().expect("not poisoned").push((level, line.to_owned()));
    }
    fn sent(&self, bytes: u64) {
        *self.bytes.lock().expect("not poisoned") += bytes;
    }
    fn denied(&self, what: &Denied) {
        self.denied.lock().expect("not poisoned").push(what.clone());
    }
}

/// A call with nothing granted.
pub(crate) fn call(settings: Value) -> (Call, Arc<Ear>) {
    let ear = Arc::new(Ear::default());
    let call = Call {
        settings,
        grants: Grants::default(),
        limits: Limits::default(),
        observer: Arc::clone(&ear) as Arc<dyn Observer>,
        mailer: None,
    };
    (call, ear)
}

/// A call that does this and nothing else.
pub(crate) fn doing(deed: &str) -> (Call, Arc<Ear>) {
    call(json!({ "do": deed }))
}

pub(crate) fn grant(host: &str, port: u16, private: bool) -> HostGrant {
    HostGrant { host: host.parse().expect("a host"), port, private }
}

/// A file in memory, each block of which is different.
pub(crate) struct Content(pub(crate) Vec<u8>);

impl Content {
    pub(crate) fn new(size: usize) -> Arc<Self> {
        Arc::new(Self((0..size).map(|at| (at ^ (at >> 8) ^ (at >> 16)).to_le_bytes()[0]).collect()))
    }
}

impl Artifact for Content {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = &self.0[usize::try_from(offset).expect("fits").min(self.0.len())..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

pub(crate) fn backup(size: u64) -> BackupFacts {
    BackupFacts {
        id: "0190f4b2-0000-7000-8000-000000000001".to_owned(),
        database: "shop".to_owned(),
        engine: "postgres".to_owned(),
        filename: "backup_shop_20260131_020000.sql.gz".to_owned(),
        size,
        sha256: "0".repeat(64),
        created_at: chrono::DateTime::UNIX_EPOCH,
        completed_at: chrono::DateTime::UNIX_EPOCH,
        document: json!({}),
        sidecar: "{}".to_owned(),
    }
}
