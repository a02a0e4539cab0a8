//! The pages: what a request wants, in the words of the services; what a
//! service says, in the words of the views.

pub mod account;
pub mod backup;
pub mod backups;
pub mod common;
pub mod database;
pub mod databases;
pub mod delivery;
pub mod destination;
pub mod destination_try;
pub mod destinations;
pub mod events;
pub mod overview;
pub mod plugins;
pub mod retention;
pub mod sign_in;
