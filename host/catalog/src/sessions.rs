//! Browser sessions. The cookie's key is never stored, only its digest.

use cofferdam_model::{SessionId, Timestamp, UserId};
use sqlx::any::AnyRow;

use crate::{
    Catalog, Digest, Error, Result, Tx,
    cells::{Cells, ms},
};

/// A session as recorded.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its identifier, for lists and for ending it. Not the cookie's key.
    pub id: SessionId,
    /// Whose it is; nobody's before sign-in.
    pub user_id: Option<UserId>,
    /// The session's values, as JSON.
    pub state: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// It ends here, used or not.
    pub absolute_expires_at: Timestamp,
    /// It ends here unless used before.
    pub idle_expires_at: Timestamp,
}

/// A session to be recorded.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The digest of the cookie's key.
    pub digest: Digest,
    /// Whose it is.
    pub user_id: Option<UserId>,
    /// The session's values, as JSON.
    pub state: String,
    /// It ends here, used or not.
    pub absolute_expires_at: Timestamp,
    /// It ends here unless used before.
    pub idle_expires_at: Timestamp,
}

fn session(row: &AnyRow) -> Result<Session> {
    let cells = Cells::new("sessions", row);
    Ok(Session {
        id: cells.parse("id")?,
        user_id: cells.opt_parse("user_id")?,
        state: cells.text("state")?,
        created_at: cells.time("created_at")?,
        last_seen_at: cells.time("last_seen_at")?,
        absolute_expires_at: cells.time("absolute_expires_at")?,
        idle_expires_at: cells.time("idle_expires_at")?,
    })
}

impl Catalog {
    /// The live session with this key's digest: not past either limit, and
    /// not of a disabled person.
    pub async fn session(&self, digest: Digest, now: Timestamp) -> Result<Option<Session>> {
        let row = sqlx::query(
            "SELECT s.id, s.user_id, s.state, s.created_at, s.last_seen_at, s.absolute_expires_at, \
             s.idle_expires_at FROM sessions s LEFT JOIN users u ON u.id = s.user_id \
             WHERE s.key_digest = $1 AND s.absolute_expires_at > $2 AND s.idle_expires_at > $2 \
             AND u.disabled_at IS NULL",
        )
        .bind(digest.as_bytes().as_slice())
        .bind(ms(now))
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        row.as_ref().map(session).transpose()
    }

    /// A person's live sessions, the last used first.
    pub async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
        let rows = sqlx::query(
            "SELECT id, user_id, state, created_at, last_seen_at, absolute_expires_at, \
             idle_expires_at FROM sessions WHERE user_id = $1 \
             AND absolute_expires_at > $2 AND idle_expires_at > $2 ORDER BY last_seen_at DESC, id",
        )
        .bind(user.to_string())
        .bind(ms(now))
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(session).collect()
    }
}

impl Tx {
    /// Records a session.
    pub async fn insert_session(&mut self, new: &NewSession, now: Timestamp) -> Result<SessionId> {
        let id = SessionId::new();
        sqlx::query(
            "INSERT INTO sessions (id, key_digest, user_id, state, created_at, last_seen_at, \
             absolute_expires_at, idle_expires_at) VALUES ($1, $2, $3, $4, $5, $5, $6, $7)",
        )
        .bind(id.to_string())
        .bind(new.digest.as_bytes().as_slice())
        .bind(new.user_id.map(|user| user.to_string()))
        .bind(&new.state)
        .bind(ms(now))
        .bind(ms(new.absolute_expires_at))
        .bind(ms(new.idle_expires_at))
        .execute(self.conn())
        .await
        .map_err(|error| Error::taken(error, "session key"))?;
        Ok(id)
    }

    /// Replaces a session's values and its person, and moves its idle limit.
    /// `false` if the session has ended meanwhile: it is not brought back.
    pub async fn update_session(
        &mut self,
        digest: Digest,
        user_id: Option<UserId>,
        state: &str,
        idle_expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE sessions SET user_id = $2, state = $3, idle_expires_at = $4, last_seen_at = $5 \
             WHERE key_digest = $1",
        )
        .bind(digest.as_bytes().as_slice())
        .bind(user_id.map(|user| user.to_string()))
        .bind(state)
        .bind(ms(idle_expires_at))
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes that a session was used. `false` if it has ended meanwhile.
    pub async fn touch_session(
        &mut self,
        digest: Digest,
        idle_expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE sessions SET idle_expires_at = $2, last_seen_at = $3 WHERE key_digest = $1",
        )
        .bind(digest.as_bytes().as_slice())
        .bind(ms(idle_expires_at))
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends a session. `false` if there was none.
    pub async fn delete_session(&mut self, digest: Digest) -> Result<bool> {
        let done = sqlx::query("DELETE FROM sessions WHERE key_digest = $1")
            .bind(digest.as_bytes().as_slice())
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends all sessions of a person but the one with this digest; says how many.
    pub async fn delete_sessions_of(
        &mut self,
        user: UserId,
        except: Option<Digest>,
    ) -> Result<u64> {
        // No digest is empty, so an empty one spares none.
        let except = except.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec());
        let done = sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND key_digest <> $2")
            .bind(user.to_string())
            .bind(except)
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected())
    }

    /// Removes sessions past either limit; says how many.
    pub async fn purge_sessions(&mut self, now: Timestamp) -> Result<u64> {
        let done = sqlx::query(
            "DELETE FROM sessions WHERE absolute_expires_at <= $1 OR idle_expires_at <= $1",
        )
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        Ok(done.rows_affected())
    }
}
