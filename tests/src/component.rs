//! The components that `cargo xtask setup` has built.

use std::path::{Path, PathBuf};

/// The file of the component with this name.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn component(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let path = root.join("target/plugins").join(format!("{name}.wasm"));
    assert!(path.exists(), "{} is missing; `cargo xtask setup` builds it", path.display());
    path
}
