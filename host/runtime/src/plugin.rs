//! A loaded component, and the functions of the contract as methods.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use bytes::Bytes;
use cofferdam_model::{ComponentHash, Timestamp};
use tokio::sync::mpsc;

use crate::{
    Artifact, BackupFacts, Breach, CallError, Candidate, Description, Event, Expired, Fetched,
    Grants, Import, Limits, Mailer, Observer, Outcome, Page, Receipt, Refusal, Silent, Usage,
    bindings::{exported::retention, imported::types},
    call::{self, Answer, Give, Live},
    component::{Inspected, Roles},
    convert,
    mask::{Hide, Mask},
    proof,
    runtime::Shared,
    sink::{self, Target},
};

/// With what a function is called.
#[derive(Clone)]
pub struct Call {
    /// A JSON object that fits the schema.
    pub settings: serde_json::Value,
    /// What the component may touch.
    pub grants: Grants,
    /// What it may use.
    pub limits: Limits,
    /// Who hears of it while it runs.
    pub observer: Arc<dyn Observer>,
    /// The console's relay, if it has one. Used only if mail is granted.
    pub mailer: Option<Arc<dyn Mailer>>,
}

impl fmt::Debug for Call {
    /// Without the settings, which hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("grants", &self.grants)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A loaded plugin.
pub struct Plugin {
    shared: Arc<Shared>,
    inspected: Arc<Inspected>,
    description: Description,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("hash", &self.inspected.hash)
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}

fn no_role<T>(role: &'static str) -> Outcome<T> {
    Outcome { result: Err(Breach::Role(role).into()), usage: Usage::default() }
}

impl Plugin {
    /// Asks the component what it is, with nothing granted.
    pub(crate) async fn describe(
        shared: Arc<Shared>,
        inspected: Inspected,
    ) -> Result<Self, Refusal> {
        let call = Call {
            settings: serde_json::Value::Null,
            grants: Grants::default(),
            limits: shared.limits.clone(),
            observer: Arc::new(Silent),
            mailer: None,
        };
        let inspected = Arc::new(inspected);
        let give = Give::default();
        let outcome = call::run(&shared, &inspected, call, Mask::default(), give, |live| {
            Box::pin(async move {
                let guest = live.exports.plugin.load(&mut *live.store, live.instance)?;
                Ok(Ok(guest.call_describe(live.store).await?))
            })
        });
        match outcome.await.result {
            Ok(said) => Ok(Self { shared, inspected, description: Description::check(said)? }),
            Err(CallError::Host(why)) => Err(Refusal::Host(why)),
            Err(error) => Err(Refusal::Describe(error.to_string())),
        }
    }

    /// The SHA-256 of its file.
    #[must_use]
    pub fn hash(&self) -> &ComponentHash {
        &self.inspected.hash
    }

    /// What it asks of the console.
    #[must_use]
    pub fn imports(&self) -> &[Import] {
        &self.inspected.imports
    }

    /// What it can be used for.
    #[must_use]
    pub fn roles(&self) -> Roles {
        self.inspected.roles
    }

    /// What it says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    async fn run<T, F>(&self, call: Call, give: Give, work: F) -> Outcome<T>
    where
        T: Hide + Send + 'static,
        F: for<'a> FnOnce(Live<'a>) -> Answer<'a, T> + Send + 'static,
    {
        let mask = Mask::new(&self.description.settings_schema, &call.settings);
        call::run(&self.shared, &self.inspected, call, mask, give, work).await
    }

    /// Tries out the settings, and says what was found.
    pub async fn check(&self, call: Call) -> Outcome<String> {
        self.run(call, Give::default(), |live| {
            Box::pin(async move {
                let guest = live.exports.plugin.load(&mut *live.store, live.instance)?;
                Ok(sentence(guest.call_check(live.store, &live.settings).await?))
            })
        })
        .await
    }

    /// Stores a backup's file. Success means that the component has read all of
    /// it, or has compared it with a checksum of the whole, and says that all of
    /// it is stored.
    pub async fn store(
        &self,
        call: Call,
        backup: BackupFacts,
        artifact: Arc<dyn Artifact>,
    ) -> Outcome<Receipt> {
        let Some(storage) = self.inspected.exports.storage.clone() else {
            return no_role("storage");
        };
        let size = artifact.size();
        let give = Give { artifact: Some(artifact), sink: None };
        self.run(call, give, move |live| {
            Box::pin(async move {
                let guest = storage.load(&mut *live.store, live.instance)?;
                let backup = convert::backup(&backup);
                let said = guest.call_store(&mut *live.store, &live.settings, &backup).await?;
                let source = live.store.data().source.clone();
                let read = source.as_ref().map_or(0, |source| source.read());
                if let (Ok(_), Some(source)) = (&said, &source)
                    && let Err(error) = proof::complete(source).await
                {
                    return Ok(Err(error));
                }
                Ok(said.map_err(failed).and_then(|receipt| {
                    if receipt.bytes_stored != size {
                        let stored = receipt.bytes_stored;
                        return Err(Breach::Stored { stored, size }.into());
                    }
                    if read != size {
                        return Err(Breach::Unread { read, size }.into());
                    }
                    Ok(Receipt {
                        location: convert::location(receipt.location)?,
                        note: receipt.note.map(|note| convert::text(&note)),
                    })
                }))
            })
        })
        .await
    }

