//! One file per page. `page` gives a whole page, other functions fragments.

pub mod account;
pub mod api;
pub mod backup;
pub mod backup_delete;
pub mod backup_log;
pub mod backup_new;
mod backup_restore;
mod backup_state;
pub mod backups;
pub mod database;
pub mod database_delete;
pub mod database_form;
pub mod databases;
pub mod destination;
pub mod destination_delete;
pub mod destination_form;
pub mod destination_new;
pub mod destination_retention;
pub mod destinations;
pub mod error;
pub mod login;
pub mod overview;
pub mod plugin;
mod plugin_consent;
pub mod plugin_revoke;
pub mod plugins;
pub mod setup;
