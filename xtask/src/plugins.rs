//! Building the components in `plugins/`, to `target/plugins/<name>.wasm`.
//!
//! Where the toolchain has the library for wasm32-wasip2 (`rustup target add
//! wasm32-wasip2`), it is used. Otherwise Debian's packages for WebAssembly
//! do: their compiler builds the library first, once, in about a minute.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    apt, binary, examples,
    report::{cargo, must, root, say, step},
    wit,
};

const TARGET: &str = "wasm32-wasip2";

/// Debian's compiler for WebAssembly, with what it needs to build the library.
const DEBIAN: [&str; 6] =
    ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld", "wasi-libc"];

/// Builds what has changed. When nothing has, it takes some milliseconds.
pub(crate) fn build() -> Result<()> {
    let target = binary::target_folder()?;
    let finished = target.join("plugins");
    let stamp = finished.join(".built");
    if is_fresh(&stamp)? {
        return Ok(());
    }
    wit::place()?;
    // Before anything is read, so that what changes meanwhile is built next time.
    let start = SystemTime::now();
    if !has_library()? {
        apt::install(&apt::missing(&DEBIAN)?)?;
    }
    let guests = target.join("guests");
    step("building the plugins", || {
        let mut build = cargo_build()?;
        build.args(["--release", "--workspace", "--lib", "--examples", "--target", TARGET]);
        build.args(["--locked", "--quiet", "--target-dir"]).arg(&guests);
        must(build.current_dir(root().join("plugins")))
    })?;
    fs::create_dir_all(&finished)?;
    let built = guests.join(TARGET).join("release");
    for (name, file) in components()? {
        place(&built.join(file), &finished.join(format!("{name}.wasm")))?;
    }
    fs::File::create(&stamp)?.set_modified(start).context("marking the plugins as new")
}

/// Builds those, and the examples in other languages that no console needs.
pub(crate) fn build_all() -> Result<()> {
    build()?;
    let target = binary::target_folder()?;
    examples::build(&target, &target.join("plugins"))
}

/// Cargo in the plugins' own workspace, for this machine: their logic is
/// tested here, too.
pub(crate) fn cargo_there() -> Command {
    let mut command = cargo();
    command.current_dir(root().join("plugins"));
    command
}

/// Whether nothing that the components are made of is younger than the mark.
fn is_fresh(stamp: &Path) -> Result<bool> {
    let Ok(built) = fs::metadata(stamp).and_then(|facts| facts.modified()) else {
        return Ok(false);
    };
    Ok(youngest(&root().join("plugins"))?.max(youngest(&root().join("wit"))?) < built)
}

/// When something in a folder was last changed; folders count, because files
/// may have been removed from them.
pub(crate) fn youngest(folder: &Path) -> Result<SystemTime> {
    let mut youngest = fs::metadata(folder)
        .and_then(|facts| facts.modified())
        .with_context(|| folder.display().to_string())?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let changed = match entry.file_type()?.is_dir() {
            true if entry.file_name() == "node_modules" => continue,
            // What people read is in no component.
            false if entry.path().extension().is_some_and(|it| it == "md") => continue,
            true => self::youngest(&entry.path())?,
            false => entry.metadata()?.modified()?,
        };
        youngest = youngest.max(changed);
    }
    Ok(youngest)
}

/// Whether the toolchain in use brings the library for the target.
fn has_library() -> Result<bool> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--print", "target-libdir", "--target", TARGET]).current_dir(root());
    let output = command.output().context("rustc cannot be started")?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let Ok(entries) = fs::read_dir(folder) else { return Ok(false) };
    let mut names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(output.status.success() && names.any(|name| name.starts_with("libstd-")))
}

/// Builds a plugin in a workspace of its own. All of these share a folder, which
/// is not that of our own: the two would take each other's parts for out of date.
pub(crate) fn build_one(folder: &Path) -> Result<()> {
    let shared = binary::target_folder()?.join("authors");
    let mut build = cargo_build()?;
    build.args(["--release", "--target", TARGET, "--quiet", "--target-dir"]).arg(&shared);
    must(build.current_dir(folder))?;
    say(format_args!("it is in {}", shared.join(TARGET).join("release").display()));
    Ok(())
}

/// `cargo build` of a toolchain that has the target.
fn cargo_build() -> Result<Command> {
    if !has_library()? {
        return Ok(debian_cargo());
    }
    let mut command = cargo();
    command.arg("build");
    Ok(command)
}

/// Debian's Cargo with Debian's compiler, which builds the library, too.
fn debian_cargo() -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = std::iter::once(PathBuf::from("/usr/bin")).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(first).unwrap_or(path);
    // The helper knows which variables of this program's own Cargo to leave out.
    let own = cargo();
    let mut command = Command::new("/usr/bin/cargo");
    for (name, value) in own.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "CARGO_ENCODED_RUSTFLAGS"] {
        command.env_remove(name);
    }
    command.env("PATH", path).env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    command.env("RUSTFLAGS", "-L native=/usr/lib/wasm32-wasi");
    command.args(["build", "-Zbuild-std=std,panic_abort"]);
    command
}

/// The components: the name of each, and its file below Cargo's folder. A
/// package whose library is one gives it its name; one may have further ones
/// as examples.
fn components() -> Result<Vec<(String, PathBuf)>> {
    let mut command = cargo_there();
    command.args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"]);
    let output = command.output().context("cargo metadata")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let mut components = Vec::new();
    for package in list(&document["packages"]) {
        for target in list(&package["targets"]) {
            if target["crate_types"][0] != "cdylib" {
                continue;
            }
            let is_example = target["kind"][0] == "example";
            let named = if is_example { &target["name"] } else { &package["name"] };
            let name = named.as_str().context("cargo names no target")?;
            let file = format!("{}.wasm", name.replace('-', "_"));
            let folder = Path::new(if is_example { "examples" } else { "" });
            components.push((name.to_owned(), folder.join(file)));
        }
    }
    Ok(components)
}

/// Copies a component under its name at once, and only if it is another one:
/// whatever embeds it or watches it has nothing to do otherwise.
pub(crate) fn place(from: &Path, to: &Path) -> Result<()> {
    let component = fs::read(from).with_context(|| from.display().to_string())?;
    if fs::read(to).is_ok_and(|old| old == component) {
        return Ok(());
    }
    let part = to.with_extension("part");
    fs::write(&part, &component)?;
    fs::rename(&part, to).with_context(|| to.display().to_string())?;
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    say(format_args!("{name}: {} KB", component.len().div_ceil(1_000)));
    Ok(())
}
