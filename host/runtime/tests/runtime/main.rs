//! The sandbox from outside: real components, real servers on loopback, real
//! files.

mod files;
mod limits;
mod loading;
mod network;
mod secure;
mod server;
mod storing;
mod support;
mod talking;
