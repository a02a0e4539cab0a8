//! Says in plain words what is missing, where the bindings' own error would not.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let deps = Path::new("../../wit/deps");
    println!("cargo:rerun-if-changed=../../wit");
    if deps.join("http.wit").exists() {
        return ExitCode::SUCCESS;
    }
    println!(
        "cargo::error=WASI's WIT files are not in wit/deps yet: run `cargo xtask setup --build` once"
    );
    ExitCode::FAILURE
}
