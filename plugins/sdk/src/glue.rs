//! From the traits of authors to what the console calls.

use std::marker::PhantomData;

use crate::{
    Entry, Failure, Grant, Notifier, Plugin, Result, Retention, Storage,
    bindings::{notifier, plugin, retention, storage},
    log,
    plugin::{Backup, Candidate, Event, Receipt},
    settings, time,
};

use notifier::exports::cofferdam::plugin::notifier as notifies;
use plugin::exports::cofferdam::plugin::plugin as described;
use retention::exports::cofferdam::plugin::retention as keeps;
use storage::exports::cofferdam::plugin::storage as stores;

/// An author's type, as the console calls it.
#[derive(Debug)]
pub struct Exported<T>(PhantomData<T>);

impl<T: Plugin> described::Guest for Exported<T> {
    fn describe() -> described::Description {
        let told = T::describe();
        let grants = told.grants.iter().fold(described::Grants::empty(), |all, grant| {
            all | match grant {
                Grant::Network => described::Grants::NETWORK,
                Grant::Folder => described::Grants::FOLDER,
                Grant::Mail => described::Grants::MAIL,
            }
        });
        described::Description {
            id: told.id.to_owned(),
            name: told.name.to_owned(),
            version: told.version.to_owned(),
            summary: told.summary.to_owned(),
            author: told.author.to_owned(),
            homepage: told.homepage.map(str::to_owned),
            settings_schema: told.settings.to_string(),
            grants,
        }
    }

    fn check(text: String) -> Result<String> {
        T::check(settings::parse(&text)?)
    }
}

impl<T: Storage> stores::Guest for Exported<T> {
    fn store(text: String, backup: Backup) -> Result<Receipt> {
        T::store(settings::parse(&text)?, &backup)
    }

    fn open(text: String, location: String, offset: u64, length: Option<u64>) -> Result<()> {
        T::open(settings::parse(&text)?, &location, offset, length)
    }

    fn remove(text: String, location: String) -> Result<()> {
        T::remove(settings::parse(&text)?, &location)
    }

    fn list(text: String, cursor: Option<String>) -> Result<stores::Page> {
        let page = T::list(settings::parse(&text)?, cursor.as_deref())?;
        let (fit, odd): (Vec<_>, Vec<_>) = page.entries.into_iter().partition(Entry::is_fit);
        if !odd.is_empty() {
            log::warning(left_out(&odd));
        }
        let entries = fit.into_iter().map(|entry| stores::Entry {
            location: entry.location,
            filename: entry.filename,
            size: entry.size,
            stored_at: entry.stored_at.filter(|moment| time::parse(moment).is_ok()),
            sidecar: entry.sidecar,
        });
        Ok(stores::Page { entries: entries.collect(), next: page.next })
    }
}

/// What is told of entries that no listing may have.
fn left_out(odd: &[Entry]) -> String {
    let names: Vec<_> = odd.iter().take(3).map(|entry| format!("{:?}", entry.location)).collect();
    let more = if odd.len() > names.len() { " and others" } else { "" };
    format!("left out {}, whose names no backup has: {}{more}", odd.len(), names.join(", "))
}

impl<T: Notifier> notifies::Guest for Exported<T> {
    fn notify(text: String, event: Event) -> Result<String> {
        T::notify(settings::parse(&text)?, &event)
    }
}

impl<T: Retention> keeps::Guest for Exported<T> {
    fn select(
        text: String,
        now: String,
        candidates: Vec<keeps::Candidate>,
    ) -> Result<Vec<keeps::Expired>> {
        let read = |candidate: keeps::Candidate| {
            Ok(Candidate {
                created_at: time::parse(&candidate.created_at)?,
                id: candidate.id,
                database: candidate.database,
                size: candidate.size,
                verified: candidate.verified,
                pinned: candidate.pinned,
            })
        };
        let candidates: Vec<_> =
            candidates.into_iter().map(read).collect::<std::result::Result<_, Failure>>()?;
        let expired = T::select(settings::parse(&text)?, time::parse(&now)?, &candidates)?;
        let told = expired.into_iter().map(|one| keeps::Expired { id: one.id, reason: one.reason });
        Ok(told.collect())
    }
}

/// Exports a type that implements [`Storage`]: a place that keeps backups.
#[macro_export]
macro_rules! storage {
    ($type:ty) => {
        $crate::__export!($type: plugin storage);
    };
}

/// Exports a type that implements [`Notifier`].
#[macro_export]
macro_rules! notifier {
    ($type:ty) => {
        $crate::__export!($type: plugin notifier);
    };
}

/// Exports a type that implements [`Retention`]: a policy alone.
#[macro_export]
macro_rules! retention {
    ($type:ty) => {
        $crate::__export!($type: plugin retention);
    };
}

/// Exports a type that implements [`Storage`] and [`Retention`].
#[macro_export]
macro_rules! storage_with_retention {
    ($type:ty) => {
        $crate::__export!($type: plugin storage retention);
    };
}

/// Only for a component: elsewhere, as in unit tests, the names that are
/// exported could not be linked.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($type:ty: $($role:ident)+) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, missing_docs, unused_qualifications, clippy::pedantic)]
        const _: () = {
            type Component = $crate::Exported<$type>;
            $($crate::bindings::$role::export!(Component with_types_in $crate::bindings::$role);)+
        };
    };
}
