//! The clauses of places that keep backups.

use std::{path::Path, time::Duration};

use actix_web::web::Bytes;
use cofferdam_model::size as told_size;
use cofferdam_runtime::{
    BackupFacts, CallError, Entry, Failure, Fetched, LimitBroken, Limits, Usage,
};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    book::Book,
    check::files,
    content::{Content, Flaw},
    facts,
    report::{Fault, Finding, broken, not_applicable},
    rules::{self, Rule},
    stand::{Stand, told},
};

/// The file that is stored first: more than one block of most protocols.
const SMALL: u64 = 300_000;
/// The file that is broken off half-way: more than is read ahead.
pub(super) const BROKEN_OFF: u64 = 6 << 20;
/// Longer than it takes to send the first half.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longer than the patience.
const STALL: Duration = Duration::from_secs(2);
/// A listing with more pages has no end.
const PAGES: usize = 10_000;

const RULES: [&Rule; 11] = [
    &rules::STORE,
    &rules::OPEN,
    &rules::RANGE,
    &rules::LIST,
    &rules::AGAIN,
    &rules::LARGE,
    &rules::SHORT,
    &rules::STOPPED,
    &rules::BOUNDED,
    &rules::REMOVE,
    &rules::GONE,
];

/// A stored file.
pub(super) struct Stored<'a> {
    pub(super) stand: &'a Stand,
    pub(super) settings: &'a Value,
    facts: BackupFacts,
    content: Content,
    location: String,
}

/// Tries all clauses about storing.
pub async fn judge(stand: &Stand, book: &mut Book<'_>) {
    let settings = match stand.good() {
        Ok(settings) => settings,
        Err(fault) => return book.skip(&RULES, &fault),
    };
    let content = Content::new(1, SMALL);
    let facts = facts::backup(&content);
    let location = match stand.store(stand.moving(settings), &facts, content).await.0 {
        Ok(receipt) => receipt.location,
        Err(error) => {
            book.add(&rules::STORE, broken(told(&error)));
            let fault = Fault::NotApplicable("nothing could be stored".to_owned());
            return book.skip(&RULES[1..], &fault);
        }
    };
    book.add(&rules::STORE, Ok(format!("{} at {location}", told_size(SMALL))));
    let stored = Stored { stand, settings, facts, content, location };
    book.add(&rules::OPEN, stored.open().await);
    book.add(&rules::RANGE, stored.range().await);
    book.add(&rules::LIST, stored.list().await);
    book.add(&rules::AGAIN, stored.again().await);
    book.add(&rules::LARGE, large(stand, settings).await);
    book.add(&rules::SHORT, stored.short().await);
    book.add(&rules::STOPPED, stored.stopped().await);
    book.add(&rules::BOUNDED, stored.bounded().await);
    book.add(&rules::REMOVE, stored.remove().await);
    book.add(&rules::GONE, stored.gone().await);
}

