//! A component that was looked at: its hash, its two sides, and what it is.

use cofferdam_model::ComponentHash;
use wasmtime::component::InstancePre;

use crate::{
    Import,
    bindings::exported::{notifier, plugin, retention, storage},
    state::State,
};

/// One of the things that a plugin can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A place that keeps backups.
    Storage,
    /// Something that tells people what happened.
    Notifier,
    /// A policy that says which backups have had their time.
    Retention,
}

/// What a component is, found from what it exports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Roles {
    /// See [`Role::Storage`].
    pub storage: bool,
    /// See [`Role::Notifier`].
    pub notifier: bool,
    /// See [`Role::Retention`].
    pub retention: bool,
}

impl Roles {
    /// Those that it has.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        let all = [
            (self.storage, Role::Storage),
            (self.notifier, Role::Notifier),
            (self.retention, Role::Retention),
        ];
        all.into_iter().filter_map(|(has, role)| has.then_some(role))
    }
}

/// A component that was looked at, ready to be made an instance of.
pub(crate) struct Inspected {
    pub(crate) hash: ComponentHash,
    pub(crate) imports: Vec<Import>,
    pub(crate) roles: Roles,
    pub(crate) ready: InstancePre<State>,
    pub(crate) exports: Exports,
}

/// Where its functions are.
pub(crate) struct Exports {
    pub(crate) plugin: plugin::GuestIndices,
    pub(crate) storage: Option<storage::GuestIndices>,
    pub(crate) notifier: Option<notifier::GuestIndices>,
    pub(crate) retention: Option<retention::GuestIndices>,
}
