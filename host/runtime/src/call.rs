//! One call: a fresh store, the component in it, and a watch beside it.

use std::{
    future::Future,
    path::Path,
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use wasmtime::{Store, Trap, WasmBacktrace, component::Instance};
use wasmtime_wasi::{I32Exit, ResourceTableError};
use wasmtime_wasi_http::FieldMapError;

use crate::{
    Artifact, Breach, CallError, LimitBroken, LogLevel, Observer, Outcome, Usage,
    artifact::Source,
    component::{Exports, Inspected},
    denials::Denials,
    log::Lines,
    mask::{self, Hide, Mask, Masked},
    meter::{Counted, Meter},
    plugin::Call,
    runtime::Shared,
    sink::Target,
    state::{self, HEAD, Parts, State},
    stdio::Capture,
    text::clean,
};

/// What a call hands over beside its settings.
#[derive(Default)]
pub(crate) struct Give {
    pub(crate) artifact: Option<Arc<dyn Artifact>>,
    /// Where fetched bytes go.
    pub(crate) sink: Option<Target>,
}

/// The running component.
pub(crate) struct Live<'a> {
    pub(crate) store: &'a mut Store<State>,
    pub(crate) instance: &'a Instance,
    pub(crate) exports: &'a Exports,
    /// As the component gets them.
    pub(crate) settings: String,
}

/// The outer error is a trap, the inner one an answer.
pub(crate) type Answer<'a, T> =
    Pin<Box<dyn Future<Output = wasmtime::Result<Result<T, CallError>>> + Send + 'a>>;

/// Bytes of a backtrace that are kept.
const BACKTRACE: usize = 4 << 10;

/// Makes the call on the plugins' threads. No text that comes out of it, while
/// it runs or at its end, has a secret in it that the mask knows.
pub(crate) async fn run<T, F>(
    shared: &Arc<Shared>,
    inspected: &Arc<Inspected>,
    mut call: Call,
    mask: Mask,
    give: Give,
    work: F,
) -> Outcome<T>
where
    T: Hide + Send + 'static,
    F: for<'a> FnOnce(Live<'a>) -> Answer<'a, T> + Send + 'static,
{
    let meter = Arc::new(Meter::new(call.limits.clone()));
    let mask = Arc::new(mask);
    let observer = Arc::clone(&call.observer);
    call.observer = Arc::new(Masked { observer, mask: Arc::clone(&mask) }) as Arc<dyn Observer>;
    let task = {
        let (shared, inspected, meter) =
            (Arc::clone(shared), Arc::clone(inspected), Arc::clone(&meter));
        async move { inside(&shared, &inspected, call, give, meter, work).await }
    };
    let result = shared.run(task).await.unwrap_or_else(|why| Err(CallError::Host(why)));
    let result = match result {
        Ok(given) => given.hide(&mask),
        Err(error) => Err(mask::error(error, &mask)),
    };
    Outcome { result, usage: usage(&meter) }
}

async fn inside<T, F>(
    shared: &Shared,
    inspected: &Inspected,
    call: Call,
    give: Give,
    meter: Arc<Meter>,
    work: F,
) -> Result<T, CallError>
where
    F: for<'a> FnOnce(Live<'a>) -> Answer<'a, T>,
{
    let _clock = shared.ticker.run();
    let denials = Denials::new(call.observer);
    let observer = Arc::clone(&denials) as Arc<dyn Observer>;
    let lines = Lines::new(Arc::clone(&observer), call.limits.lines, call.limits.line_bytes);
    let output = Capture::new(lines.clone(), LogLevel::Info);
    let errors = Capture::new(lines.clone(), LogLevel::Warning);
    let handles = call.limits.handles;
    let folder = call.grants.folder.as_deref();
    let wasi = shared.folders.grant(folder).await.map_err(|trouble| {
        let folder = folder.unwrap_or(Path::new("")).display();
        CallError::Host(format!("the granted folder {folder} cannot be used: {trouble}"))
    })?;
    let parts = Parts {
        wasi,
        grants: call.grants,
        limits: call.limits,
        meter: Arc::clone(&meter),
        lines: lines.clone(),
        output: output.clone(),
        errors: errors.clone(),
        source: give.artifact.map(|file| {
            meter.allow_file(file.size());
            Source::new(file, Arc::clone(&meter), Arc::clone(&observer))
        }),
        target: give.sink,
        observer,
        mailer: call.mailer,
        tls: Arc::clone(&shared.tls),
        names: Arc::clone(&shared.names),
        living: shared.living(),
    };
    let mut store = state::store(&shared.engine, parts);
    let settings = call.settings.to_string();
    let result = {
        let live = async {
            let instance = inspected.ready.instantiate_async(&mut store).await?;
            let store = &mut store;
            work(Live { store, instance: &instance, exports: &inspected.exports, settings }).await
        };
        let live = Counted { call: Box::pin(live), meter: Arc::clone(&meter) };
        tokio::select! {
            result = live => result.unwrap_or_else(|error| Err(of_trap(&error, handles))),
            limit = meter.watch() => Err(CallError::Limit(limit)),
        }
    };
    // With it end its streams, its files and its connections.
    drop(store);
    output.finish();
    let last_words = errors.finish();
    lines.finish();
    denials.finish();
    // What a component makes of a limit, or of a failure of ours, is not why it failed.
    if let Some(limit) = meter.broken() {
        return Err(CallError::Limit(limit));
    }
    match (result, meter.host_failure()) {
        (Err(_), Some(why)) => Err(why),
        // A panic says there what went wrong; the trap does not know.
        (Err(CallError::Trap { message, backtrace }), None) if !last_words.is_empty() => {
            let message = format!("{message}; the last that it wrote is: {last_words}");
            Err(CallError::Trap { message, backtrace })
        }
        (result, _) => result,
    }
}

fn of_trap(error: &wasmtime::Error, handles: usize) -> CallError {
    if let Some(limit) = error.downcast_ref::<LimitBroken>() {
        return CallError::Limit(limit.clone());
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
        return CallError::Limit(LimitBroken::Handles(handles));
    }
    if let Some(FieldMapError::TotalSizeTooBig | FieldMapError::TooManyFields) =
        error.downcast_ref::<FieldMapError>()
    {
        return CallError::Limit(LimitBroken::Head(HEAD as u64));
    }
    if let Some(breach) = error.downcast_ref::<Breach>() {
        return breach.clone().into();
    }
    let message = if let Some(exit) = error.downcast_ref::<I32Exit>() {
        // WASI 0.2 passes on whether it is a failure, and no number.
        let how = if exit.0 == 0 { "success" } else { "failure" };
        format!("it ended itself in the middle of the call and reported {how}")
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        trap.to_string()
    } else {
        error.root_cause().to_string()
    };
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(ToString::to_string);
    CallError::Trap {
        message: clean(&message, BACKTRACE, false),
        backtrace: clean(backtrace.as_deref().unwrap_or_default(), BACKTRACE, true),
    }
}

fn usage(meter: &Meter) -> Usage {
    Usage {
        wall: meter.elapsed(),
        cpu: meter.cpu(),
        memory_bytes: meter.memory_peak.load(Relaxed),
        sent: meter.sent.load(Relaxed),
        received: meter.received.load(Relaxed),
        file_bytes: meter.file_bytes.load(Relaxed),
    }
}
