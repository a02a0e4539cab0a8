//! Putting deliveries into the queue, always inside the transaction that makes
//! their cause true.

use cofferdam_model::{
    BackupId, DatabaseId, Delivery, DeliveryId, DeliveryStatus, Destination, DestinationId,
    EventKind, JobId, Purpose, Timestamp,
};

use super::StoredCopy;
use crate::{
    Result, Tx,
    cells::{Cells, ms},
};

/// What a delivery waits for whose destination is switched off.
pub(crate) const SWITCHED_OFF: &str = "the destination is switched off";
/// Why a delivery is over whose destination is not there any more.
pub(crate) const REMOVED: &str = "the destination was removed";

/// Which backup a delivery is of, whether or not its record is still there.
#[derive(Clone)]
struct Subject {
    backup: BackupId,
    /// Nothing where that was not noted: by a version before this one.
    database: Option<DatabaseId>,
    slug: String,
}

/// A delivery to be queued.
struct New<'a> {
    of: &'a Subject,
    destination: DestinationId,
    purpose: Purpose,
    event: Option<EventKind>,
    about: Option<(DeliveryId, i64)>,
    location: Option<&'a str>,
    note: Option<&'a str>,
    /// Of a removal whose copy's own delivery is forgotten; else it is looked up.
    stored_with: Option<&'a str>,
}

impl Tx {
    /// A backup has just completed: its copies, and word of it.
    pub(crate) async fn queue_copies(&mut self, backup: BackupId, now: Timestamp) -> Result<()> {
        let Some(of) = self.subject(backup).await? else { return Ok(()) };
        let row = sqlx::query("SELECT destinations FROM backups WHERE id = $1")
            .bind(backup.to_string())
            .fetch_one(self.conn())
            .await?;
        let cells = Cells::new("backups", &row);
        let chosen: Option<Vec<DestinationId>> = match cells.opt_text("destinations")? {
            Some(_) => Some(cells.json("destinations")?),
            None => None,
        };
        let there = self.destinations().await?;
        let wanted: Vec<DestinationId> = if let Some(chosen) = chosen {
            // Also those that were removed meanwhile: whoever named them is told.
            let stores = |id: &DestinationId| {
                there.iter().find(|it| it.id == *id).is_none_or(|it| it.roles.storage)
            };
            chosen.into_iter().filter(stores).collect()
        } else {
            let usual = |it: &&Destination| it.roles.storage && it.enabled && of.concerns(it);
            there.iter().filter(usual).map(|it| it.id).collect()
        };
        for destination in wanted {
            self.queue(&New::plain(&of, destination, Purpose::Store), now).await?;
        }
        self.queue_words(&of, EventKind::BackupCompleted, None, now).await
    }

    /// Something happened to a backup: word of it to every notifier that wants
    /// to hear.
    pub(crate) async fn queue_word(
        &mut self,
        backup: BackupId,
        event: EventKind,
        now: Timestamp,
    ) -> Result<()> {
        match self.subject(backup).await? {
            Some(of) => self.queue_words(&of, event, None, now).await,
            None => Ok(()),
        }
    }

    /// A delivery fails, or waits for somebody: word of it, once for each
    /// attempt and once for the wait before it. That a notification does not
    /// arrive is not told by another one.
    pub(super) async fn tell_of(&mut self, id: DeliveryId, now: Timestamp) -> Result<()> {
        let row = sqlx::query(
            "SELECT backup_id, database_id, database_slug, attempts, status FROM deliveries \
             WHERE id = $1 AND purpose <> 'notify'",
        )
        .bind(id.to_string())
        .fetch_optional(self.conn())
        .await?;
        let Some(row) = row else { return Ok(()) };
        let cells = Cells::new("deliveries", &row);
        let of = Subject {
            backup: cells.parse("backup_id")?,
            database: cells.text("database_id")?.parse().ok(),
            slug: cells.text("database_slug")?,
        };
        let attempts = cells.int("attempts")?;
        let waits = cells.parse::<DeliveryStatus>("status")? == DeliveryStatus::Blocked;
        let about = (id, if waits { -1 - attempts } else { attempts });
        self.queue_words(&of, EventKind::DeliveryFailed, Some(about), now).await
    }

    async fn queue_words(
        &mut self,
        of: &Subject,
        event: EventKind,
        about: Option<(DeliveryId, i64)>,
        now: Timestamp,
    ) -> Result<()> {
        for destination in self.destinations().await? {
            let wanted = destination.roles.notifier
                && destination.enabled
                && of.concerns(&destination)
                && destination.events.contains(&event);
            if wanted {
                let plain = New::plain(of, destination.id, Purpose::Notify);
                self.queue(&New { event: Some(event), about, ..plain }, now).await?;
            }
        }
        Ok(())
    }

    /// A backup is being deleted: its copies go too, unless they are to stay.
    pub(crate) async fn queue_removals(
        &mut self,
        copies: &[Delivery],
        now: Timestamp,
    ) -> Result<()> {
        for copy in copies {
            if self.destination(copy.destination).await?.is_some()
                && let Some(of) = self.subject(copy.backup).await?
            {
                let plain = New::plain(&of, copy.destination, Purpose::Remove);
                let location = copy.location.as_deref();
                let stored_with = copy.stored_with.as_deref();
                self.queue(&New { location, stored_with, ..plain }, now).await?;
            }
        }
        Ok(())
    }

