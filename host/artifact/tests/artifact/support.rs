//! What several tests need.

use std::{
    fs,
    io::Write,
    num::NonZeroUsize,
    path::Path,
    process::{Command, Stdio},
};

use cofferdam_artifact::{Copied, Encoding, Folder, Meter, copy};
use cofferdam_model::{
    BackupId, DatabaseId, Engine, Format, Level, SIDECAR_VERSION, Sidecar, SourceFacts, Timestamp,
    Trigger,
};
use tempfile::TempDir;

/// Gzip, level 3, two threads.
pub(crate) fn gzip() -> Encoding {
    Encoding::Gzip { level: Level::DEFAULT, workers: NonZeroUsize::new(2).unwrap() }
}

/// What the pipeline writes for `raw`.
pub(crate) fn packed_with(raw: &[u8], encoding: Encoding) -> (Vec<u8>, Copied) {
    let mut out = Vec::new();
    let copied = copy(raw, &mut out, encoding, false, &Meter::new()).unwrap();
    (out, copied)
}

pub(crate) fn packed(raw: &[u8]) -> Vec<u8> {
    packed_with(raw, gzip()).0
}

/// Bytes that do not repeat and cannot be compressed.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Lines that look like rows.
pub(crate) fn rows(length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 64);
    let mut row = 0_u64;
    while bytes.len() < length {
        row += 1;
        let price = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50;
        writeln!(bytes, "{row}\tcustomer {}\t{price}.{:02}\t\\N", row % 977, price % 100).unwrap();
    }
    bytes.truncate(length);
    bytes
}

/// What a program writes when it reads `input`; `None` when it fails.
pub(crate) fn through(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // The program may hang up before it has read everything.
        scope.spawn(move || stdin.write_all(input).is_ok());
        child.wait_with_output().unwrap()
    });
    output.status.success().then_some(output.stdout)
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn sidecar(id: BackupId, filename: &str) -> Sidecar {
    let now = at("2026-01-01T00:00:00Z");
    Sidecar {
        format_version: SIDECAR_VERSION,
        id,
        database_id: DatabaseId::new(),
        database: "shop".parse().unwrap(),
        engine: Engine::Postgres,
        filename: filename.to_owned(),
        format: Format::Plain,
        level: Level::DEFAULT,
        trigger: Trigger::Manual,
        description: String::new(),
        created_by: "admin".to_owned(),
        created_at: now,
        started_at: now,
        completed_at: now,
        size_bytes: 1,
        raw_bytes: 1,
        sha256: "0".repeat(64),
        tool_version: None,
        pinned: false,
        labels: Vec::new(),
        drop_section_end: None,
        tables: Vec::new(),
        source: SourceFacts::default(),
    }
}

/// A new folder of backups, and what removes it.
pub(crate) fn folder() -> (TempDir, Folder) {
    let place = tempfile::tempdir().unwrap();
    let (folder, _) = Folder::create(place.path()).unwrap();
    (place, folder)
}

/// Every name in the folder but the marker, sorted.
pub(crate) fn names(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).unwrap().map(|item| item.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name != ".cofferdam-folder");
    names.sort();
    names
}
