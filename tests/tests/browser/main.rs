//! The pages in Chromium, clicked through as a person would, against real
//! databases.

mod first_start;
