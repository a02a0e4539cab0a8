//! Putting deliveries into the queue, always inside the transaction that makes
//! their cause true.

use cofferdam_model::{
    BackupId, DatabaseId, Delivery, DeliveryId, Destination, DestinationId, EventKind, JobId,
    Purpose, Timestamp,
};

use crate::{
    Result, Tx,
    cells::{Cells, ms},
};

/// A delivery to be queued.
struct New<'a> {
    backup: BackupId,
    destination: DestinationId,
    purpose: Purpose,
    event: Option<EventKind>,
    about: Option<DeliveryId>,
    location: Option<&'a str>,
}

impl Tx {
    /// A backup has just completed: its copies, and word of it.
    pub(crate) async fn queue_copies(&mut self, backup: BackupId, now: Timestamp) -> Result<()> {
        let row = sqlx::query("SELECT database_id, destinations FROM backups WHERE id = $1")
            .bind(backup.to_string())
            .fetch_one(self.conn())
            .await?;
        let cells = Cells::new("backups", &row);
        let database: DatabaseId = cells.parse("database_id")?;
        let chosen: Option<Vec<DestinationId>> = match cells.opt_text("destinations")? {
            Some(_) => Some(cells.json("destinations")?),
            None => None,
        };
        for destination in self.destinations().await?.iter().filter(|it| it.roles.storage) {
            let wanted = match &chosen {
                Some(chosen) => chosen.contains(&destination.id),
                None => destination.enabled && applies(destination, database),
            };
            if wanted {
                self.queue(&New::plain(backup, destination.id, Purpose::Store), now).await?;
            }
        }
        self.queue_word(backup, EventKind::BackupCompleted, None, now).await
    }

    /// Something happened: word of it to every notifier that wants to hear.
    pub(crate) async fn queue_word(
        &mut self,
        backup: BackupId,
        event: EventKind,
        about: Option<DeliveryId>,
        now: Timestamp,
    ) -> Result<()> {
        let row = sqlx::query("SELECT database_id FROM backups WHERE id = $1")
            .bind(backup.to_string())
            .fetch_optional(self.conn())
            .await?;
        let Some(row) = row else { return Ok(()) };
        let database: DatabaseId = Cells::new("backups", &row).parse("database_id")?;
        for destination in self.destinations().await? {
            let wanted = destination.roles.notifier
                && destination.enabled
                && applies(&destination, database)
                && destination.events.contains(&event);
            if wanted {
                let plain = New::plain(backup, destination.id, Purpose::Notify);
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
            if self.destination(copy.destination).await?.is_some() {
                let plain = New::plain(copy.backup, copy.destination, Purpose::Remove);
                self.queue(&New { location: copy.location.as_deref(), ..plain }, now).await?;
            }
        }
        Ok(())
    }

    /// One that is there already stays as it is.
    async fn queue(&mut self, new: &New<'_>, now: Timestamp) -> Result<()> {
        let id = DeliveryId::new();
        let done = sqlx::query(
            "INSERT INTO deliveries (id, backup_id, destination_id, purpose, event, about, status, \
             attempts, tries, location, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 'pending', 0, 0, $7, $8) \
             ON CONFLICT (backup_id, destination_id, purpose, event, about) DO NOTHING",
        )
        .bind(id.to_string())
        .bind(new.backup.to_string())
        .bind(new.destination.to_string())
        .bind(new.purpose.as_str())
        .bind(new.event.map(EventKind::as_str).unwrap_or_default())
        .bind(new.about.map(|it| it.to_string()).unwrap_or_default())
        .bind(new.location)
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 1 {
            self.queue_job(id, new.destination, now).await?;
        }
        Ok(())
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
             fence, beats, cancel_requested) VALUES ($1, 'delivery', $2, $3, $4, $4, 0, 0, 0)",
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

impl New<'_> {
    fn plain(backup: BackupId, destination: DestinationId, purpose: Purpose) -> Self {
        Self { backup, destination, purpose, event: None, about: None, location: None }
    }
}

fn applies(destination: &Destination, database: DatabaseId) -> bool {
    destination.databases.as_ref().is_none_or(|some| some.contains(&database))
}
