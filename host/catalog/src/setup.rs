//! The one-time set-up link, and the first administrator.

use cofferdam_model::{Role, Timestamp, UserId};

use crate::{Digest, Error, NewUser, Result, Tx, cells::ms};

impl Tx {
    /// Records a set-up link. Earlier ones are no longer valid.
    pub async fn insert_setup_token(
        &mut self,
        digest: Digest,
        expires_at: Timestamp,
    ) -> Result<()> {
        sqlx::query("DELETE FROM setup_tokens").execute(self.conn()).await?;
        sqlx::query("INSERT INTO setup_tokens (digest, expires_at) VALUES ($1, $2)")
            .bind(digest.as_bytes().as_slice())
            .bind(ms(expires_at))
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Uses a set-up link up and adds the first administrator. A wrong, used
    /// or old link, or a catalog that has a user: [`Error::SetupRefused`].
    pub async fn consume_setup_token(
        &mut self,
        digest: Digest,
        administrator: &NewUser,
        now: Timestamp,
    ) -> Result<UserId> {
        let used = sqlx::query("DELETE FROM setup_tokens WHERE digest = $1 AND expires_at > $2")
            .bind(digest.as_bytes().as_slice())
            .bind(ms(now))
            .execute(self.conn())
            .await?;
        if used.rows_affected() != 1 {
            return Err(Error::SetupRefused);
        }
        self.insert_first_administrator(administrator, now).await
    }

    /// Adds the first administrator, from the environment say, and ends every
    /// set-up link. [`Error::SetupRefused`] where there is already a user.
    pub async fn insert_first_administrator(
        &mut self,
        administrator: &NewUser,
        now: Timestamp,
    ) -> Result<UserId> {
        if self.user_count().await? > 0 {
            return Err(Error::SetupRefused);
        }
        sqlx::query("DELETE FROM setup_tokens").execute(self.conn()).await?;
        let administrator = NewUser { role: Role::Administrator, ..administrator.clone() };
        self.insert_user(&administrator, now).await
    }
}

impl crate::Catalog {
    /// Whether this set-up link could be used now; for showing its form.
    pub async fn setup_token_is_valid(&self, digest: Digest, now: Timestamp) -> Result<bool> {
        let row = sqlx::query(
            "SELECT 1 AS one FROM setup_tokens WHERE digest = $1 AND expires_at > $2 \
             AND NOT EXISTS (SELECT 1 FROM users)",
        )
        .bind(digest.as_bytes().as_slice())
        .bind(ms(now))
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        Ok(row.is_some())
    }
}
