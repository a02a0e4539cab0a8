//! The one folder that a component may be granted.

use std::path::Path;

use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

/// Where the component sees it.
const NAME: &str = "/data";

/// Opens the folder for the component. Below it every path is walked from the
/// open folder, so that `..` and symbolic links do not lead out of it.
pub(crate) fn grant(wasi: &mut WasiCtxBuilder, folder: &Path) -> Result<(), String> {
    let shown = folder.display();
    if !folder.is_absolute() {
        return Err(format!("the granted folder {shown} is not an absolute path"));
    }
    match wasi.preopened_dir(folder, NAME, FsPerms::ReadWrite) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("the granted folder {shown} cannot be opened: {error:#}")),
    }
}
