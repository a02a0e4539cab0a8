//! What automatic runs have held back, until somebody looks.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use cofferdam_model::{DatabaseId, DestinationId};

/// Why the last automatic run let nothing go, by destination and database. In
/// memory only: the console runs the policies at its start.
#[derive(Default)]
pub struct Holds(Mutex<BTreeMap<(DestinationId, DatabaseId), String>>);

impl Holds {
    /// Notes how a run went. Says whether that is news.
    pub(super) fn note(
        &self,
        destination: DestinationId,
        database: DatabaseId,
        why: Option<&str>,
    ) -> bool {
        let mut holds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match why {
            Some(why) => holds.insert((destination, database), why.to_owned()),
            None => holds.remove(&(destination, database)),
        };
        before.as_deref() != why
    }

    /// What is held back at a destination, if anything is: the first reason.
    pub fn of(&self, destination: DestinationId) -> Option<String> {
        let holds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        holds.iter().find(|((at, _), _)| *at == destination).map(|(_, why)| why.clone())
    }
}
