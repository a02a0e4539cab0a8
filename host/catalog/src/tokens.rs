//! Bearer tokens for the API. Only the digest is stored.

use cofferdam_model::{Timestamp, TokenId, UserId};
use sqlx::any::AnyRow;

use crate::{
    Catalog, Digest, Error, Result, Tx,
    cells::{Cells, ms},
};

/// A token as recorded.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its identifier, for lists and for revoking it.
    pub id: TokenId,
    /// Whose it is. It never may more than they may.
    pub user_id: UserId,
    /// What it is for, in its owner's words.
    pub name: String,
    /// Its scopes, separated by spaces.
    pub scopes: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// It ends here; without a value it does not end by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is no longer accepted.
    pub revoked_at: Option<Timestamp>,
}

/// A token to be recorded.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// The digest of the token.
    pub digest: Digest,
    /// Whose it is.
    pub user_id: UserId,
    /// What it is for.
    pub name: String,
    /// Its scopes, separated by spaces.
    pub scopes: String,
    /// It ends here.
    pub expires_at: Option<Timestamp>,
}

fn token(row: &AnyRow) -> Result<Token> {
    let cells = Cells::new("tokens", row);
    Ok(Token {
        id: cells.parse("id")?,
        user_id: cells.parse("user_id")?,
        name: cells.text("name")?,
        scopes: cells.text("scopes")?,
        created_at: cells.time("created_at")?,
        expires_at: cells.opt_time("expires_at")?,
        last_used_at: cells.opt_time("last_used_at")?,
        revoked_at: cells.opt_time("revoked_at")?,
    })
}

impl Catalog {
    /// The live token with this digest: not revoked, not past its end, and
    /// not of a disabled person.
    pub async fn token(&self, digest: Digest, now: Timestamp) -> Result<Option<Token>> {
        let row = sqlx::query(
            "SELECT t.id, t.user_id, t.name, t.scopes, t.created_at, t.expires_at, t.last_used_at, \
             t.revoked_at FROM tokens t JOIN users u ON u.id = t.user_id \
             WHERE t.digest = $1 AND t.revoked_at IS NULL AND u.disabled_at IS NULL \
             AND (t.expires_at IS NULL OR t.expires_at > $2)",
        )
        .bind(digest.as_bytes().as_slice())
        .bind(ms(now))
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        row.as_ref().map(token).transpose()
    }

    /// A person's tokens, the newest first, revoked and ended ones included.
    pub async fn tokens_of(&self, user: UserId) -> Result<Vec<Token>> {
        let rows = sqlx::query(
            "SELECT id, user_id, name, scopes, created_at, expires_at, last_used_at, revoked_at \
             FROM tokens WHERE user_id = $1 ORDER BY created_at DESC, id DESC",
        )
        .bind(user.to_string())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(token).collect()
    }

    /// Everybody's tokens, the newest first.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let rows = sqlx::query(
            "SELECT id, user_id, name, scopes, created_at, expires_at, last_used_at, revoked_at \
             FROM tokens ORDER BY created_at DESC, id DESC",
        )
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(token).collect()
    }
}

impl Tx {
    /// Records a token.
    pub async fn insert_token(&mut self, new: &NewToken, now: Timestamp) -> Result<TokenId> {
        let id = TokenId::new();
        sqlx::query(
            "INSERT INTO tokens (id, digest, user_id, name, scopes, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.to_string())
        .bind(new.digest.as_bytes().as_slice())
        .bind(new.user_id.to_string())
        .bind(&new.name)
        .bind(&new.scopes)
        .bind(ms(now))
        .bind(new.expires_at.map(ms))
        .execute(self.conn())
        .await
        .map_err(|error| Error::taken(error, "token"))?;
        Ok(id)
    }

    /// Notes that a token was used.
    pub async fn touch_token(&mut self, id: TokenId, now: Timestamp) -> Result<()> {
        sqlx::query("UPDATE tokens SET last_used_at = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(ms(now))
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Revokes a token; `owner` limits it to one person's. `false` if there
    /// was none, or it was revoked before.
    pub async fn revoke_token(
        &mut self,
        id: TokenId,
        owner: Option<UserId>,
        now: Timestamp,
    ) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL \
             AND ($3 = '' OR user_id = $3)",
        )
        .bind(id.to_string())
        .bind(ms(now))
        .bind(owner.map_or_else(String::new, |user| user.to_string()))
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Revokes all tokens of a person; says how many.
    pub async fn revoke_tokens_of(&mut self, user: UserId, now: Timestamp) -> Result<u64> {
        let done = sqlx::query(
            "UPDATE tokens SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL",
        )
        .bind(user.to_string())
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected())
    }

    /// Removes tokens that ended or were revoked before this moment; says how many.
    pub async fn purge_tokens(&mut self, before: Timestamp) -> Result<u64> {
        let done = sqlx::query("DELETE FROM tokens WHERE expires_at <= $1 OR revoked_at <= $1")
            .bind(ms(before))
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected())
    }
}
