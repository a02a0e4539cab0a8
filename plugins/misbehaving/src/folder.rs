//! Ways out of the granted folder.

use std::fs;

use cofferdam_plugin::{
    Failure, Result,
    bindings::imports::wasi::filesystem::{
        preopens,
        types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags},
    },
    folder::Folder,
};

use crate::Settings;

pub(crate) fn act(mode: &str, settings: &Settings) -> Option<Result<String>> {
    Some(match mode {
        "escape" => escape(),
        "read" => read(&settings.path),
        "fill" => fill(settings.bytes),
        "folders" => Ok(preopens::get_directories()
            .into_iter()
            .map(|(_, name)| name)
            .collect::<Vec<_>>()
            .join(", ")),
        "environment" => Ok(std::env::vars()
            .chain([("arguments".into(), format!("{:?}", std::env::args()))])
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join(", ")),
        _ => return None,
    })
}

/// Paths that lead out of every folder, or, for the last, through a link that
/// is made first.
const OUTSIDE: [&str; 9] = [
    "..",
    "../",
    "../outside",
    "a/../../outside",
    "/etc/passwd",
    "/",
    "./../../../../etc/passwd",
    "//etc/passwd",
    ".cofferdam-link/passwd",
];

/// Tries them all, to read and to write. Success is that none worked.
fn escape() -> Result<String> {
    let mut folders = preopens::get_directories();
    if folders.is_empty() {
        return Err(Failure::denied("no folder has been granted"));
    }
    let folder = folders.swap_remove(0).0;
    let mut out = Vec::new();
    // Where the link cannot be made, the path through it just is not there.
    let _ = folder.symlink_at("/etc", ".cofferdam-link");
    let _ = folder.symlink_at("../../..", ".cofferdam-up");
    for path in OUTSIDE.into_iter().chain([".cofferdam-up/etc/passwd", ".cofferdam-up"]) {
        for (how, what, follow) in [
            (OpenFlags::empty(), DescriptorFlags::READ, PathFlags::SYMLINK_FOLLOW),
            (OpenFlags::empty(), DescriptorFlags::READ, PathFlags::empty()),
            (OpenFlags::CREATE, DescriptorFlags::WRITE, PathFlags::SYMLINK_FOLLOW),
            (OpenFlags::DIRECTORY, DescriptorFlags::READ, PathFlags::SYMLINK_FOLLOW),
        ] {
            if folder.open_at(follow, path, how, what).is_ok() {
                out.push(format!("opened {path} with {how:?} {what:?}"));
            }
        }
        if folder.stat_at(PathFlags::SYMLINK_FOLLOW, path).is_ok() {
            out.push(format!("looked at {path}"));
        }
        if folder.create_directory_at(&format!("{path}/made")).is_ok() {
            out.push(format!("made a folder below {path}"));
        }
        if fs::read(format!("/data/{path}")).is_ok() || fs::read_dir(path).is_ok() {
            out.push(format!("read {path} through the library"));
        }
    }
    out.extend(renamed_out(&folder));
    // Leaves nothing behind where the folder is looked at afterwards.
    let _ = folder.unlink_file_at(".cofferdam-link");
    let _ = folder.unlink_file_at(".cofferdam-up");
    if out.is_empty() {
        return Ok("nothing led out".to_owned());
    }
    Err(Failure::permanent(format!("led out: {}", out.join(", "))))
}

/// Files moved or linked to a place outside.
fn renamed_out(folder: &Descriptor) -> Vec<String> {
    let mut out = Vec::new();
    let name = ".cofferdam-file";
    let file = folder.open_at(PathFlags::empty(), name, OpenFlags::CREATE, DescriptorFlags::WRITE);
    if file.is_ok() {
        if folder.rename_at(name, folder, "../cofferdam-file").is_ok() {
            out.push("renamed a file to a place outside".to_owned());
        }
        if folder.link_at(PathFlags::empty(), name, folder, "../cofferdam-file").is_ok() {
            out.push("linked a file to a place outside".to_owned());
        }
        let _ = folder.unlink_file_at(name);
    }
    out
}

/// A path within the folder; a test may have put a link there.
fn read(path: &str) -> Result<String> {
    let library = fs::read(format!("/data/{path}"));
    let own = Folder::granted()?.read(path, 0).and_then(|input| input.read_up_to(1_000));
    match (library, own) {
        (Err(_), Err(failure)) => Err(failure),
        (Ok(bytes), _) | (_, Ok(bytes)) => {
            Ok(String::from_utf8_lossy(&bytes).chars().take(1_000).collect())
        }
    }
}

/// Writes until so much is written, or nothing more can be.
fn fill(bytes: u64) -> Result<String> {
    let folder = Folder::granted()?;
    let file = folder.create(".cofferdam-fill")?;
    let piece = vec![0_u8; 1 << 20];
    let mut written = 0;
    let mut result = Ok(());
    while written < bytes && result.is_ok() {
        result = file.output().write(&piece);
        written += piece.len() as u64;
    }
    let finished = file.finish();
    folder.remove(".cofferdam-fill")?;
    result?;
    finished.map(|size| format!("wrote {size} bytes"))
}
