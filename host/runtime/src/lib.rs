//! Plugins: WebAssembly components that run in a sandbox, and the calls into
//! them.
//!
//! [`Runtime::load`] takes a component's bytes, compiles them in a child process
//! (or finds them compiled in its cache), looks at what they import and export,
//! and asks the component to describe itself. What comes out is a [`Plugin`],
//! whose methods are the functions of the contract in `wit/`. Every call gets a
//! fresh store with the [`Grants`], the settings and the [`Limits`] of that call
//! alone, and ends with an [`Outcome`]: the result, or the typed reason why there
//! is none, and what the call used.
//!
//! What a component cannot do here: reach a host, a folder or the mail relay
//! that was not granted; open a socket; see the console's environment; outlive
//! its call; run longer, hold more or write more than its limits; make this
//! process run native code that this process has not compiled.
//!
//! Nothing here knows a catalog, a web page or a database.

mod ahead;
mod artifact;
mod bindings;
mod blocks;
mod cache;
mod call;
mod compile;
mod component;
mod convert;
mod denials;
mod description;
mod digest;
mod engine;
mod facts;
mod folder;
mod imports;
mod limits;
mod linker;
mod load;
mod log;
mod mail;
mod marks;
mod mask;
mod mended;
mod meter;
mod network;
mod observer;
mod outcome;
mod plugin;
mod proof;
#[cfg(test)]
mod readme;
mod refusal;
mod runtime;
mod sink;
mod state;
mod stdio;
mod text;
mod version;

pub use artifact::Artifact;
pub use cofferdam_model::{ComponentHash, Grants, HostGrant, HostPattern};
pub use compile::{Compiler, compile_child};
pub use component::{Role, Roles};
pub use description::{Description, GrantKinds, validator as settings_validator};
pub use facts::{
    BackupFacts, Candidate, Entry, Event, Expired, Failure, Fetched, FieldError, Page, Receipt,
    Severity,
};
pub use folder::FolderTrouble;
pub use imports::Import;
pub use limits::{LimitBroken, Limits};
pub use mail::{Mail, MailError, Mailer};
pub use marks::{Place, at_place, marked, marked_and_used, properties, words};
pub use network::{Resolve, Resolving};
pub use observer::{Denied, LogLevel, Observer, Silent};
pub use outcome::{Breach, CallError, Outcome, Usage};
pub use plugin::{Call, Plugin};
pub use refusal::Refusal;
pub use runtime::{Runtime, RuntimeError, RuntimeSettings};
pub use rustls::pki_types::CertificateDer;
