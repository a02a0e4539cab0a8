//! Reading deliveries and their attempts.

use std::collections::HashMap;

use cofferdam_model::{
    Attempt, AttemptOutcome, BackupId, Delivery, DeliveryId, DeliveryStatus, DestinationId,
    EventKind, Timestamp,
};
use sqlx::{AnyConnection, AssertSqlSafe, any::AnyRow};

use super::attempt::LOGS_KEPT;
use crate::{
    Catalog, Result, Tx,
    cells::{Cells, ms},
    sql::Statement,
};

const SELECT: &str = "SELECT v.id, v.backup_id, v.database_slug, v.destination_id, d.name, v.purpose, v.event, v.about, \
 v.status, v.attempts, v.tries, coalesce(j.not_before, 0) AS not_before, v.location, v.stored_with, v.bytes, v.note, \
 v.error, v.created_at, coalesce(j.created_at, v.created_at) AS queued_at, v.completed_at, \
 v.left_there, (SELECT r.status FROM deliveries r \
  WHERE v.purpose = 'store' AND r.backup_id = v.backup_id AND r.destination_id = v.destination_id \
  AND r.purpose = 'remove') AS removal FROM deliveries v \
 JOIN destinations d ON d.id = v.destination_id LEFT JOIN jobs j ON j.delivery_id = v.id";

/// The first condition is that of an index, in its words.
const LEFT_BEHIND: &str = " WHERE v.destination_id = $1 \
 AND ((v.purpose = 'remove' AND v.status = 'failed') OR v.left_there = 'unconfirmed') \
 AND NOT EXISTS (SELECT 1 FROM backups b WHERE b.id = v.backup_id) \
 ORDER BY v.created_at DESC, v.id DESC LIMIT $2";

fn delivery(row: &AnyRow) -> Result<Delivery> {
    let cells = Cells::new("deliveries", row);
    let number =
        |column| u32::try_from(cells.int(column)?).map_err(|error| cells.bad(column, error));
    let filled =
        |column| Ok::<_, crate::Error>(Some(cells.text(column)?).filter(|it| !it.is_empty()));
    let event = match filled("event")? {
        Some(word) => Some(word.parse::<EventKind>().map_err(|error| cells.bad("event", error))?),
        None => None,
    };
    let about = match filled("about")? {
        Some(id) => Some(id.parse::<DeliveryId>().map_err(|error| cells.bad("about", error))?),
        None => None,
    };
    Ok(Delivery {
        id: cells.parse("id")?,
        backup: cells.parse("backup_id")?,
        database: cells.parse("database_slug")?,
        destination: cells.parse("destination_id")?,
        destination_name: cells.parse("name")?,
        purpose: cells.parse("purpose")?,
        event,
        about,
        status: cells.parse("status")?,
        attempts: number("attempts")?,
        tries: number("tries")?,
        not_before: cells.time("not_before")?,
        location: cells.opt_text("location")?,
        stored_with: cells.opt_text("stored_with")?,
        bytes: cells.opt_size("bytes")?,
        note: cells.opt_text("note")?,
        error: cells.opt_text("error")?,
        created_at: cells.time("created_at")?,
        queued_at: cells.time("queued_at")?,
        completed_at: cells.opt_time("completed_at")?,
        is_kept: cells.text("left_there")? == "kept",
        removal: cells.opt_parse("removal")?,
    })
}

fn attempt(row: &AnyRow) -> Result<Attempt> {
    let cells = Cells::new("attempts", row);
    Ok(Attempt {
        number: u32::try_from(cells.int("number")?).map_err(|error| cells.bad("number", error))?,
        started_at: cells.time("started_at")?,
        ended_at: cells.opt_time("ended_at")?,
        outcome: cells.opt_parse::<AttemptOutcome>("outcome")?,
        bytes: cells.size("bytes")?,
        error: cells.opt_text("error")?,
        log: cells.json("log")?,
    })
}

async fn by_id(conn: &mut AnyConnection, id: DeliveryId) -> Result<Option<Delivery>> {
    let sql = AssertSqlSafe(format!("{SELECT} WHERE v.id = $1"));
    let row = sqlx::query(sql).bind(id.to_string()).fetch_optional(conn).await?;
    row.as_ref().map(delivery).transpose()
}

