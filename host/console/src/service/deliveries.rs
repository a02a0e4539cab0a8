//! Deliveries: how they stand, trying one now, stopping one, and when a failed
//! one is tried again. They are carried out in `worker::deliver`.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use cofferdam_catalog::Cancelled;
use cofferdam_model::{
    Backup, BackupId, Delivery, DeliveryId, DeliveryStatus, Destination, LogLevel, LogLine,
    Purpose, Role, Timestamp,
};
use cofferdam_runtime::{Denied, Observer};

use super::{Actor, Error, Result, audit, retention};
use crate::{app::App, dto, hub::Change};

/// A failed delivery is tried again after these times, in minutes.
const DELAYS: [i64; 6] = [1, 5, 30, 120, 360, 720];
/// So many deliveries to a destination are listed.
const LISTED: u32 = 30;
/// However long the other side asks to wait.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// When a delivery that failed temporarily is tried again: after a delay that
/// grows with the tries, and not before the other side wants to be asked
/// again. `None` when all planned tries are over.
pub fn next_try(
    tries: u32,
    retry_after: Option<Duration>,
    keep_going: bool,
    now: Timestamp,
) -> Option<Timestamp> {
    let planned = usize::try_from(tries.max(1) - 1).ok().and_then(|it| DELAYS.get(it));
    let longest = DELAYS.last().filter(|_| keep_going);
    let delay = TimeDelta::minutes(*planned.or(longest)?);
    let asked = retry_after.and_then(|it| TimeDelta::from_std(it).ok()).unwrap_or_default();
    Some(now + delay.max(asked.min(LONGEST_WAIT)))
}

/// Whether the planned tries end with this one: whatever follows is an
/// exception, and somebody should know.
pub fn is_last_planned(tries: u32) -> bool {
    usize::try_from(tries) == Ok(DELAYS.len() + 1)
}

/// So many bytes of an attempt's log are kept, each line counted with what it
/// takes beside its text: hundreds of attempts a day stay in the catalog.
const LOG_MAX: usize = 64 << 10;
/// What a line takes beside its text: its moment and its level.
const LINE_TAKES: usize = 64;

/// Collects what a call tells while it runs.
#[derive(Default)]
pub struct Hearing {
    lines: Mutex<Lines>,
    sent: AtomicU64,
}

#[derive(Default)]
struct Lines {
    kept: Vec<LogLine>,
    bytes: usize,
    left_out: u64,
}

impl Hearing {
    /// One that has heard nothing yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The lines so far, taken out. Of a long log the first 64 KiB, and a line
    /// that says how many are not among them.
    pub fn take_lines(&self) -> Vec<LogLine> {
        let Lines { mut kept, left_out, .. } =
            std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        if left_out > 0 {
            let lines = if left_out == 1 { "line was" } else { "lines were" };
            let text = format!("{left_out} more {lines} left out: a log has room for 64 KiB");
            kept.push(LogLine { at: Utc::now(), level: LogLevel::Warning, text });
        }
        kept
    }

    /// Bytes of the file that have passed.
    pub fn sent_bytes(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn push(&self, level: LogLevel, text: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.bytes = lines.bytes.saturating_add(text.len() + LINE_TAKES);
        // Once one has no room, no later one has: a gap would not be seen.
        if lines.bytes > LOG_MAX {
            lines.left_out += 1;
        } else {
            lines.kept.push(LogLine { at: Utc::now(), level, text: text.to_owned() });
        }
    }
}

impl Observer for Hearing {
    fn log(&self, level: cofferdam_runtime::LogLevel, line: &str) {
        use cofferdam_runtime::LogLevel as Said;
        let level = match level {
            Said::Debug | Said::Info => LogLevel::Info,
            Said::Warning => LogLevel::Warning,
            Said::Error => LogLevel::Error,
        };
        self.push(level, line);
    }

