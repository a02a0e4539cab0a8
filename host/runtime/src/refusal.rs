//! Why a file is not taken as a plugin.

use std::time::Duration;

use cofferdam_model::size;

/// Why a component was not loaded. Each text says what happened and, after
/// `HINT:`, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither a component nor anything near it.
    #[error(
        "this file is not a WebAssembly component\nHINT: build the plugin for the target wasm32-wasip2 and take the .wasm file"
    )]
    NotWasm,
    /// A WebAssembly module without the component's layer around it.
    #[error(
        "this file is a core WebAssembly module, not a component\nHINT: build the plugin for the target wasm32-wasip2, or wrap it with wasm-tools component new"
    )]
    CoreModule,
    /// Compiled native code.
    #[error(
        "this file holds compiled native code, which a plugin must not bring along\nHINT: take the .wasm file that it was compiled from"
    )]
    Native,
    /// More than a plugin may have.
    #[error("this file has {}, and a plugin has {} at most", size(*.bytes), size(*.limit))]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The compiler does not accept it.
    #[error("the component is damaged, or uses WebAssembly features that are not supported: {0}")]
    Invalid(String),
    /// It took too long to compile.
    #[error("compiling the component took longer than {:.0} s and was stopped", .0.as_secs_f64())]
    CompileTime(Duration),
    /// The compiler ended without saying why: most likely it had no memory left.
    #[error("compiling the component was ended ({how}); it may need more than the {} of memory that it is given", size(*.memory_bytes))]
    CompileCrash {
        /// How the process ended.
        how: String,
        /// What it was given.
        memory_bytes: u64,
    },
    /// It needs something that the console does not have.
    #[error(
        "the component needs {name}, which the console does not have\nHINT: build it against this version of the console's WIT"
    )]
    Import {
        /// The import as it is written in the component.
        name: String,
    },
    /// It consists of more parts than a plugin may have.
    #[error("the component has {count} {what}, and a plugin has {limit} at most")]
    TooMany {
        /// Memories, tables.
        what: &'static str,
        /// Its number of them.
        count: u32,
        /// The limit.
        limit: usize,
    },
    /// An import or an export has another shape than in the contract.
    #[error(
        "the component does not fit the contract: {0}\nHINT: build it against this version of the console's WIT"
    )]
    Shape(String),
    /// It is a component, but not a plugin.
    #[error(
        "the component is not a plugin: it does not export {0}\nHINT: see the interfaces in wit/"
    )]
    NotAPlugin(&'static str),
    /// It describes itself, and does nothing else.
    #[error("the plugin has no role: it exports none of storage, notifier and retention")]
    NoRole,
    /// It could not be asked what it is.
    #[error("the plugin could not be asked what it is: {0}")]
    Describe(String),
    /// What it says of itself is not what the contract allows.
    #[error("the plugin's description is not right: {field}: {message}")]
    Description {
        /// Which part.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The console could not do its own part.
    #[error("{0}")]
    Host(String),
}
