//! People, and who a request comes from.

use std::{net::IpAddr, time::Duration};

use chrono::TimeDelta;
use cofferdam_catalog::{Digest, NewToken, NewUser, Tx, User};
use cofferdam_model::{Role, Secret, Timestamp, UserId, Username};

use super::{Actor, Door, Error, FieldError, Result, audit};
use crate::{app::App, password, token};

/// How long a bearer token from a sign-in holds.
const TOKEN_LIFE: TimeDelta = TimeDelta::hours(12);
/// A token's last use is noted at most so often.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);

fn actor(user: &User, door: Door, remote: Option<IpAddr>) -> Option<Actor> {
    user.disabled_at.is_none().then(|| Actor {
        door,
        user: Some(user.id),
        name: user.username.to_string(),
        role: user.role,
        remote,
    })
}

/// The person behind a session, unless they were disabled.
pub async fn actor_by_id(app: &App, id: UserId, remote: Option<IpAddr>) -> Result<Option<Actor>> {
    Ok(app.catalog.user(id).await?.and_then(|user| actor(&user, Door::Page, remote)))
}

/// The person behind a bearer token that is neither old nor revoked.
pub async fn actor_by_token(
    app: &App,
    secret: &str,
    remote: Option<IpAddr>,
) -> Result<Option<Actor>> {
    let now = app.now();
    let Some(token) = app.catalog.token(Digest::of(secret), now).await? else { return Ok(None) };
    if token.last_used_at.is_none_or(|last| now - last > TOUCH_EVERY) {
        let touched = async {
            let mut tx = app.catalog.begin_within(Duration::ZERO).await?;
            tx.touch_token(token.id, now).await?;
            tx.commit().await
        };
        // A catalog that cannot be written now keeps nobody from reading.
        if let Err(error) = touched.await {
            tracing::debug!("the use of a token was not noted: {error}");
        }
    }
    Ok(app.catalog.user(token.user_id).await?.and_then(|user| actor(&user, Door::Api, remote)))
}

/// Somebody whose password fitted.
pub struct SignedIn {
    /// As whom they act.
    pub actor: Actor,
    /// What was proven.
    pub verified: Verified,
}

/// Whose password fitted, and since when it is their password: checking it
/// takes a while, in which it can be changed.
#[derive(Debug, Clone, Copy)]
pub struct Verified {
    /// Who.
    pub id: UserId,
    /// When that password was set.
    pub password_changed_at: Timestamp,
}

impl Verified {
    /// Whether it is still true, as this transaction sees it.
    pub async fn holds(self, tx: &mut Tx) -> cofferdam_catalog::Result<bool> {
        Ok(tx.user(self.id).await?.is_some_and(|user| {
            user.password_changed_at == self.password_changed_at && user.disabled_at.is_none()
        }))
    }
}

/// Checks name and password. Unknown names, disabled people and wrong
/// passwords get one answer, after the same work.
pub async fn sign_in(
    app: &App,
    door: Door,
    name: &str,
    password: Secret,
    remote: Option<IpAddr>,
) -> Result<SignedIn> {
    // The name as typed may be a password in the wrong field.
    let unknown = Actor::stranger(door, remote);
    if let Some(address) = remote
        && let Err(refused) = app.throttle.count(address, name)
    {
        audit::sign_in_failed(app, &unknown, "too many tries").await;
        return Err(refused);
    }
    let user = match name.parse::<Username>() {
        Ok(name) => app.catalog.user_by_name(&name).await?,
        Err(_) => None,
    };
    let too_long = password.expose().len() > 4 * password::LONGEST;
    let password = if too_long { Secret::new("") } else { password };
    let fits =
        app.passwords.verify(password, user.as_ref().map(|it| it.password_hash.clone())).await;
    let signed_in = user.filter(|_| fits).and_then(|user| {
        let verified = Verified { id: user.id, password_changed_at: user.password_changed_at };
        Some(SignedIn { actor: actor(&user, door, remote)?, verified })
    });
    if let Some(found) = signed_in {
        return Ok(found);
    }
    audit::sign_in_failed(app, &unknown, "wrong name or password").await;
    tracing::warn!(remote = remote.map(|it| it.to_string()), "a sign-in did not work");
    Err(Error::Credentials)
}

/// Notes a sign-in that worked.
pub async fn signed_in(app: &App, actor: &Actor, id: UserId) -> Result<()> {
    audit::record_alone(app, actor, "session.create", audit::Object::user(id, &actor.name)).await
}

/// Notes that somebody signs out.
pub async fn signed_out(app: &App, actor: &Actor) -> Result<()> {
    let id = actor.user.ok_or(Error::SignedOut)?;
    audit::record_alone(app, actor, "session.end", audit::Object::user(id, &actor.name)).await
}