impl Catalog {
    /// The delivery with this identifier.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>> {
        by_id(&mut *self.reader().await?, id).await
    }

    /// All deliveries of these backups, oldest first. One question, however
    /// many backups there are.
    pub async fn deliveries_of(
        &self,
        backups: &[BackupId],
    ) -> Result<HashMap<BackupId, Vec<Delivery>>> {
        let mut of: HashMap<_, Vec<_>> = HashMap::new();
        if backups.is_empty() {
            return Ok(of);
        }
        let ids: Vec<String> = backups.iter().map(BackupId::to_string).collect();
        let mut statement = Statement::new(SELECT);
        statement.condition("v.backup_id IN ").texts(ids.iter().map(String::as_str));
        statement.push(" ORDER BY v.created_at, v.id");
        for row in &statement.all(&mut *self.reader().await?).await? {
            let delivery = delivery(row)?;
            of.entry(delivery.backup).or_default().push(delivery);
        }
        Ok(of)
    }

    /// The newest deliveries to a destination.
    pub async fn deliveries_to(&self, id: DestinationId, limit: u32) -> Result<Vec<Delivery>> {
        let sql = AssertSqlSafe(format!(
            "{SELECT} WHERE v.destination_id = $1 ORDER BY v.created_at DESC, v.id DESC LIMIT $2"
        ));
        let rows = sqlx::query(sql)
            .bind(id.to_string())
            .bind(i64::from(limit))
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(delivery).collect()
    }

    /// The copies that were stored under this location, at whatever
    /// destination: those that are there, and those that are going.
    pub async fn copies_at(&self, location: &str) -> Result<Vec<Delivery>> {
        let sql = AssertSqlSafe(format!(
            "{SELECT} WHERE v.location = $1 AND v.purpose = 'store' AND v.status = 'completed'"
        ));
        let rows = sqlx::query(sql).bind(location).fetch_all(&mut *self.reader().await?).await?;
        let mut copies: Vec<Delivery> = rows.iter().map(delivery).collect::<Result<_>>()?;
        copies.retain(|it| it.removal != Some(DeliveryStatus::Completed));
        Ok(copies)
    }

    /// What a destination keeps, or may keep, of deleted backups although
    /// nobody wants it any more, newest first: copies whose removal failed, and
    /// those that were sent and never confirmed.
    pub async fn left_behind(&self, id: DestinationId, limit: u32) -> Result<Vec<Delivery>> {
        let rows = sqlx::query(AssertSqlSafe(format!("{SELECT}{LEFT_BEHIND}")))
            .bind(id.to_string())
            .bind(i64::from(limit))
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(delivery).collect()
    }

    /// The newest delivery to each destination that has one.
    pub async fn last_deliveries(&self) -> Result<HashMap<DestinationId, Delivery>> {
        let sql = AssertSqlSafe(format!(
            "{SELECT} WHERE d.removed_at IS NULL AND v.id = (SELECT n.id FROM deliveries n \
             WHERE n.destination_id = d.id ORDER BY n.created_at DESC, n.id DESC LIMIT 1)"
        ));
        let rows = sqlx::query(sql).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| delivery(row).map(|it| (it.destination, it))).collect()
    }

    /// The newest deliveries in short: of which backup each is, and how it
    /// stands. For who looks often whether something changed.
    pub async fn newest_deliveries(&self, limit: u32) -> Result<Vec<(BackupId, String)>> {
        let rows = sqlx::query(
            "SELECT backup_id, id || ' ' || status || ' ' || attempts AS mark FROM deliveries \
             ORDER BY id DESC LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let mark = |row| {
            let cells = Cells::new("deliveries", row);
            Ok((cells.parse("backup_id")?, cells.text("mark")?))
        };
        rows.iter().map(mark).collect()
    }

    /// The attempts of a delivery, the first one first.
    pub async fn attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>> {
        let rows = sqlx::query(
            "SELECT number, started_at, ended_at, outcome, bytes, error, log FROM attempts \
             WHERE delivery_id = $1 ORDER BY number",
        )
        .bind(id.to_string())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(attempt).collect()
    }

    /// The last attempts of these deliveries, the first one first, without what
    /// was logged. One question, and a small answer, for who asks often.
    pub async fn attempts_in_short(
        &self,
        deliveries: &[DeliveryId],
    ) -> Result<HashMap<DeliveryId, Vec<Attempt>>> {
        let mut of: HashMap<_, Vec<_>> = HashMap::new();
        if deliveries.is_empty() {
            return Ok(of);
        }
        let ids: Vec<String> = deliveries.iter().map(DeliveryId::to_string).collect();
        let mut statement = Statement::new(
            "SELECT a.delivery_id, a.number, a.started_at, a.ended_at, a.outcome, a.bytes, a.error, \
             '[]' AS log FROM attempts a JOIN deliveries v ON v.id = a.delivery_id",
        );
        statement.condition("a.number > v.attempts - ").int(LOGS_KEPT);
        statement.condition("a.delivery_id IN ").texts(ids.iter().map(String::as_str));
        statement.push(" ORDER BY a.delivery_id, a.number");
        for row in &statement.all(&mut *self.reader().await?).await? {
            let id = Cells::new("attempts", row).parse("delivery_id")?;
            of.entry(id).or_default().push(attempt(row)?);
        }
        Ok(of)
    }

    /// How many deliveries wait for nothing but a worker at `now`.
    pub async fn deliveries_due(&self, now: Timestamp) -> Result<u64> {
        let row = sqlx::query(
            "SELECT count(*) AS due FROM jobs \
             WHERE kind = 'delivery' AND worker IS NULL \
             AND (not_before <= $1 OR planned_at > $1) \
             AND destination_id IN (SELECT id FROM destinations WHERE enabled = 1)",
        )
        .bind(ms(now))
        .fetch_one(&mut *self.reader().await?)
        .await?;
        Cells::new("jobs", &row).size("due")
    }
}

impl Tx {
    /// The delivery with this identifier, as this transaction sees it.
    pub async fn delivery(&mut self, id: DeliveryId) -> Result<Option<Delivery>> {
        by_id(self.conn(), id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A destination's page shows it, however much has gone there.
    #[tokio::test]
    async fn what_is_left_behind_is_found_through_an_index() {
        let mut statement = Statement::new(SELECT);
        statement.push(LEFT_BEHIND);
        let plan = statement.plan().await;
        let found = "SEARCH v USING INDEX deliveries_left (destination_id=?)";
        assert!(plan.iter().any(|step| step.contains(found)), "{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:#?}");
    }
}