impl Stored<'_> {
    async fn open(&self) -> Finding {
        self.fetched(0, None).await?;
        Ok(format!("all of its {}", told_size(SMALL)))
    }

    async fn range(&self) -> Finding {
        let parts =
            [(0, Some(1)), (1_000, Some(70_000)), (SMALL - 10, None), (SMALL / 2, Some(SMALL / 2))];
        for (offset, length) in parts {
            self.fetched(offset, length).await?;
        }
        Ok(format!("{} parts", parts.len()))
    }

    /// Fetches a part, and compares it with what was stored.
    async fn fetched(&self, offset: u64, length: Option<u64>) -> Result<(), Fault> {
        let asked = match length {
            Some(length) => format!("{length} bytes from {offset} on"),
            None => format!("everything from {offset} on"),
        };
        let (result, seen) =
            fetch(self.stand, self.settings, &self.location, (offset, length), self.content).await;
        match result {
            Err(error) => broken(format!("{asked}: {}", told(&error))),
            Ok(_) if seen.count != length.unwrap_or(SMALL - offset) => {
                broken(format!("{asked}: it gave {} bytes", seen.count))
            }
            Ok(_) if seen.differs.is_some() => {
                let place = seen.differs.unwrap_or_default();
                broken(format!("{asked}: the byte at {place} is another one"))
            }
            Ok(Fetched { total: Some(total), .. }) if total != SMALL => {
                broken(format!("{asked}: it says that the file has {total} bytes"))
            }
            Ok(_) => Ok(()),
        }
    }

    async fn list(&self) -> Finding {
        let entries = listed(self.stand, self.settings, &self.facts.filename).await?;
        match entries.as_slice() {
            [] => broken("the stored file is not in it"),
            [one] if one.location != self.location => {
                broken(format!("it says {} where the receipt says {}", one.location, self.location))
            }
            [one] if one.size != SMALL => broken(format!("it says {} bytes", one.size)),
            [_] => Ok("the file is there once, with its location and size".to_owned()),
            more => broken(format!("the file is there {} times", more.len())),
        }
    }

    async fn again(&self) -> Finding {
        let call = self.stand.moving(self.settings);
        match self.stand.store(call, &self.facts, self.content).await.0 {
            Err(error) => return broken(told(&error)),
            Ok(receipt) if receipt.location != self.location => {
                return broken(format!("it is at {} now, too", receipt.location));
            }
            Ok(_) => {}
        }
        self.fetched(0, None).await?;
        match listed(self.stand, self.settings, &self.facts.filename).await {
            Ok(entries) if entries.len() != 1 => {
                broken(format!("the file is listed {} times", entries.len()))
            }
            Err(Fault::Broken(why)) => broken(why),
            _ => Ok("it is still there once, and whole".to_owned()),
        }
    }

    async fn short(&self) -> Finding {
        let content = Content::new(3, BROKEN_OFF).with(Flaw::Ends);
        let facts = facts::backup(&content);
        let result = self.stand.store(self.stand.moving(self.settings), &facts, content).await.0;
        if let Ok(receipt) = result {
            return broken(format!("it says that half a file is stored at {}", receipt.location));
        }
        self.nothing_left(&facts).await?;
        // Its sidecar may have gone first, and nobody will try this file again.
        let _ = self.stand.remove(self.settings, &self.place_of(&facts)).await;
        Ok("it failed, and nothing is taken for the file".to_owned())
    }

    async fn stopped(&self) -> Finding {
        let content = Content::new(4, BROKEN_OFF);
        let facts = facts::backup(&content);
        let mut call = self.stand.moving(self.settings);
        call.limits = Limits { idle: PATIENCE, ..Limits::default() };
        let stalls = content.with(Flaw::Stalls(STALL));
        match self.stand.store(call, &facts, stalls).await.0 {
            Err(CallError::Limit(LimitBroken::Idle(_))) => {}
            Err(error) => return broken(told(&error)),
            Ok(_) => return broken("it says that a file is stored that could not be read"),
        }
        self.nothing_left(&facts).await?;
        let again = self.stand.store(self.stand.moving(self.settings), &facts, content).await.0;
        match again {
            Err(error) => broken(format!("the next attempt: {}", told(&error))),
            Ok(receipt) => match self.stand.remove(self.settings, &receipt.location).await {
                Ok(()) => Ok("stopped half-way; the next attempt succeeded".to_owned()),
                Err(error) => broken(told(&error)),
            },
        }
    }

    /// After an attempt that has failed: neither the list nor the place where
    /// the file would be has anything that looks like it.
    pub(super) async fn nothing_left(&self, facts: &BackupFacts) -> Result<(), Fault> {
        match listed(self.stand, self.settings, &facts.filename).await {
            Ok(entries) => {
                if let Some(entry) = entries.first() {
                    let bytes = entry.size;
                    return broken(format!("what is left, {bytes} bytes, is in the list"));
                }
            }
            Err(Fault::Broken(why)) => return broken(why),
            Err(Fault::NotApplicable(_)) => {}
        }
        let place = self.place_of(facts);
        if place == self.location {
            return Ok(());
        }
        let content = Content::new(0, 0);
        match fetch(self.stand, self.settings, &place, (0, None), content).await {
            (Ok(_), seen) => broken(format!("what is left, {} bytes, can be fetched", seen.count)),
            (Err(_), _) => Ok(()),
        }
    }

    /// Where another file would be, as far as that can be told from where this one is.
    fn place_of(&self, other: &BackupFacts) -> String {
        self.location.replace(&self.facts.filename, &other.filename)
    }

    async fn remove(&self) -> Finding {
        for time in ["", "the second time: "] {
            if let Err(error) = self.stand.remove(self.settings, &self.location).await {
                return broken(format!("{time}{}", told(&error)));
            }
        }
        if let Ok(entries) = listed(self.stand, self.settings, &self.facts.filename).await
            && !entries.is_empty()
        {
            return broken("the file is still listed");
        }
        if let Some(left) = self.stand.grants.folder.as_deref().and_then(|it| self.left_in(it)) {
            return broken(format!("{left} is still there"));
        }
        Ok("it is gone; removed again, it still is".to_owned())
    }

    /// Something of the file in the granted folder: the file or its sidecar.
    fn left_in(&self, folder: &Path) -> Option<String> {
        let names = files(folder).into_iter().map(|it| it.display().to_string());
        names.into_iter().find(|name| name.contains(&self.facts.filename))
    }

    async fn gone(&self) -> Finding {
        let (result, _) =
            fetch(self.stand, self.settings, &self.location, (0, None), self.content).await;
        match result {
            Err(CallError::Failure(Failure::NotFound(why))) => Ok(why),
            Err(error) => broken(told(&error)),
            Ok(_) => broken("what was removed can still be fetched"),
        }
    }
}

