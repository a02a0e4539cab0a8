//! The console over HTTP: pages for people, an API for programs.

mod answer;
pub mod api;
mod assets;
mod chrome;
mod csrf;
mod download;
mod guard;
mod headers;
mod health;
mod pages;
mod range;
mod remote;
mod routes;
mod server;
mod session;
mod throttle;
mod tls;

pub use server::{Bound, bind, listen};
pub use throttle::{Throttle, network};
