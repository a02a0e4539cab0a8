//! The console over HTTP, as browsers, programs and strangers meet it.

mod backups;
//changes
mod databases;
mod download;
mod events;
mod following;
//headers
//inert
mod lists;
//malformed
mod problems;
//roles
//secrets
//sessions
//settings
//sign_in
//slow
