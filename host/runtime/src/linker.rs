//! Everything that a component may import, in one linker.

use wasmtime::{
    Engine,
    component::{HasSelf, Linker},
};

use crate::{bindings::imported, mended, state::State};

/// WASI 0.2 with HTTP, and the contract's own interfaces. What an import may
/// reach is decided call by call in the store; an import that is not granted
/// links all the same and denies.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    mended::add_to_linker(&mut linker)?;
    imported::types::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    imported::artifact::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    imported::sink::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    imported::log::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    imported::mail::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

impl imported::types::Host for State {}
