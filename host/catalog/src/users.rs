//! People who sign in.

use cofferdam_model::{Role, Timestamp, UserId, Username};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    Catalog, Error, Result, Tx,
    cells::{Cells, ms},
};

/// A person as recorded.
#[derive(Debug, Clone)]
pub struct User {
    /// Their identifier.
    pub id: UserId,
    /// Their sign-in name.
    pub username: Username,
    /// Their password's hash, as argon2 writes it. Never shown.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    pub created_at: Timestamp,
    /// When the password was last set.
    pub password_changed_at: Timestamp,
    /// Since when they may no longer sign in.
    pub disabled_at: Option<Timestamp>,
}

/// A person to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Their sign-in name.
    pub username: Username,
    /// Their password's hash.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
}

const COLUMNS: &str = "SELECT id, username, password_hash, role, created_at, password_changed_at, disabled_at FROM users";

fn user(row: &AnyRow) -> Result<User> {
    let cells = Cells::new("users", row);
    Ok(User {
        id: cells.parse("id")?,
        username: cells.parse("username")?,
        password_hash: cells.text("password_hash")?,
        role: cells.parse("role")?,
        created_at: cells.time("created_at")?,
        password_changed_at: cells.time("password_changed_at")?,
        disabled_at: cells.opt_time("disabled_at")?,
    })
}

async fn by_id(conn: &mut AnyConnection, id: UserId) -> Result<Option<User>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = $1"));
    let row = sqlx::query(sql).bind(id.to_string()).fetch_optional(conn).await?;
    row.as_ref().map(user).transpose()
}

async fn count(conn: &mut AnyConnection) -> Result<u64> {
    let row = sqlx::query("SELECT count(*) AS n FROM users").fetch_one(conn).await?;
    Cells::new("users", &row).size("n")
}

impl Catalog {
    /// The person with this identifier.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        by_id(&mut *self.reader().await?, id).await
    }

    /// The person with this name.
    pub async fn user_by_name(&self, name: &Username) -> Result<Option<User>> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE username = $1"));
        let row =
            sqlx::query(sql).bind(name.as_str()).fetch_optional(&mut *self.reader().await?).await?;
        row.as_ref().map(user).transpose()
    }

    /// Everybody, by name.
    pub async fn users(&self) -> Result<Vec<User>> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY username"));
        let rows = sqlx::query(sql).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(user).collect()
    }

    /// How many people there are, disabled ones included.
    pub async fn user_count(&self) -> Result<u64> {
        count(&mut *self.reader().await?).await
    }
}

impl Tx {
    /// Adds a person. A name in use: [`Error::Taken`].
    pub async fn insert_user(&mut self, new: &NewUser, now: Timestamp) -> Result<UserId> {
        let id = UserId::new();
        sqlx::query(
            "INSERT INTO users (id, username, password_hash, role, created_at, password_changed_at) \
             VALUES ($1, $2, $3, $4, $5, $5)",
        )
        .bind(id.to_string())
        .bind(new.username.as_str())
        .bind(&new.password_hash)
        .bind(new.role.as_str())
        .bind(ms(now))
        .execute(self.conn())
        .await
        .map_err(|error| Error::taken(error, "user name"))?;
        Ok(id)
    }

    /// The person with this identifier, as this transaction sees them.
    pub async fn user(&mut self, id: UserId) -> Result<Option<User>> {
        by_id(self.conn(), id).await
    }

    /// How many people there are, as this transaction sees it.
    pub async fn user_count(&mut self) -> Result<u64> {
        count(self.conn()).await
    }

    /// Sets a new password. The caller ends the sessions ([`Tx::delete_sessions_of`]).
    pub async fn set_password_hash(
        &mut self,
        id: UserId,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<()> {
        let done = sqlx::query(
            "UPDATE users SET password_hash = $2, password_changed_at = $3 WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(password_hash)
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        found(done.rows_affected())
    }

    /// Disables a person (`Some`) or lets them in again (`None`). The last
    /// enabled administrator is not disabled: [`Error::Conflict`]. The caller
    /// ends the sessions and tokens.
    pub async fn set_disabled(&mut self, id: UserId, since: Option<Timestamp>) -> Result<()> {
        if since.is_some() {
            self.another_administrator(id).await?;
        }
        let done = sqlx::query("UPDATE users SET disabled_at = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(since.map(ms))
            .execute(self.conn())
            .await?;
        found(done.rows_affected())
    }

    /// An enabled administrator remains besides this person.
    async fn another_administrator(&mut self, id: UserId) -> Result<()> {
        let row = sqlx::query(
            "SELECT count(*) AS n FROM users \
             WHERE role = 'administrator' AND disabled_at IS NULL AND id <> $1",
        )
        .bind(id.to_string())
        .fetch_one(self.conn())
        .await?;
        if Cells::new("users", &row).size("n")? == 0 {
            return Err(Error::Conflict("an administrator must remain".to_owned()));
        }
        Ok(())
    }
}

fn found(rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(Error::NotFound("user")) }
}
