//! The clauses of policies that say which backups have had their time.

use chrono::TimeDelta;
use cofferdam_runtime::{Candidate, Expired};
use serde_json::Value;

use super::{
    book::Book,
    facts::{candidates, moment},
    report::{Fault, Finding, broken},
    rules::{self, Rule},
    stand::{Stand, told},
};

const RULES: [&Rule; 3] = [&rules::NEWEST, &rules::SELECT, &rules::MANY];

/// A backup a day for almost three years, and many times that.
const USUAL: u32 = 1_000;
const MANY: u32 = 10_000;

/// Tries all clauses about keeping.
pub async fn judge(stand: &Stand, book: &mut Book<'_>) {
    let settings = match stand.good() {
        Ok(settings) => settings,
        Err(fault) => return book.skip(&RULES, &fault),
    };
    book.add(&rules::NEWEST, newest(stand, settings).await);
    book.add(&rules::SELECT, same(stand, settings).await);
    book.add(&rules::MANY, many(stand, settings).await);
}

/// Asks, and looks that neither the newest nor a pinned one is named. That only
/// given ones are named, and once each, the runtime itself looks after.
async fn ask(
    stand: &Stand,
    settings: &Value,
    given: Vec<Candidate>,
) -> Result<Vec<Expired>, Fault> {
    let expired = match stand.select(settings, given.clone()).await {
        Ok(expired) => expired,
        Err(error) => return broken(format!("{} backups: {}", given.len(), told(&error))),
    };
    for one in &expired {
        let place = given.iter().position(|it| it.id == one.id);
        if place == Some(0) {
            return broken(format!(
                "of {} backups it names the newest: {}",
                given.len(),
                one.reason
            ));
        }
        if place.is_some_and(|place| given[place].pinned) {
            return broken(format!("it names a pinned backup: {}", one.reason));
        }
        if one.reason.is_empty() {
            return broken("it names a backup without a reason");
        }
    }
    Ok(expired)
}

async fn newest(stand: &Stand, settings: &Value) -> Finding {
    let hour = moment() - TimeDelta::hours(1);
    let years = moment() - TimeDelta::days(4_000);
    let later = moment() + TimeDelta::days(400);
    let mut told = Vec::new();
    for (when, newest) in
        [("an hour ago", hour), ("eleven years ago", years), ("in a year, by a wrong clock", later)]
    {
        let expired = ask(stand, settings, candidates(USUAL, newest)).await?;
        told.push(format!("{} of {USUAL} go where the newest is from {when}", expired.len()));
    }
    Ok(told.join("; "))
}

async fn same(stand: &Stand, settings: &Value) -> Finding {
    let given = candidates(USUAL, moment() - TimeDelta::hours(1));
    let first = ask(stand, settings, given.clone()).await?;
    let second = ask(stand, settings, given.clone()).await?;
    if first != second {
        return broken("asked the same twice, it names others");
    }
    Ok(format!("{} of {USUAL}, the same twice", first.len()))
}

async fn many(stand: &Stand, settings: &Value) -> Finding {
    for count in [0, 1] {
        let given = candidates(count, moment() - TimeDelta::days(4_000));
        if !ask(stand, settings, given).await?.is_empty() {
            return broken(format!("of {count} backups it names one"));
        }
    }
    // Many in one instant, as after a wrong clock.
    let mut given = candidates(MANY, moment() - TimeDelta::hours(1));
    for candidate in &mut given[1..500] {
        candidate.created_at = moment() - TimeDelta::days(1);
    }
    let expired = ask(stand, settings, given).await?;
    Ok(format!("{} of {MANY} go", expired.len()))
}
