//! A write transaction.

use sqlx::{Any, AnyConnection, Transaction};

use crate::Result;

/// A write transaction. There is one at a time; it is short, and never held
/// over anything slow. Dropped without [`Tx::commit`], it changes nothing.
pub struct Tx {
    inner: Transaction<'static, Any>,
}

impl Tx {
    pub(crate) fn new(inner: Transaction<'static, Any>) -> Self {
        Self { inner }
    }

    pub(crate) fn conn(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// Makes the changes durable. After an error nothing was changed.
    pub async fn commit(self) -> Result<()> {
        Ok(self.inner.commit().await?)
    }
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

#[cfg(test)]
mod tests {
    use crate::{Catalog, Error};

    #[tokio::test]
    async fn a_full_disk_costs_one_transaction_and_not_the_connection() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("catalog.db");
        let catalog = Catalog::open(&path.to_string_lossy()).await.expect("a catalog");
        // From here on this connection must not let the file grow.
        let mut writer = catalog.writer.acquire().await.expect("the writer");
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut *writer).await.expect("a limit");
        drop(writer);

        let mut tx = catalog.begin().await.expect("a transaction");
        let large = "x".repeat(1 << 20);
        let refused = tx.set_setting("large", &large).await;
        assert!(matches!(refused, Err(Error::Storage(_))), "{refused:?}");
        drop(tx);

        let mut tx = catalog.begin().await.expect("another transaction");
        tx.set_setting("large", &large).await.expect("there is room again");
        tx.commit().await.expect("it is kept");
        assert_eq!(catalog.setting("large").await.expect("a setting"), Some(large));
    }
}
