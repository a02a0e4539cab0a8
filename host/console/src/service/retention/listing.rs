//! What a destination lists of what it keeps.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    app::App,
    service::{Hearing, destinations, plugins::Ready},
};

/// A listing with more pages than this, of 1,000 files each, is none.
const PAGES_MAX: usize = 500;
/// All pages together take no longer.
const LONGEST: Duration = Duration::from_mins(10);

/// What was found of the files that were looked for.
pub struct Listing {
    /// Their sizes, by location.
    pub sizes: HashMap<String, u64>,
    /// How many files there are in all.
    pub files: u64,
}

/// Looks for these locations among all that is stored; or says why that
/// cannot be told. Other files are only counted: there may be very many.
pub async fn find(
    app: &App,
    ready: &Ready,
    settings: &Value,
    wanted: &HashSet<&str>,
) -> Result<Listing, String> {
    let begun = Instant::now();
    let mut listing = Listing { sizes: HashMap::new(), files: 0 };
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let call = destinations::brief_call(app, ready, settings.clone(), Hearing::new());
        let page = ready.plugin.list(call, cursor.clone()).await.result;
        let page = page.map_err(|error| error.to_string())?;
        listing.files += page.entries.len() as u64;
        let found = page.entries.into_iter().filter(|it| wanted.contains(it.location.as_str()));
        listing.sizes.extend(found.map(|it| (it.location, it.size)));
        if page.next.is_none() {
            return Ok(listing);
        }
        if page.next == cursor {
            return Err("its pages do not end".to_owned());
        }
        if begun.elapsed() > LONGEST {
            return Err(format!("it was not through after {} minutes", LONGEST.as_secs() / 60));
        }
        cursor = page.next;
    }
    Err("its pages do not end".to_owned())
}