    fn sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    fn denied(&self, what: &Denied) {
        self.push(LogLevel::Warning, &what.to_string());
    }
}

/// All deliveries of a backup, oldest first.
pub async fn of(app: &App, id: BackupId) -> Result<Vec<Delivery>> {
    Ok(of_all(app, &[id]).await?.remove(&id).unwrap_or_default())
}

/// All deliveries of these backups. What runs here shows how far it has come.
pub async fn of_all(app: &App, ids: &[BackupId]) -> Result<HashMap<BackupId, Vec<Delivery>>> {
    let mut of = app.catalog.deliveries_of(ids).await?;
    for delivery in of.values_mut().flatten() {
        if delivery.status == DeliveryStatus::Running {
            delivery.bytes = app.hub.delivered_bytes(delivery.id);
        }
    }
    Ok(of)
}

/// The newest deliveries to a destination.
pub async fn to(app: &App, destination: &Destination, limit: u32) -> Result<Vec<Delivery>> {
    Ok(app.catalog.deliveries_to(destination.id, limit).await?)
}

/// What may be left at a destination of deleted backups: the newest such
/// removals that failed, and copies that were never confirmed.
pub async fn left_behind(app: &App, destination: &Destination) -> Result<Vec<Delivery>> {
    Ok(app.catalog.left_behind(destination.id, LISTED).await?)
}

/// The deliveries to a destination, as the API shows them.
pub async fn list(app: &App, destination: &Destination) -> Result<dto::DeliveryList> {
    let shown = |list: Vec<Delivery>| list.iter().map(dto::Delivery::new).collect();
    Ok(dto::DeliveryList {
        deliveries: shown(to(app, destination, LISTED).await?),
        left_behind: shown(left_behind(app, destination).await?),
    })
}

/// A delivery by its identifier, whether or not its backup is still there.
pub async fn find(app: &App, id: &str) -> Result<Delivery> {
    let unknown = || Error::NotFound("delivery");
    let id: DeliveryId = id.parse().map_err(|_| unknown())?;
    let mut found = app.catalog.delivery(id).await?.ok_or_else(unknown)?;
    if found.status == DeliveryStatus::Running {
        found.bytes = app.hub.delivered_bytes(id);
    }
    Ok(found)
}

/// A delivery of this backup.
pub async fn find_of(app: &App, backup: &Backup, id: &str) -> Result<Delivery> {
    let found = find(app, id).await?;
    if found.backup == backup.id { Ok(found) } else { Err(Error::NotFound("delivery")) }
}

/// A delivery with its attempts and their logs.
pub async fn detail(app: &App, delivery: &Delivery) -> Result<dto::DeliveryDetail> {
    let attempts = app.catalog.attempts(delivery.id).await?;
    Ok(dto::DeliveryDetail {
        delivery: dto::Delivery::new(delivery),
        history: attempts.into_iter().map(dto::Attempt::new).collect(),
    })
}

/// Tries a delivery now, also one that was given up or cancelled. A removal
/// takes an administrator, as deleting a backup does; one that a policy has
/// asked for, and that is over, must be what it would ask for now.
pub async fn retry(app: &App, by: &Actor, delivery: &Delivery) -> Result<()> {
    if delivery.purpose == Purpose::Remove {
        administrators_only(app, by, &format!("retry of the removal {}", delivery.id)).await?;
        retention::must_still_go(app, delivery).await?;
    }
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    tx.retry_delivery(delivery.id, now).await?;
    audit::record(&mut tx, by, "delivery.retry", audit::Object::delivery(delivery), now).await?;
    tx.commit().await?;
    told(app, delivery);
    app.hub.work.notify_one();
    Ok(())
}

/// Stops a delivery that waits or runs. A removal takes an administrator, as
/// deleting a backup does: what is not removed stays where it is.
pub async fn cancel(app: &App, by: &Actor, delivery: &Delivery) -> Result<()> {
    if delivery.purpose == Purpose::Remove {
        administrators_only(app, by, &format!("cancel of the removal {}", delivery.id)).await?;
    }
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    let done = tx.cancel_delivery(delivery.id, now).await?;
    audit::record(&mut tx, by, "delivery.cancel", audit::Object::delivery(delivery), now).await?;
    tx.commit().await?;
    if done == Cancelled::Requested {
        app.hub.cancel_delivery(delivery.id);
    }
    told(app, delivery);
    Ok(())
}

async fn administrators_only(app: &App, by: &Actor, what: &str) -> Result<()> {
    if by.role >= Role::Administrator {
        return Ok(());
    }
    audit::denied(app, by, what).await;
    Err(Error::Forbidden)
}

/// Whoever looks at the backup or the destination looks again.
pub fn told(app: &App, delivery: &Delivery) {
    app.hub.tell(Change::Backup(delivery.backup));
    app.hub.tell(Change::Destinations);
}

/// A backup with its deliveries, as the API shows it.
pub async fn with_backup(app: &App, backup: &Backup) -> Result<dto::Backup> {
    Ok(dto::Backup::new(backup, &of(app, backup.id).await?, app.now()))
}

/// The same for a page of them.
pub async fn with_backups(app: &App, backups: &[Backup]) -> Result<Vec<dto::Backup>> {
    let ids: Vec<BackupId> = backups.iter().map(|it| it.id).collect();
    let of = of_all(app, &ids).await?;
    let now = app.now();
    let none = Vec::new();
    let each = backups.iter().map(|it| dto::Backup::new(it, of.get(&it.id).unwrap_or(&none), now));
    Ok(each.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_end_unless_the_destination_keeps_going() {
        let now = Utc::now();
        let minutes =
            |tries, keep| next_try(tries, None, keep, now).map(|it| (it - now).num_minutes());
        let planned: Vec<_> = (1..=7).map(|tries| minutes(tries, false)).collect();
        assert_eq!(planned, [Some(1), Some(5), Some(30), Some(120), Some(360), Some(720), None]);
        assert_eq!((minutes(7, true), minutes(500, true)), (Some(720), Some(720)));
        let told: Vec<u32> = (0..500).filter(|tries| is_last_planned(*tries)).collect();
        assert_eq!(told, [7]);
    }

    #[test]
    fn a_long_log_is_kept_up_to_a_size_and_says_how_much_is_left_out() {
        let hearing = Hearing::new();
        for number in 0..1_000 {
            hearing.push(LogLevel::Info, &format!("{number} {}", "x".repeat(1_000)));
        }
        hearing.push(LogLevel::Info, "short");
        let lines = hearing.take_lines();
        let kept: usize = lines.iter().map(|it| it.text.len()).sum();
        assert!((55_000..=LOG_MAX).contains(&kept), "{kept}");
        let last = lines.last().expect("a line");
        let left_out = 1_001 - (lines.len() - 1);
        assert!(last.text.starts_with(&format!("{left_out} more lines were left out")), "{last:?}");
        assert!(hearing.take_lines().is_empty());
    }

    #[test]
    fn what_the_other_side_asks_for_counts_within_a_day() {
        let now = Utc::now();
        let after = |asked| next_try(1, Some(Duration::from_secs(asked)), false, now);
        assert_eq!(after(10), Some(now + TimeDelta::minutes(1)));
        assert_eq!(after(600), Some(now + TimeDelta::minutes(10)));
        assert_eq!(after(10_000_000), Some(now + TimeDelta::hours(24)));
    }
}
