//! What the console does in its hidden subcommand, as a program of its own for
//! this crate's tests and measurements.

use std::process::ExitCode;

fn main() -> ExitCode {
    cofferdam_runtime::compile_child()
}
