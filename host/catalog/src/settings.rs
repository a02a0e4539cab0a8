//! Settings: single values under a name, such as the data folder's identifier.

use sqlx::AnyConnection;

use crate::{Catalog, Result, Tx, cells::Cells};

async fn get(conn: &mut AnyConnection, key: &str) -> Result<Option<String>> {
    let row = sqlx::query("SELECT value FROM settings WHERE key = $1")
        .bind(key)
        .fetch_optional(conn)
        .await?;
    row.map(|row| Cells::new("settings", &row).text("value")).transpose()
}

impl Catalog {
    /// The value under this name.
    pub async fn setting(&self, key: &str) -> Result<Option<String>> {
        get(&mut *self.reader().await?, key).await
    }
}

impl Tx {
    /// The value under this name, as this transaction sees it.
    pub async fn setting(&mut self, key: &str) -> Result<Option<String>> {
        get(self.conn(), key).await
    }

    /// Sets a value.
    pub async fn set_setting(&mut self, key: &str, value: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO settings (key, value) VALUES ($1, $2) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(value)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Removes a value.
    pub async fn remove_setting(&mut self, key: &str) -> Result<()> {
        sqlx::query("DELETE FROM settings WHERE key = $1").bind(key).execute(self.conn()).await?;
        Ok(())
    }
}
