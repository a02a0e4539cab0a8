//! The console over HTTP, as browsers, programs and strangers meet it.

mod audit;
mod backups;
mod changes;
mod checks;
mod databases;
mod deliveries;
mod delivery_troubles;
mod download;
mod events;
mod following;
mod headers;
mod https;
mod inert;
mod lists;
mod malformed;
mod plugins;
mod problems;
mod removals;
mod removals_again;
mod retention;
mod roles;
mod secrets;
mod sessions;
mod settings;
mod sign_in;
mod slow;