    /// Fetches a stored file, or `length` bytes of it from `offset` on, into the
    /// channel. The channel ends with the call, whether it went well or not: only
    /// the outcome says that all was written. A component that writes more than
    /// was asked for, or more than it has said that there is, is stopped.
    pub async fn open(
        &self,
        call: Call,
        location: String,
        offset: u64,
        length: Option<u64>,
        sink: mpsc::Sender<Bytes>,
    ) -> Outcome<Fetched> {
        let Some(storage) = self.inspected.exports.storage.clone() else {
            return no_role("storage");
        };
        let give = Give { artifact: None, sink: Some(Target::new(sink, offset, length)) };
        self.run(call, give, move |live| {
            Box::pin(async move {
                let guest = storage.load(&mut *live.store, live.instance)?;
                let said = guest
                    .call_open(&mut *live.store, &live.settings, &location, offset, length)
                    .await?;
                let target = live.store.data().target.as_ref();
                let begun = target.is_some_and(Target::has_begun);
                let total = target.and_then(|target| target.total);
                let bytes = target.map_or(0, |target| target.written.load(Relaxed));
                let wanted = sink::wanted(offset, length, total);
                Ok(said.map_err(failed).and_then(|()| match wanted {
                    _ if !begun => Err(Breach::Unopened.into()),
                    Some(wanted) if wanted != bytes => {
                        Err(Breach::Fetched { written: bytes, wanted }.into())
                    }
                    _ => Ok(Fetched { total, bytes }),
                }))
            })
        })
        .await
    }

    /// Removes a stored file. That it is gone already is a success.
    pub async fn remove(&self, call: Call, location: String) -> Outcome<()> {
        let Some(storage) = self.inspected.exports.storage.clone() else {
            return no_role("storage");
        };
        self.run(call, Give::default(), move |live| {
            Box::pin(async move {
                let guest = storage.load(&mut *live.store, live.instance)?;
                let said = guest.call_remove(live.store, &live.settings, &location).await?;
                Ok(said.map_err(failed))
            })
        })
        .await
    }

    /// Lists what is stored, from the beginning or from where the page before
    /// ended.
    pub async fn list(&self, call: Call, cursor: Option<String>) -> Outcome<Page> {
        let Some(storage) = self.inspected.exports.storage.clone() else {
            return no_role("storage");
        };
        self.run(call, Give::default(), move |live| {
            Box::pin(async move {
                let guest = storage.load(&mut *live.store, live.instance)?;
                let cursor = cursor.as_deref();
                let said = guest.call_list(live.store, &live.settings, cursor).await?;
                Ok(said.map_err(failed).and_then(|page| Ok(convert::page(page)?)))
            })
        })
        .await
    }

    /// Passes an event on, and says how.
    pub async fn notify(&self, call: Call, event: Event) -> Outcome<String> {
        let Some(notifier) = self.inspected.exports.notifier.clone() else {
            return no_role("notifier");
        };
        self.run(call, Give::default(), move |live| {
            Box::pin(async move {
                let guest = notifier.load(&mut *live.store, live.instance)?;
                let event = convert::event(&event);
                Ok(sentence(guest.call_notify(live.store, &live.settings, &event).await?))
            })
        })
        .await
    }

    /// Says which of the candidates, all of one database and newest first, may
    /// go. Nothing is removed, and none is named twice or out of nowhere.
    pub async fn select(
        &self,
        call: Call,
        now: Timestamp,
        candidates: Vec<Candidate>,
    ) -> Outcome<Vec<Expired>> {
        let Some(retention) = self.inspected.exports.retention.clone() else {
            return no_role("retention policy");
        };
        self.run(call, Give::default(), move |live| {
            Box::pin(async move {
                let guest = retention.load(&mut *live.store, live.instance)?;
                let given: Vec<_> = candidates.iter().map(convert::candidate).collect();
                let now = convert::time(now);
                let said = guest.call_select(live.store, &live.settings, &now, &given).await?;
                let mut known: BTreeSet<_> =
                    candidates.iter().map(|candidate| candidate.id.as_str()).collect();
                Ok(said.map_err(failed).and_then(|expired| {
                    let one = |expired: retention::Expired| {
                        if !known.remove(expired.id.as_str()) {
                            let rule = "an expired backup is one of the candidates, and named once";
                            return Err(Breach::Answer(rule.to_owned()).into());
                        }
                        Ok(Expired { id: expired.id, reason: convert::text(&expired.reason) })
                    };
                    expired.into_iter().map(one).collect()
                }))
            })
        })
        .await
    }
}

fn failed(failure: types::Failure) -> CallError {
    convert::failure(failure).into()
}

fn sentence(said: Result<String, types::Failure>) -> Result<String, CallError> {
    said.map(|text| convert::text(&text)).map_err(failed)
}