    /// A policy has named these copies at a destination: they go, each for its
    /// reason. One that is going already stays as it is; one whose removal
    /// failed is tried again.
    pub async fn expire_copies(
        &mut self,
        destination: DestinationId,
        copies: &[(StoredCopy, String)],
        now: Timestamp,
    ) -> Result<()> {
        for (copy, reason) in copies {
            let Some(of) = self.subject(copy.backup).await? else { continue };
            let plain = New::plain(&of, destination, Purpose::Remove);
            let (location, note) = (Some(copy.location.as_str()), Some(reason.as_str()));
            self.queue(&New { location, note, ..plain }, now).await?;
        }
        Ok(())
    }

    async fn subject(&mut self, backup: BackupId) -> Result<Option<Subject>> {
        let row = sqlx::query("SELECT database_id, database_slug FROM backups WHERE id = $1")
            .bind(backup.to_string())
            .fetch_optional(self.conn())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let cells = Cells::new("backups", &row);
        let (database, slug) = (cells.parse("database_id")?, cells.text("database_slug")?);
        Ok(Some(Subject { backup, database: Some(database), slug }))
    }

    /// One that is there already stays as it is, but for a removal that did not
    /// come to pass. What goes to a destination that is switched off waits for
    /// it; what would go to one that was removed is over at once.
    async fn queue(&mut self, new: &New<'_>, now: Timestamp) -> Result<()> {
        let row = sqlx::query(
            "INSERT INTO deliveries (id, backup_id, destination_id, purpose, event, about, status, \
             error, completed_at, attempts, tries, location, note, created_at, about_attempt, \
             database_id, database_slug, stored_with) \
             SELECT $1, $2, d.id, $4, $5, $6, \
             CASE WHEN d.removed_at IS NOT NULL THEN 'cancelled' \
             WHEN d.enabled = 1 THEN 'pending' ELSE 'blocked' END, \
             CASE WHEN d.removed_at IS NOT NULL THEN $14 WHEN d.enabled = 1 THEN NULL ELSE $10 END, \
             CASE WHEN d.removed_at IS NOT NULL THEN $8 ELSE NULL END, 0, 0, $7, $9, $8, \
             $11, $12, $13, \
             coalesce($15, CASE $4 WHEN 'remove' THEN (SELECT s.stored_with FROM deliveries s \
              WHERE s.backup_id = $2 AND s.destination_id = d.id AND s.purpose = 'store') END) \
             FROM destinations d WHERE d.id = $3 \
             ON CONFLICT (backup_id, destination_id, purpose, event, about, about_attempt) DO UPDATE \
             SET status = excluded.status, error = excluded.error, note = excluded.note, tries = 0, \
             completed_at = excluded.completed_at, blocked_at = NULL \
             WHERE deliveries.purpose = 'remove' AND deliveries.status IN ('failed', 'cancelled') \
             RETURNING id, status",
        )
        .bind(DeliveryId::new().to_string())
        .bind(new.of.backup.to_string())
        .bind(new.destination.to_string())
        .bind(new.purpose.as_str())
        .bind(new.event.map(EventKind::as_str).unwrap_or_default())
        .bind(new.about.map(|(id, _)| id.to_string()).unwrap_or_default())
        .bind(new.location)
        .bind(ms(now))
        .bind(new.note)
        .bind(SWITCHED_OFF)
        .bind(new.about.map_or(0, |(_, attempt)| attempt))
        .bind(new.of.database.map(|it| it.to_string()).unwrap_or_default())
        .bind(&new.of.slug)
        .bind(REMOVED)
        .bind(new.stored_with)
        .fetch_optional(self.conn())
        .await?;
        let Some(row) = row else { return Ok(()) };
        let cells = Cells::new("deliveries", &row);
        if cells.parse::<DeliveryStatus>("status")?.is_over() {
            return Ok(());
        }
        self.queue_job(cells.parse("id")?, new.destination, now).await
    }

    /// The job of a delivery that has none.
    pub(super) async fn queue_job(
        &mut self,
        id: DeliveryId,
        destination: DestinationId,
        now: Timestamp,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO jobs (id, kind, delivery_id, destination_id, created_at, not_before, \
             planned_at, is_word, fence, beats, cancel_requested) \
             SELECT $1, 'delivery', v.id, $3, $4, $4, $4, \
             CASE v.purpose WHEN 'notify' THEN 1 ELSE 0 END, 0, 0, 0 \
             FROM deliveries v WHERE v.id = $2",
        )
        .bind(JobId::new().to_string())
        .bind(id.to_string())
        .bind(destination.to_string())
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

impl<'a> New<'a> {
    fn plain(of: &'a Subject, destination: DestinationId, purpose: Purpose) -> Self {
        Self {
            of,
            destination,
            purpose,
            event: None,
            about: None,
            location: None,
            note: None,
            stored_with: None,
        }
    }
}

impl Subject {
    /// Whether a destination is for backups of this database.
    fn concerns(&self, destination: &Destination) -> bool {
        let within = |some: &Vec<DatabaseId>| self.database.is_some_and(|it| some.contains(&it));
        destination.databases.as_ref().is_none_or(within)
    }
}
