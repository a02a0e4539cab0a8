//! The log of each backup, bounded.

use cofferdam_model::{BackupId, LogLevel, LogLine};
use sqlx::any::AnyRow;

use crate::{
    Catalog, Error, Result, Tx,
    cells::{Cells, ms},
};

/// Bytes of one line that are kept.
pub const LOG_LINE_MAX: usize = 4096;

/// Lines of one backup that are kept: the first half of this number and the
/// last half. What was between them is gone; the numbers show the gap.
pub const LOG_LINES_KEPT: i64 = 10_000;

/// A line with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedLine {
    /// From 1; a jump means that lines between were dropped.
    pub seq: i64,
    /// The line.
    pub line: LogLine,
}

fn numbered(row: &AnyRow) -> Result<NumberedLine> {
    let cells = Cells::new("backup_logs", row);
    let level = match cells.text("level")?.as_str() {
        "info" => LogLevel::Info,
        "warning" => LogLevel::Warning,
        "error" => LogLevel::Error,
        other => return Err(cells.bad("level", format_args!("unknown level {other:?}"))),
    };
    Ok(NumberedLine {
        seq: cells.int("seq")?,
        line: LogLine { at: cells.time("at")?, level, text: cells.text("text")? },
    })
}

/// The line's text, cut at a character boundary if it is too long.
fn bounded(text: &str) -> String {
    if text.len() <= LOG_LINE_MAX {
        return text.to_owned();
    }
    let mut cut = LOG_LINE_MAX - '…'.len_utf8();
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}…", &text[..cut])
}

impl Catalog {
    /// Up to `limit` lines after number `after` (0 for the beginning), in order.
    pub async fn log(&self, id: BackupId, after: i64, limit: u32) -> Result<Vec<NumberedLine>> {
        let rows = sqlx::query(
            "SELECT seq, at, level, text FROM backup_logs WHERE backup_id = $1 AND seq > $2 \
             ORDER BY seq LIMIT $3",
        )
        .bind(id.to_string())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(numbered).collect()
    }

    /// The last `lines` lines, in order, and whether there are lines before
    /// them. Reads no more of the log than that, however long it is.
    pub async fn log_tail(&self, id: BackupId, lines: u32) -> Result<(Vec<NumberedLine>, bool)> {
        let mut rows = sqlx::query(
            "SELECT seq, at, level, text FROM backup_logs WHERE backup_id = $1 \
             ORDER BY seq DESC LIMIT $2",
        )
        .bind(id.to_string())
        // One more, to see whether there is one.
        .bind(i64::from(lines) + 1)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let more = rows.len() > lines as usize;
        rows.truncate(lines as usize);
        Ok((rows.iter().rev().map(numbered).collect::<Result<_>>()?, more))
    }
}

impl Tx {
    /// Appends lines to a backup's log and returns the number of the last one.
    pub async fn append_log(&mut self, id: BackupId, lines: &[LogLine]) -> Result<i64> {
        let row = sqlx::query(
            "SELECT coalesce(max(seq), 0) AS last FROM backup_logs WHERE backup_id = $1",
        )
        .bind(id.to_string())
        .fetch_one(self.conn())
        .await?;
        let mut seq = Cells::new("backup_logs", &row).int("last")?;
        for line in lines {
            seq += 1;
            sqlx::query(
                "INSERT INTO backup_logs (backup_id, seq, at, level, text) \
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(id.to_string())
            .bind(seq)
            .bind(ms(line.at))
            .bind(line.level.as_str())
            .bind(bounded(&line.text))
            .execute(self.conn())
            .await
            .map_err(|error| match &error {
                sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => {
                    Error::NotFound("backup")
                }
                _ => error.into(),
            })?;
        }
        if seq > LOG_LINES_KEPT {
            sqlx::query("DELETE FROM backup_logs WHERE backup_id = $1 AND seq > $2 AND seq <= $3")
                .bind(id.to_string())
                .bind(LOG_LINES_KEPT / 2)
                .bind(seq - LOG_LINES_KEPT / 2)
                .execute(self.conn())
                .await?;
        }
        Ok(seq)
    }
}
