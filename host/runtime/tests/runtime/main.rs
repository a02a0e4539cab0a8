//! The sandbox from outside: real components, real servers on loopback, real
//! files.

mod files;
mod hostile;
mod limits;
mod loading;
mod names;
mod network;
mod object_store;
mod patience;
mod secure;
mod server;
mod storing;
mod support;
mod surgery;
mod talking;
mod versions;
