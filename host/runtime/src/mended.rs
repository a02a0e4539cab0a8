//! Functions of WASI whose implementation in wasmtime does not do here, each
//! with the reason.

use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource},
};
use wasmtime_wasi::p2::IoError;
use wasmtime_wasi_http::{
    RequestOptions, WasiHttpView as _,
    p2::{
        bindings::http::{
            outgoing_handler::Host as _,
            types::{ErrorCode, Host as _},
        },
        types::{HostFutureIncomingResponse, HostOutgoingRequest},
    },
};

use crate::state::State;

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
