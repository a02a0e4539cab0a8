//! Scratch servers and child processes, shared by the tasks and the tests.
//!
//! The tasks themselves (`cargo xtask …`) are in the binary; what is here is
//! the part that tests need as well: a child that ends with its parent, a
//! real PostgreSQL of one's own, and the sample shop.

pub mod postgres;
pub mod process;
pub mod sample;
