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

    /// Takes the changes back. Dropping does the same a little later.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.inner.rollback().await?)
    }
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}
