//! Puts the bundled plugins, as `cargo xtask setup` has built them, into the program.

use std::{env, fmt::Write as _, fs, path::Path, process::ExitCode};

/// What every console carries.
const BUNDLED: &[&str] = &["chat", "email", "local-retention", "s3", "webhook"];

fn main() -> ExitCode {
    let (Some(here), Some(out)) = (env::var_os("CARGO_MANIFEST_DIR"), env::var_os("OUT_DIR"))
    else {
        println!("cargo::error=not run by Cargo");
        return ExitCode::FAILURE;
    };
    let out = Path::new(&out);
    // Cargo's folder, wherever a setting has moved it, is above this one.
    let usual = Path::new(&here).join("../../target/plugins");
    let above = out.ancestors().map(|folder| folder.join("plugins"));
    let folder = above.into_iter().find(|it| it.join("s3.wasm").exists()).unwrap_or(usual);
    let mut table = String::from(
        "/// Name of each file, and its bytes.\nstatic BUNDLED: &[(&str, &[u8])] = &[\n",
    );
    println!("cargo::rerun-if-changed=build.rs");
    for name in BUNDLED {
        let path = folder.join(format!("{name}.wasm"));
        println!("cargo::rerun-if-changed={}", path.display());
        let Ok(path) = path.canonicalize() else {
            // A console without them looks whole and is not: better none.
            println!(
                "cargo::error=the bundled plugin {name} is not built yet: run `cargo xtask setup --build`"
            );
            return ExitCode::FAILURE;
        };
        // Writing into a `String` does not fail.
        let _ =
            writeln!(table, "    (\"{name}.wasm\", include_bytes!({:?})),", path.to_string_lossy());
    }
    table.push_str("];\n");
    match fs::write(out.join("bundled.rs"), table) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error=the table of bundled plugins cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}
