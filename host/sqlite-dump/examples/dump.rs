//! Writes a database to standard output: `cargo run --example dump -- FILE`.

use std::{error::Error, io::stdout, path::Path};

use cofferdam_sqlite_dump::{Snapshot, Unobserved};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("which file?")?;
    Snapshot::open(Path::new(&path))?.dump(&mut stdout().lock(), &mut Unobserved)?;
    Ok(())
}
