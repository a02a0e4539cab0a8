//! A small HTTP client, one request after another. Needs the grant `network`
//! for the host.
//!
//! ```no_run
//! use cofferdam_plugin::http::Request;
//!
//! # fn send() -> cofferdam_plugin::Result<()> {
//! let response = Request::post("https://hooks.example.org/backups")
//!     .header("content-type", "application/json")
//!     .bytes(br#"{"text":"done"}"#)
//!     .send()?
//!     .success()?;
//! # Ok(())
//! # }
//! ```
//! Failures name the server, never the path or the query, which may hold secrets.

mod request;
mod response;
mod url;

pub use request::{Method, Request};
pub use response::{BodyStream, Response, by_status, readable, retry_after};
pub use url::Url;
