//! The bundled plugins at work: real backups through the real console, to
//! servers by other people, and through a network that does its worst.

mod chat;
mod mail;
mod s3;
mod s3_cut_off;
mod s3_faults;
mod s3_host;
mod s3_kept;
mod s3_proof;
mod s3_settings;
mod support;
mod trust;
mod webhook;
