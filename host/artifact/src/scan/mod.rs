//! Reading a plain dump as it streams by.
//!
//! [`DumpScanner`] counts rows, notes where each table's data and the section
//! of DROP statements lie, and knows whether the dump is whole. It is fed blocks
//! of any size and keeps neither the data nor more than one statement's beginning.
//! Data between `COPY … FROM stdin;` and `\.`, and the inside of strings, pass
//! at memory speed.

mod copy_data;
mod lexer;
mod quote;
mod report;
mod statement;
mod words;

pub use lexer::{Lexer, Visit};
pub use report::{DumpScanner, ScanReport, scan};
pub use statement::Statement;
