//! What a Cofferdam plugin in Rust is made with.
//!
//! A plugin is a type with [`Plugin`] and one or more of [`Storage`],
//! [`Notifier`] and [`Retention`], exported by the macro of the same name.
//! Build it as a `cdylib` for `wasm32-wasip2`. A complete destination:
//!
//! ```
#![doc = include_str!("../../examples/rust/src/lib.rs")]
//! ```
//!
//! Rules that make a plugin a good one:
//! - Say in a [`Failure`] whether it is worth trying again: the console does
//!   what it says. Never put a secret into a text.
//! - The same backup may come again after a failure: overwrite or find what
//!   the earlier attempt has left.
//! - Pass streams on with [`stream::Output::splice`], and let the console
//!   compute checksums ([`artifact::Range::digest`]): both are many times
//!   quicker than a component's own memory.

pub mod artifact;
#[doc(hidden)]
#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    reason = "made by wit-bindgen"
)]
pub mod bindings;
mod failure;
pub mod folder;
mod glue;
pub mod http;
pub mod log;
pub mod mail;
mod plugin;
pub mod settings;
pub mod sink;
pub mod stream;
pub mod template;
pub mod time;
mod values;

pub use failure::{Failure, FieldError, Problems, Result, TemporaryFailure};
#[doc(hidden)]
pub use glue::Exported;
pub use plugin::{
    Backup, Candidate, Description, Entry, Event, Expired, Grant, Notifier, Page, Plugin, Receipt,
    Retention, Severity, Storage,
};
pub use serde;
pub use serde_json;
pub use template::Template;
pub use values::{Period, Size};
