//! From a file's bytes to a component that fits the contract.

use bytes::Bytes;
use cofferdam_model::ComponentHash;
use sha2::{Digest as _, Sha256};
use wasmtime::{Engine, component::Component};

use crate::{
    Refusal,
    bindings::exported::{notifier, plugin, retention, storage},
    component::{Exports, Inspected, Roles},
    imports,
    limits::{MEMORIES, TABLES},
    runtime::Shared,
    version,
};

/// A component in Python has some 20 MB.
pub(crate) const LARGEST: u64 = 64 << 20;

const PLUGIN: &str = "cofferdam:plugin/plugin@0.1.0";
const STORAGE: &str = "cofferdam:plugin/storage@0.1.0";
const NOTIFIER: &str = "cofferdam:plugin/notifier@0.1.0";
const RETENTION: &str = "cofferdam:plugin/retention@0.1.0";

/// Looks at the first bytes: only components are given to the compiler.
fn look(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.len() as u64 > LARGEST {
        return Err(Refusal::TooLarge { bytes: bytes.len() as u64, limit: LARGEST });
    }
    // Compiled code is an ELF file, whoever made it.
    if bytes.starts_with(b"\x7fELF") || Engine::detect_precompiled(bytes).is_some() {
        return Err(Refusal::Native);
    }
    match bytes {
        [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(Refusal::CoreModule),
        _ => Err(Refusal::NotWasm),
    }
}

/// Compiles the component, or finds it compiled, and looks at its two sides.
pub(crate) async fn inspect(shared: &Shared, bytes: Bytes) -> Result<Inspected, Refusal> {
    look(&bytes)?;
    // A large one takes a tenth of a second.
    let hashed = bytes.clone();
    let hash = tokio::task::spawn_blocking(move || Sha256::digest(&hashed)).await;
    let hash = hash.map_err(|error| Refusal::Host(error.to_string()))?;
    let hash = ComponentHash::from_bytes(&hash.into());
    let component = compiled(shared, &hash, &bytes).await?;
    let engine = &shared.engine;
    let imports = imports::of(engine, &component)?;
    within_bounds(&component)?;

    let kind = component.component_type();
    let exported: Vec<String> = kind.exports(engine).map(|(name, _)| name.to_owned()).collect();
    let has = |name: &str| exported.iter().any(|exported| version::is_same(exported, name));
    if !has(PLUGIN) {
        return Err(Refusal::NotAPlugin(PLUGIN));
    }
    let shape = |error: wasmtime::Error| {
        Refusal::Shape(crate::text::clean(&format!("{error:#}"), 500, false))
    };
    let ready = shared.linker.instantiate_pre(&component).map_err(shape)?;
    let exports = Exports {
        plugin: plugin::GuestIndices::new(&ready).map_err(shape)?,
        storage: has(STORAGE)
            .then(|| storage::GuestIndices::new(&ready))
            .transpose()
            .map_err(shape)?,
        notifier: has(NOTIFIER)
            .then(|| notifier::GuestIndices::new(&ready))
            .transpose()
            .map_err(shape)?,
        retention: has(RETENTION)
            .then(|| retention::GuestIndices::new(&ready))
            .transpose()
            .map_err(shape)?,
    };
    let roles = Roles {
        storage: exports.storage.is_some(),
        notifier: exports.notifier.is_some(),
        retention: exports.retention.is_some(),
    };
    if roles == Roles::default() {
        return Err(Refusal::NoRole);
    }
    Ok(Inspected { hash, imports, roles, ready, exports })
}

/// More memories or tables than a component may have would show only as a
/// failure of every call.
fn within_bounds(component: &Component) -> Result<(), Refusal> {
    // Not known for one that imports core modules, which is refused by then.
    let Some(needs) = component.resources_required() else { return Ok(()) };
    for (what, count, limit) in
        [("memories", needs.num_memories, MEMORIES), ("tables", needs.num_tables, TABLES)]
    {
        if usize::try_from(count).is_ok_and(|count| count > limit) {
            return Err(Refusal::TooMany { what, count, limit });
        }
    }
    Ok(())
}

async fn compiled(
    shared: &Shared,
    hash: &ComponentHash,
    bytes: &Bytes,
) -> Result<Component, Refusal> {
    // Some milliseconds of reading and mapping: not worth a thread.
    if let Some(component) = shared.cache.get(&shared.engine, hash.as_str()) {
        return Ok(component);
    }
    let host = |why: String| Refusal::Host(format!("the compiled component cannot be kept: {why}"));
    let draft = shared.cache.draft().map_err(|error| host(error.to_string()))?;
    let output = draft.reopen().map_err(|error| host(error.to_string()))?;
    {
        let _one = shared.compiling.acquire().await.map_err(|error| host(error.to_string()))?;
        shared.compiler.compile(bytes, output).await?;
    }
    shared.cache.put(hash.as_str(), draft).map_err(|error| host(error.to_string()))?;
    let loaded = shared.cache.get(&shared.engine, hash.as_str());
    loaded.ok_or_else(|| host("it cannot be loaded again".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_file_has_its_own_refusal() {
        assert_eq!(look(b""), Err(Refusal::NotWasm));
        assert_eq!(look(b"#!/bin/sh\n"), Err(Refusal::NotWasm));
        assert_eq!(look(b"\0asm\x01\0\0\0"), Err(Refusal::CoreModule));
        assert_eq!(look(b"\x7fELF\x02\x01\x01"), Err(Refusal::Native));
        assert_eq!(look(b"\0asm\x0d\0\x01\0"), Ok(()));
    }
}
