//! The contract in `wit/`, as Rust sees it.
//!
//! One world with everything serves all components: which interfaces a
//! component exports is asked of each one by itself, so a component needs to
//! export no more than its roles.
//!
//! In `wit/storage.wit` the function `store` comes last: the macro gives each
//! function's handle the function's name, and `store` is also what it calls the
//! store that it looks up the others in.

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package cofferdam:host;
        world every {
            include cofferdam:plugin/imports@0.1.0;
            export cofferdam:plugin/plugin@0.1.0;
            export cofferdam:plugin/storage@0.1.0;
            export cofferdam:plugin/notifier@0.1.0;
            export cofferdam:plugin/retention@0.1.0;
        }
    ",
    world: "cofferdam:host/every",
    imports: {
        "cofferdam:plugin/artifact.digest": async | trappable,
        "cofferdam:plugin/mail.send": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    with: {
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:filesystem": wasmtime_wasi::p2::bindings::filesystem,
        "wasi:random": wasmtime_wasi::p2::bindings::random,
        "wasi:http": wasmtime_wasi_http::p2::bindings::http,
    },
    require_store_data_send: true,
});

pub(crate) use cofferdam::plugin as imported;
pub(crate) use exports::cofferdam::plugin as exported;
