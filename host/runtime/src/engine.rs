//! The one engine, and the clock that lets calls be stopped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use wasmtime::{Config, Engine, EngineWeak, WasmBacktraceDetails};

/// How often a running component is asked whether its time is over.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The settings that compiled code depends on: the child that compiles and the
/// process that runs must agree on them.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .wasm_component_model(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        // A component's own stack; the rest of a fiber's stack is the host's.
        .max_wasm_stack(512 << 10)
        .async_stack_size(2 << 20)
        .parallel_compilation(true);
    Engine::new(&config)
}

/// Advances the engine's epoch while a call runs, and sleeps otherwise.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

struct Shared {
    running: AtomicUsize,
    end: AtomicBool,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { running: AtomicUsize::new(0), end: AtomicBool::new(false) });
        let weak = engine.weak();
        let mine = Arc::clone(&shared);
        let thread = thread::Builder::new().name("plugin-clock".to_owned());
        let handle = thread.spawn(move || tick(&mine, &weak))?;
        Ok(Self { shared, thread: handle.thread().clone() })
    }

    /// The epoch advances until the answer is dropped.
    pub(crate) fn run(&self) -> Running {
        if self.shared.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Running(Arc::clone(&self.shared))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.end.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn tick(shared: &Shared, engine: &EngineWeak) {
    while !shared.end.load(Ordering::SeqCst) {
        if shared.running.load(Ordering::SeqCst) == 0 {
            thread::park();
            continue;
        }
        thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
    }
}

/// A call that needs the clock.
pub(crate) struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}
