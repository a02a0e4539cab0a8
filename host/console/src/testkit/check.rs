//! What every component does: describe itself, and try settings out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use cofferdam_model::Grants;
use cofferdam_runtime::{CallError, Failure, FieldError, Runtime};
use serde_json::Value;

use super::{
    report::{Finding, Source, broken, not_applicable},
    schema, settings,
    stand::{Stand, told},
    storage,
};

/// Longer, and the page of plugins would wait for it.
const DESCRIBE: Duration = Duration::from_secs(1);
/// More bad settings than these are not told of.
const SHOWN: usize = 3;

/// Loads it again, from the cache this time, which asks it again.
pub async fn describe(runtime: &Runtime, component: Bytes, stand: &Stand) -> Finding {
    let begun = Instant::now();
    let again = match runtime.load(component).await {
        Ok(again) => again,
        Err(refusal) => return broken(format!("the second time: {refusal}")),
    };
    let took = begun.elapsed();
    if again.description() != stand.plugin.description() {
        return broken("the second description is another one");
    }
    if took > DESCRIBE {
        return broken(format!("it took {:.1} s", took.as_secs_f64()));
    }
    Ok(format!("the same twice, in {} ms", took.as_millis()))
}

/// Calls `check` with settings that do not fit, and nothing granted.
pub async fn bad_settings(stand: &Stand) -> Finding {
    let mut cases = settings::bad(stand.schema(), &stand.base);
    let given = stand.bad.iter().enumerate();
    cases.extend(
        given.map(|(place, it)| (format!("number {} of the given ones", place + 1), it.clone())),
    );
    if cases.is_empty() {
        return not_applicable("the schema has no setting that could be wrong");
    }
    let mut wrong = Vec::new();
    for (what, settings) in &cases {
        let mut call = stand.call(settings);
        call.grants = Grants::default();
        let fault = match stand.check(call).await {
            Err(CallError::Failure(Failure::InvalidConfig(fields))) => misplaced(stand, &fields),
            Ok(said) => Some(format!("it answered: {said}")),
            Err(error) => Some(told(&error)),
        };
        wrong.extend(fault.map(|fault| format!("{what}: {fault}")));
    }
    match wrong.len() {
        0 => Ok(format!("{} of them were refused", cases.len())),
        count => {
            wrong.truncate(SHOWN);
            broken(format!("{count} of {} were not refused so: {}", cases.len(), wrong.join("; ")))
        }
    }
}

/// What is wrong with the places of the errors, if anything is.
fn misplaced(stand: &Stand, fields: &[FieldError]) -> Option<String> {
    if fields.is_empty() {
        return Some("it answered invalid-config without a setting".to_owned());
    }
    if fields.iter().any(|it| it.message.trim().is_empty()) {
        return Some("it does not say what is wrong".to_owned());
    }
    let lost = fields.iter().find(|it| !schema::has(stand.schema(), &it.field))?;
    Some(format!("{:?} is not the JSON pointer of a setting", lost.field))
}

/// Calls `check` twice with good settings, and looks what was left behind.
pub async fn good_settings(stand: &mut Stand) -> Finding {
    let settings = stand.good()?.clone();
    let before = seen(stand, &settings).await;
    for _ in 0..2 {
        match stand.check(stand.call(&settings)).await {
            Ok(said) if said.is_empty() => return broken("it says nothing about what it found"),
            Ok(_) => {}
            Err(CallError::Failure(Failure::InvalidConfig(fields)))
                if stand.source == Source::Made =>
            {
                stand.source = Source::None;
                let why = Failure::InvalidConfig(fields);
                return not_applicable(format!(
                    "no settings were given, and made up ones do not do: {why}"
                ));
            }
            Err(error) => {
                let denied = stand.heard.take_denied().into_iter().next();
                let denied = denied.map_or_else(String::new, |it| format!(" ({it})"));
                return broken(format!("{}{denied}", told(&error)));
            }
        }
    }
    match seen(stand, &settings).await.difference(&before).next() {
        Some(left) => broken(format!("it left {left} behind")),
        None => Ok("they work, and nothing was left behind".to_owned()),
    }
}

/// What is there, as far as it can be seen: in the granted folder, and in the
/// component's own list.
async fn seen(stand: &Stand, settings: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let Some(folder) = &stand.grants.folder {
        found.extend(files(folder).into_iter().map(|it| it.display().to_string()));
    }
    if stand.plugin.roles().storage
        && let Ok(Some(entries)) = storage::list_all(stand, settings).await
    {
        found.extend(entries.into_iter().map(|it| it.location));
    }
    found
}

/// Everything below a folder that is no folder itself. What cannot be read
/// is not seen.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found
}
