//! Functions of WASI whose implementation in wasmtime does not do here, each
//! with the reason.

use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource},
    format_err,
};
use wasmtime_wasi::p2::{
    IoError,
    bindings::io::streams::{Host as _, HostOutputStream},
};
use wasmtime_wasi_http::{
    RequestOptions, WasiHttpView as _,
    p2::{
        bindings::http::{
            outgoing_handler::Host as _,
            types::{
                ErrorCode, Host as _, HostOutgoingRequest as HostOutgoingRequestFunctions, Method,
            },
        },
        types::{HostFutureIncomingResponse, HostOutgoingRequest},
    },
};

use crate::{LimitBroken, state::State};

/// The longest name of a method.
const METHOD: usize = 64;
/// Requests with a body that may wait to be sent.
pub(crate) const UNSENT: usize = 32;
/// The most that any stream of the console's takes at once.
pub(crate) const WRITE: usize = 1 << 20;

type Handled = Result<Resource<HostFutureIncomingResponse>, ErrorCode>;

/// Puts them in the place of wasmtime's own.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    // What a component is told of a stream's error becomes a text for people.
    // Wasmtime writes it for programmers: with the console's own call stack
    // where the environment asks for one.
    linker.instance("wasi:io/error@0.2.12")?.func_wrap(
        "[method]error.to-debug-string",
        |store: StoreContextMut<'_, State>, (error,): (Resource<IoError>,)| {
            Ok((format!("{:#}", store.data().table.get(&error)?),))
        },
    )?;
    // Wasmtime bounds every other part of a request, and this one not.
    let mut http = linker.instance("wasi:http/types@0.2.12")?;
    http.func_wrap(
        "[method]outgoing-request.set-method",
        |mut store: StoreContextMut<'_, State>, (request, method): (_, Method)| {
            if matches!(&method, Method::Other(name) if name.len() > METHOD) {
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_method(request, method)?,))
        },
    )?;
    // The body of a request that is never sent holds up to two blocks.
    http.func_wrap(
        "[method]outgoing-request.body",
        |mut store: StoreContextMut<'_, State>, (request,): (_,)| {
            let state = store.data_mut();
            state.unsent += 1;
            if state.unsent > UNSENT {
                return Err(state.meter.stop(LimitBroken::Unsent(UNSENT)).into());
            }
            Ok((HostOutgoingRequestFunctions::body(&mut state.http(), request)?,))
        },
    )?;
    // A stream says how much it takes, and wasmtime leaves it to each of them to
    // hold a component to that.
    linker.instance("wasi:io/streams@0.2.12")?.func_wrap(
        "[method]output-stream.write",
        |mut store: StoreContextMut<'_, State>, (stream, bytes): (Resource<_>, Vec<u8>)| {
            if bytes.len() > WRITE {
                return Err(format_err!("more was written to a stream than it takes at once"));
            }
            let table = &mut store.data_mut().table;
            Ok((match HostOutputStream::write(table, stream, bytes) {
                Ok(()) => Ok(()),
                Err(error) => Err(table.convert_stream_error(error)?),
            },))
        },
    )?;
    linker
        .instance("wasi:http/outgoing-handler@0.2.12")?
        .func_wrap("handle", |mut store: StoreContextMut<'_, State>, given| {
            Ok((handle(store.data_mut(), given)?,))
        })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// A request's options are handed over with it. Wasmtime leaves them in the
/// table, which is full after as many requests as a call may hold open.
fn handle(
    state: &mut State,
    (request, options): (Resource<HostOutgoingRequest>, Option<Resource<RequestOptions>>),
) -> wasmtime::Result<Handled> {
    let given = options.as_ref().map(|options| Resource::<RequestOptions>::new_own(options.rep()));
    state.unsent = state.unsent.saturating_sub(1);
    let mut http = state.http();
    let handled = http.handle(request, options);
    if let Some(options) = given {
        http.table.delete(options)?;
    }
    Ok(match handled {
        Ok(answer) => Ok(answer),
        Err(error) => Err(http.convert_error_code(error)?),
    })
}
