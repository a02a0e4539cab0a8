//! What a destination lists of what it keeps.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    app::App,
    service::{Hearing, destinations, plugins::Ready},
};

/// A listing with more pages than this, of 1,000 files each, is none.
const PAGES_MAX: usize = 500;

/// The sizes of all that is stored, by location; or why that is not known.
pub(super) async fn sizes(
    app: &App,
    ready: &Ready,
    settings: &Value,
) -> Result<HashMap<String, u64>, String> {
    let mut sizes = HashMap::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let call = destinations::brief_call(app, ready, settings.clone(), Hearing::new());
        let page = ready.plugin.list(call, cursor.clone()).await.result;
        let page = page.map_err(|error| error.to_string())?;
        sizes.extend(page.entries.into_iter().map(|it| (it.location, it.size)));
        if page.next.is_none() {
            return Ok(sizes);
        }
        if page.next == cursor {
            return Err("its pages do not end".to_owned());
        }
        cursor = page.next;
    }
    Err("its pages do not end".to_owned())
}
