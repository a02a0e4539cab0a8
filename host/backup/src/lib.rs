//! The run of a backup, from pre-flight to published file.
//!
//! Two doors: [`check`] looks at a database and says what stands in the way of
//! a backup, and [`run`] makes one. Both block; both reach PostgreSQL through
//! its own client programs only ([`Clients`]) and SQLite in this process.
//! Adding an engine is one more implementation of the trait in `engine`.
//!
//! What holds here:
//! - A file gets its final name only after the tool ended with success, its
//!   completion mark was seen, every byte it wrote was counted into the file,
//!   and the observer still agrees ([`Observer::before_publish`]).
//! - However a run ends, its child processes, its sessions on the server, its
//!   partial file and its password file are gone before [`run`] returns.
//! - A password is in a file in memory that only this user can read, and nowhere else:
//!   not in arguments, environments, log lines, failures or sidecars.
//! - Nothing here knows HTTP, the catalog or an async runtime.

mod check;
mod clients;
mod control;
mod engine;
mod observer;
mod process;
mod progress;
mod run;
mod source;
mod space;
mod stage;
mod watch;

pub use check::{Preflight, Problem, ProblemKind, check};
pub use clients::{Client, Clients, Version};
pub use control::{Control, Stop};
pub use engine::{end_backends, supports};
pub use observer::Observer;
pub use run::{Limits, Run, run};
