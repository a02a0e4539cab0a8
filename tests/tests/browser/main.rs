//! The pages in Chromium, clicked through as a person would, against real
//! databases.

mod stage;

mod access;
mod api_docs;
mod failures;
mod first_start;
mod forms;
mod history;
mod inert;
mod keyboard;
mod lists;
mod live;
mod plugins;
mod records;
mod restoring;
mod scripts_off;
mod tabs;