/// Stores a large file, fetches its end, and removes it.
async fn large(stand: &Stand, settings: &Value) -> Finding {
    let size = stand.size;
    let content = Content::new(2, size);
    let facts = facts::backup(&content);
    let (result, usage) = stand.store(stand.moving(settings), &facts, content).await;
    let location = match result {
        Ok(receipt) => receipt.location,
        Err(error) => return broken(format!("{}; {}", told(&error), cost(size, usage))),
    };
    let from = size - size.min(100_000);
    let (end, seen) = fetch(stand, settings, &location, (from, None), content).await;
    let removed = stand.remove(settings, &location).await;
    match (end, removed) {
        (Err(error), _) => broken(format!("fetching its end: {}", told(&error))),
        (Ok(_), _) if seen.differs.is_some() || seen.count != size - from => {
            broken("its end is another one than was stored")
        }
        (_, Err(error)) => broken(format!("removing it: {}", told(&error))),
        _ => Ok(cost(size, usage)),
    }
}

fn cost(size: u64, usage: Usage) -> String {
    let (seconds, computing) = (usage.wall.as_secs_f64(), usage.cpu.as_secs_f64());
    let millis = u64::try_from(usage.wall.as_millis()).unwrap_or(u64::MAX).max(1);
    let speed = told_size(size.saturating_mul(1_000) / millis);
    let (size, memory) = (told_size(size), told_size(usage.memory_bytes));
    format!(
        "{size} in {seconds:.1} s ({speed} per second), {computing:.1} s of computing, {memory} of memory"
    )
}

/// What came out of a fetch.
#[derive(Debug, Default)]
struct Seen {
    count: u64,
    /// The first byte that is not the stored one.
    differs: Option<u64>,
}

/// Fetches a part of a file, and compares it while it comes.
async fn fetch(
    stand: &Stand,
    settings: &Value,
    location: &str,
    (offset, length): (u64, Option<u64>),
    content: Content,
) -> (Result<Fetched, CallError>, Seen) {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(4);
    let compare = async move {
        let (mut seen, mut wanted) = (Seen::default(), Vec::new());
        while let Some(bytes) = receiver.recv().await {
            wanted.resize(bytes.len(), 0);
            content.fill(offset + seen.count, &mut wanted);
            if let Some(place) = (0..bytes.len()).find(|place| bytes[*place] != wanted[*place]) {
                seen.differs.get_or_insert(offset + seen.count + place as u64);
            }
            seen.count += bytes.len() as u64;
        }
        seen
    };
    let call = stand.moving(settings);
    tokio::join!(stand.open(call, location, offset, length, sender), compare)
}

/// The entries with this name.
async fn listed(stand: &Stand, settings: &Value, filename: &str) -> Result<Vec<Entry>, Fault> {
    match list_all(stand, settings).await {
        Ok(Some(mut entries)) => {
            entries.retain(|entry| entry.filename == filename);
            Ok(entries)
        }
        Ok(None) => not_applicable("the place has no list"),
        Err(why) => broken(why),
    }
}

/// Every entry; nothing where the place has no list. The error is a sentence.
pub async fn list_all(stand: &Stand, settings: &Value) -> Result<Option<Vec<Entry>>, String> {
    let (mut all, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES {
        match stand.list(settings, cursor.clone()).await {
            Ok(page) => {
                all.extend(page.entries);
                match page.next {
                    None => return Ok(Some(all)),
                    Some(next) if Some(&next) == cursor.as_ref() => {
                        return Err("its next page is the same one".to_owned());
                    }
                    next => cursor = next,
                }
            }
            Err(CallError::Failure(Failure::Permanent(_))) if cursor.is_none() => return Ok(None),
            Err(error) => return Err(format!("listing: {}", told(&error))),
        }
    }
    Err(format!("its list has more than {PAGES} pages"))
}
