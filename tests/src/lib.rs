//! What black-box tests stand on: a real PostgreSQL, the real console as a
//! process, its API from outside, a real browser.
//!
//! Helpers panic with what was found where a test could do nothing but fail,
//! so that tests read as what they show. Each process started here ends with
//! its value, and with the test however that ends.

pub mod api;
pub mod browser;
pub mod certificates;
pub mod cluster;
mod compiled;
pub mod component;
pub mod console;
pub mod held;
pub mod inside;
pub mod mail_relay;
pub mod person;
pub mod s3_proxy;
pub mod s3_server;
pub mod visitor;
pub mod wait;
pub mod web_server;
pub mod wire;

pub use api::{Api, Reply};
pub use browser::Browser;
pub use certificates::Certificates;
pub use cluster::TestCluster;
pub use component::component;
pub use console::Console;
pub use mail_relay::MailRelay;
pub use person::Person;
pub use s3_proxy::S3Proxy;
pub use s3_server::S3Server;
pub use visitor::Visitor;
pub use wait::wait_until;
pub use web_server::WebServer;