/// Gives a bearer token to somebody whose password fits.
pub async fn issue_token(
    app: &App,
    actor: &Actor,
    verified: Verified,
) -> Result<(Secret, Timestamp)> {
    let id = verified.id;
    let secret = token::random();
    let now = app.now();
    let expires_at = now + TOKEN_LIFE;
    let new = NewToken {
        digest: Digest::of(secret.expose()),
        user_id: id,
        name: "sign-in".to_owned(),
        scopes: "*".to_owned(),
        expires_at: Some(expires_at),
    };
    let mut tx = app.catalog.begin().await?;
    if !verified.holds(&mut tx).await? {
        return Err(Error::Credentials);
    }
    tx.insert_token(&new, now).await?;
    tx.purge_tokens(now - TimeDelta::days(30)).await?;
    tx.commit().await?;
    signed_in(app, actor, id).await?;
    Ok((secret, expires_at))
}

/// Everybody, by name.
pub async fn list(app: &App) -> Result<Vec<User>> {
    Ok(app.catalog.users().await?)
}

/// The role that this word means.
pub fn role(word: &str) -> Result<Role> {
    word.parse().map_err(|error| Error::field("role", error))
}

/// Adds a person.
pub async fn add(
    app: &App,
    by: &Actor,
    name: &str,
    role: &str,
    password: Secret,
) -> Result<UserId> {
    let username: Username = name.parse().map_err(|error| Error::field("username", error))?;
    let role = self::role(role)?;
    password::check_new(&password, username.as_str())
        .map_err(|weak| Error::field("password", weak))?;
    let password_hash = app.passwords.hash(password).await;
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    let id =
        tx.insert_user(&NewUser { username: username.clone(), password_hash, role }, now).await?;
    let details = serde_json::json!({ "role": role });
    audit::record_with(
        &mut tx,
        by,
        "user.create",
        audit::Object::user(id, &username),
        details,
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(id)
}

/// Keeps somebody out, or lets them in again. Their sessions and tokens end at
/// once. The last administrator stays.
pub async fn set_disabled(app: &App, by: &Actor, name: &str, disabled: bool) -> Result<()> {
    let username: Username = name.parse().map_err(|error| Error::field("username", error))?;
    let user = app.catalog.user_by_name(&username).await?.ok_or(Error::NotFound("user"))?;
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    match tx.set_disabled(user.id, disabled.then_some(now)).await {
        Err(cofferdam_catalog::Error::Conflict(_)) => {
            return Err(Error::Conflict {
                message: format!("{username} is the last administrator"),
                hint: Some("add another administrator first".to_owned()),
            });
        }
        other => other?,
    }
    tx.delete_sessions_of(user.id, None).await?;
    tx.revoke_tokens_of(user.id, now).await?;
    let action = if disabled { "user.disable" } else { "user.enable" };
    audit::record(&mut tx, by, action, audit::Object::user(user.id, &username), now).await?;
    tx.commit().await?;
    Ok(())
}

/// Sets a password from the command line, for somebody who forgot theirs.
pub async fn set_password(app: &App, by: &Actor, name: &str, password: Secret) -> Result<()> {
    let username: Username = name.parse().map_err(|error| Error::field("username", error))?;
    let user = app.catalog.user_by_name(&username).await?.ok_or(Error::NotFound("user"))?;
    password::check_new(&password, username.as_str())
        .map_err(|weak| Error::field("password", weak))?;
    replace_password(app, by, &user, password, None).await
}

/// Changes one's own password. All other sessions and all tokens end.
pub async fn change_password(
    app: &App,
    by: &Actor,
    current: Secret,
    new: Secret,
    repeat: &Secret,
    keep: Option<Digest>,
) -> Result<()> {
    let id = by.user.ok_or(Error::Forbidden)?;
    let user = app.catalog.user(id).await?.ok_or(Error::NotFound("user"))?;
    if let Some(address) = by.remote {
        app.throttle.count(address, &by.name)?;
    }
    let mut wrong = Vec::new();
    let mut refuse =
        |field: &'static str, message: String| wrong.push(FieldError::new(field, message));
    if !app.passwords.verify(current, Some(user.password_hash.clone())).await {
        refuse("current", "this is not your present password".to_owned());
    }
    if let Err(weak) = password::check_new(&new, user.username.as_str()) {
        refuse("new", weak.to_string());
    } else if new.expose() != repeat.expose() {
        refuse("repeat", "the two passwords differ".to_owned());
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    replace_password(app, by, &user, new, keep).await
}

async fn replace_password(
    app: &App,
    by: &Actor,
    user: &User,
    password: Secret,
    keep: Option<Digest>,
) -> Result<()> {
    let hash = app.passwords.hash(password).await;
    let now = app.now();
    let mut tx = app.catalog.begin().await?;
    tx.set_password_hash(user.id, &hash, now).await?;
    tx.delete_sessions_of(user.id, keep).await?;
    tx.revoke_tokens_of(user.id, now).await?;
    audit::record(&mut tx, by, "user.password", audit::Object::user(user.id, &user.username), now)
        .await?;
    tx.commit().await?;
    Ok(())
}
