//! Every visible sentence of the console, in one place, so that languages can
//! come later. Functions take what goes into a sentence; they never return
//! markup. User text is not put into these sentences unless the sentence is
//! an attribute, where nothing but text can stand.

pub(crate) mod api;
pub(crate) mod backup;
pub(crate) mod common;
pub(crate) mod database;
pub(crate) mod delivery;
pub(crate) mod destination;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod plugin;
pub(crate) mod retention;
pub(crate) mod settings;
pub(crate) mod states;
pub(crate) mod trouble;

pub use destination::event;
pub use states::{meaning, phase, status};
