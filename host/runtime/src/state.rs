//! What a store holds for its component, and how it is made.

use std::sync::Arc;

use wasmtime::{Engine, Store, UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::{
    Grants, Limits, Mailer, Observer,
    artifact::Source,
    limits::Limiter,
    log::Lines,
    meter::Meter,
    network::{Gate, Resolve},
    runtime::Living,
    sink::Target,
    stdio::Capture,
};

/// Of one call: nothing in it outlives the call or is shared with another.
pub(crate) struct State {
    /// First, because fields are dropped in their order: bodies that are only
    /// half written end with `table`, and must not be taken for whole.
    gate: Gate,
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    limiter: Limiter,
    pub(crate) meter: Arc<Meter>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) lines: Lines,
    pub(crate) source: Option<Arc<Source>>,
    pub(crate) target: Option<Target>,
    pub(crate) mailer: Option<Arc<dyn Mailer>>,
    pub(crate) mail_granted: bool,
    /// Those that were handed to the relay.
    pub(crate) mails: u32,
    /// Requests with a body that are not sent yet.
    pub(crate) unsent: usize,
    /// Last, because it says that all of the above is gone.
    _living: Living,
}

/// What [`State`] is made of.
pub(crate) struct Parts {
    /// With the granted folder in it.
    pub(crate) wasi: WasiCtxBuilder,
    pub(crate) grants: Grants,
    pub(crate) limits: Limits,
    pub(crate) meter: Arc<Meter>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) lines: Lines,
    pub(crate) output: Capture,
    pub(crate) errors: Capture,
    pub(crate) source: Option<Arc<Source>>,
    pub(crate) target: Option<Target>,
    pub(crate) mailer: Option<Arc<dyn Mailer>>,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) names: Arc<dyn Resolve>,
    pub(crate) living: Living,
}

/// Random bytes that a component gets at once.
pub(crate) const RANDOM: u64 = 64 << 10;
/// Bytes that a component passes to the console in one call of a function.
pub(crate) const MESSAGE: usize = 16 << 20;
/// The head of a request.
pub(crate) const HEAD: usize = 64 << 10;

/// A fresh store.
pub(crate) fn store(engine: &Engine, parts: Parts) -> Store<State> {
    let mut wasi = parts.wasi;
    wasi.stdout(parts.output)
        .stderr(parts.errors)
        .max_random_size(RANDOM)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(HEAD);
    let mut table = ResourceTable::new();
    table.set_max_capacity(parts.limits.handles);
    let meter = parts.meter;
    let mail_granted = parts.grants.mail;
    let gate = Gate::new(
        parts.grants,
        Arc::clone(&meter),
        Arc::clone(&parts.observer),
        parts.lines.clone(),
        parts.tls,
        parts.names,
    );
    let state = State {
        table,
        wasi: wasi.build(),
        http,
        gate,
        limiter: Limiter::new(Arc::clone(&meter)),
        meter: Arc::clone(&meter),
        observer: parts.observer,
        lines: parts.lines,
        source: parts.source,
        target: parts.target,
        mailer: parts.mailer,
        mail_granted,
        mails: 0,
        unsent: 0,
        _living: parts.living,
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(MESSAGE);
    // Beside what is in the table: handles that are only lent for a call.
    store.set_max_component_handles(parts.limits.handles.saturating_mul(2));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        meter.computed()?;
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.gate }
    }
}
