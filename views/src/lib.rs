//! The console's pages: plain structs in, [`maud::Markup`] out.
//!
//! Nothing here sees a database, a request or a clock. Whoever calls gives the
//! moment in [`Chrome::now`], and every relative time on the page is told from
//! it, so that one page never contradicts itself.
//!
//! Every page is a function `pages::…::page(&Chrome, &Data)`, and every part
//! that htmx fetches again is the same function that the whole page uses.

mod agent;
pub mod assets;
mod chrome;
mod data;
mod form;
pub mod format;
mod icons;
mod layout;
pub mod pages;
mod parts;
pub mod schema;
pub mod text;

pub use chrome::{Chrome, Nav, Notice, NoticeKind, Viewer, content_security_policy};
pub use data::{
    BackupItem, BackupQuery, DatabaseCard, DatabaseChoice, DeliveryItem, Direction, GenerateForm,
    Point, Sort,
};
pub use form::FieldErrors;
pub use maud::Markup;
