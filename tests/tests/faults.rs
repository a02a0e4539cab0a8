//! What breaks while backups are made: processes, disks, servers, networks,
//! the catalog. After every fault the whole state is looked at
//! ([`world::World::assert_whole`]), and the next backup must work.
//!
//! Some tests need a program with fail points: `cargo xtask test` builds it,
//! and so does `cargo build -p cofferdam --features failpoints`.

// Nothing outside uses a test; `pub` marks what its other modules do. Numbers
// that were measured are printed, for whoever runs a test to read them.
#![allow(unreachable_pub, clippy::print_stdout)]

#[path = "faults/link.rs"]
mod link;
#[path = "../../host/artifact/src/places.rs"]
mod places;

#[path = "faults/look.rs"]
mod look;
#[path = "faults/world.rs"]
mod world;

#[path = "faults/catalog.rs"]
mod catalog;
#[path = "faults/clients.rs"]
mod clients;
#[path = "faults/clock.rs"]
mod clock;
#[path = "faults/command_line.rs"]
mod command_line;
#[path = "faults/crash.rs"]
mod crash;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/dump_tool.rs"]
mod dump_tool;
#[path = "faults/folder.rs"]
mod folder;
#[path = "faults/lease.rs"]
mod lease;
#[path = "faults/limits.rs"]
mod limits;
#[path = "faults/queue.rs"]
mod queue;
#[path = "faults/secret.rs"]
mod secret;
#[path = "faults/server.rs"]
mod server;
#[path = "faults/shelf.rs"]
mod shelf;
#[path = "faults/stopping.rs"]
mod stopping;
