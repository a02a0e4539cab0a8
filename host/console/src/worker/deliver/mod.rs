//! One attempt of a delivery, from its lease to its record.

mod event;
mod facts;
mod perform;
mod record;
mod removal;

use std::{sync::Arc, time::Duration};

use cofferdam_catalog::{AttemptEnd, Next};
use cofferdam_model::{AttemptOutcome, Delivery, Destination, Job, LogLine, Timestamp};
use serde_json::Value;
use tokio::{sync::watch, time};

use super::{RENEW, notes::renew};
use crate::{
    app::App,
    hub::{Delivering, Halt},
    service::{deliveries, destinations, plugins, retention},
};
use perform::{Trouble, perform};
pub use record::lease;
use record::{begin, block, record};

/// What waits for somebody is looked at again so often; approving a plugin, or
/// putting its file back, does not wait for that.
const BLOCKED: chrono::TimeDelta = chrono::TimeDelta::minutes(5);
/// Watching pages hear so often that bytes go out.
const TELL: Duration = Duration::from_millis(500);

/// Makes one attempt of a leased delivery and records how it ended.
/// It has its place in the hub from this call on, before it is first polled.
pub fn run_delivery(
    app: Arc<App>,
    job: Job,
    delivery: Delivery,
) -> impl Future<Output = ()> + Send {
    let place = Place { app: app.clone(), delivery: delivery.clone() };
    let delivering = app.hub.insert_delivery(delivery.id);
    deliveries::told(&app, &delivery);
    async move {
        match prepare(&app, &delivery).await {
            Ok(Ok(prepared)) => {
                if let Some(end) = attempt(&app, &job, &delivery, delivering, prepared).await {
                    record(&app, &job, &delivery, &end).await;
                }
            }
            Ok(Err(why)) => block(&app, &job, &delivery, &why).await,
            Err(error) => {
                tracing::error!(delivery = %delivery.id, "a delivery could not be prepared: {error:#}");
                block(&app, &job, &delivery, "the console could not prepare it").await;
            }
        }
        drop(place);
        // A console that stops does not wait for a list; the policy is asked at its start.
        tokio::select! {
            () = retention::after_delivery(&app, &delivery) => {}
            () = app.hub.closing() => {}
        }
    }
}

/// A delivery's place in the hub, given up however the attempt ends.
struct Place {
    app: Arc<App>,
    delivery: Delivery,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.hub.remove_delivery(self.delivery.id);
        deliveries::told(&self.app, &self.delivery);
        self.app.hub.work.notify_one();
    }
}

struct Prepared {
    destination: Destination,
    ready: plugins::Ready,
    settings: Value,
}

/// What an attempt needs before it is one; or the reason why there is nothing
/// to try now.
async fn prepare(app: &App, delivery: &Delivery) -> anyhow::Result<Result<Prepared, String>> {
    let Some(destination) = app.catalog.destination(delivery.destination).await? else {
        return Ok(Err("the destination was removed".to_owned()));
    };
    let ready = destinations::ready(app, &destination).await?;
    Ok(ready.map(|(ready, settings)| Prepared { destination, ready, settings }))
}

/// Makes the call while the lease is kept. `None` when the lease was lost, or
/// the console stops before anything was begun: then the outcome is not ours to record.
async fn attempt(
    app: &Arc<App>,
    job: &Job,
    delivery: &Delivery,
    delivering: Delivering,
    prepared: Prepared,
) -> Option<AttemptEnd> {
    let keep_going = prepared.destination.keep_going;
    let Delivering { hearing, halt } = delivering;
    let mut halted = halt.subscribe();
    if !begin(app, job, delivery, &halted).await {
        return None;
    }
    let mut pulse = time::interval_at(time::Instant::now() + RENEW, RENEW);
    let mut tell = time::interval_at(time::Instant::now() + TELL, TELL);
    let mut told = 0;
    let work = perform(app, delivery, prepared, hearing.clone());
    tokio::pin!(work);
    let result = loop {
        tokio::select! {
            result = &mut work => break Ok(result),
            why = stopped(&mut halted) => break Err(why),
            _ = tell.tick() => {
                let sent = hearing.sent_bytes();
                if sent != told {
                    told = sent;
                    deliveries::told(app, delivery);
                }
            }
            _ = pulse.tick() => match renew(app, job, None, RENEW).await {
                Ok(renewed) if renewed.cancel_requested => break Err(Halt::Cancelled),
                Ok(_) => {}
                Err(cofferdam_catalog::Error::LeaseLost) => {
                    tracing::warn!(delivery = %delivery.id, "the lease of a delivery was lost");
                    return None;
                }
                Err(error) => tracing::warn!(delivery = %delivery.id, "the lease could not be renewed yet: {error}"),
            },
        }
    };
    let (bytes, log) = (hearing.sent_bytes(), hearing.take_lines());
    Some(match result {
        Ok(Ok(done)) => AttemptEnd {
            outcome: AttemptOutcome::Completed,
            bytes,
            error: None,
            log,
            next: Next::Complete {
                location: done.location,
                bytes: done.bytes,
                note: done.note,
                stored_with: done.stored_with,
            },
        },
        Ok(Err(trouble)) => {
            let until = retention::deadline(app, delivery).await.ok().flatten();
            failed(app, delivery, (keep_going, until), trouble, bytes, log)
        }
        Err(Halt::Cancelled) => AttemptEnd {
            outcome: AttemptOutcome::Cancelled,
            bytes,
            error: Some("somebody stopped it".to_owned()),
            log,
            next: Next::Cancel,
        },
        Err(Halt::Interrupted) => AttemptEnd {
            outcome: AttemptOutcome::Interrupted,
            bytes,
            error: Some("the console was stopped while it ran".to_owned()),
            log,
            next: Next::Again(app.now()),
        },
    })
}

/// Ends when somebody wants it to.
async fn stopped(halted: &mut watch::Receiver<Option<Halt>>) -> Halt {
    let why = halted.wait_for(Option::is_some).await;
    // Without a sender nobody could ever stop it again.
    why.ok().and_then(|why| *why).unwrap_or(Halt::Interrupted)
}

fn failed(
    app: &App,
    delivery: &Delivery,
    (keep_going, until): (bool, Option<Timestamp>),
    trouble: Trouble,
    bytes: u64,
    log: Vec<LogLine>,
) -> AttemptEnd {
    let (error, passing, retry_after) = match trouble {
        Trouble::Call(error) => (error.to_string(), error.is_temporary(), error.retry_after()),
        Trouble::Host(error) => (error, true, None),
        Trouble::Over(error) => (error, false, None),
        Trouble::Moot(why) => {
            return AttemptEnd {
                outcome: AttemptOutcome::Cancelled,
                bytes,
                error: Some(why),
                log,
                next: Next::Cancel,
            };
        }
    };
    let tries = delivery.tries + 1;
    let again = if passing {
        let next = deliveries::next_try(tries, retry_after, keep_going, app.now());
        // Later than that it would only be called off, and nobody told of the failure.
        next.filter(|at| until.is_none_or(|until| *at <= until))
    } else {
        None
    };
    AttemptEnd {
        outcome: if passing { AttemptOutcome::Temporary } else { AttemptOutcome::Permanent },
        bytes,
        error: Some(error),
        log,
        next: match again {
            None => Next::Fail,
            Some(at) if deliveries::is_last_planned(tries) => Next::Endless(at),
            Some(at) => Next::Again(at),
        },
    }
}
