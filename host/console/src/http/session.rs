//! Sessions on the server's side. The browser holds a random key; the catalog
//! holds its SHA-256, when it ends, and whose it is.

use std::{collections::HashMap, sync::Arc, time::Duration};

use actix_session::{
    Session, SessionMiddleware,
    config::{BrowserSession, CookieContentSecurity},
    storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError},
};
use actix_web::{
    HttpMessage as _, HttpRequest,
    cookie::{Key, SameSite, time::Duration as Ttl},
    http::header,
};
use chrono::TimeDelta;
use cofferdam_catalog::{Digest, NewSession};
use cofferdam_model::{Timestamp, UserId};
use cofferdam_views::{Notice, NoticeKind};

use super::guard::Remote;
use crate::{
    app::App,
    service::{Error, users::Verified},
    token,
};

const USER: &str = "user";
const VERIFIED: &str = "verified";
const CSRF: &str = "csrf";
const KEY: &str = "digest";
const ADDRESS: &str = "address";
const AGENT: &str = "agent";
/// Of a `User-Agent`, so many characters are kept.
const AGENT_MAX: usize = 300;
const NOTICE: &str = "notice";
const FAULT: &str = "fault";
const BUSY: &str = "busy";
/// A session's last use is noted at most so often.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);

/// The middleware. With HTTPS the cookie is `__Host-` and Secure.
pub fn middleware(app: &Arc<App>) -> SessionMiddleware<Store> {
    let https = app.config.access.https();
    // A session without a key is never stored, so the lifetime here is only the browser's.
    SessionMiddleware::builder(Store { app: app.clone() }, Key::from(app.vault.cookie_key()))
        .cookie_name(if https { "__Host-cofferdam" } else { "cofferdam" }.to_owned())
        .cookie_secure(https)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path("/".to_owned())
        .cookie_content_security(CookieContentSecurity::Signed)
        .session_lifecycle(BrowserSession::default())
        .build()
}

/// Begins a signed-in session under a new key; whatever key there was before is
/// void. What was verified must still hold when the session is stored.
pub fn begin(
    session: &Session,
    user: UserId,
    verified: Option<Verified>,
    request: &HttpRequest,
) -> anyhow::Result<()> {
    session.clear();
    session.renew();
    session.insert(USER, user.to_string())?;
    if let Some(verified) = verified {
        session.insert(VERIFIED, verified.password_changed_at.timestamp_millis())?;
    }
    session.insert(CSRF, token::random().expose())?;
    if let Some(remote) = request.extensions().get::<Remote>() {
        session.insert(ADDRESS, remote.0.to_string())?;
    }
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    if let Some(agent) = agent {
        session.insert(AGENT, agent.chars().take(AGENT_MAX).collect::<String>())?;
    }
    Ok(())
}

/// Whose session it is.
pub fn user(session: &Session) -> Option<UserId> {
    session.get::<String>(USER).ok()??.parse().ok()
}

/// Whether the session could be read at all.
pub fn usable(session: &Session) -> Result<(), Error> {
    match session.get::<String>(FAULT).ok().flatten().as_deref() {
        None => Ok(()),
        Some(BUSY) => Err(Error::Busy),
        Some(_) => Err(Error::Internal(anyhow::anyhow!("the session cannot be read"))),
    }
}

/// The token of this session's forms.
pub fn csrf(session: &Session) -> Option<String> {
    session.get(CSRF).ok()?
}

/// What the catalog knows this session by.
pub fn digest(session: &Session) -> Option<Digest> {
    let hex: String = session.get(KEY).ok()??;
    hex::decode(hex).ok()?.try_into().ok()
}

/// A sentence for the next page.
pub fn notice(session: &Session, kind: NoticeKind, text: &str) {
    let kind = if kind == NoticeKind::Done { "done" } else { "failed" };
    if let Err(error) = session.insert(NOTICE, (kind, text)) {
        tracing::warn!("a notice was lost: {error}");
    }
}

/// That sentence, once.
pub fn take_notice(session: &Session) -> Option<Notice> {
    // Removing what is not there would count as a change, and each page would
    // then write to the catalog.
    session.entries().get(NOTICE)?;
    let (kind, text): (String, String) = session.remove_as(NOTICE)?.ok()?;
    let kind = if kind == "done" { NoticeKind::Done } else { NoticeKind::Failed };
    Some(Notice { kind, text })
}

/// The address and the `User-Agent` that a stored session signed in with.
pub fn origin(state: &str) -> (Option<String>, Option<String>) {
    let state: State = serde_json::from_str(state).unwrap_or_default();
    let text = |key| serde_json::from_str(state.get(key)?).ok();
    (text(ADDRESS), text(AGENT))
}

type State = HashMap<String, String>;

/// The catalog as the session store.
pub struct Store {
    app: Arc<App>,
}

impl Store {
    fn idle_until(&self, now: Timestamp) -> Timestamp {
        now + TimeDelta::from_std(self.app.config.access.session_idle)
            .unwrap_or(TimeDelta::hours(12))
    }

    fn whole_until(&self, now: Timestamp) -> Timestamp {
        now + TimeDelta::from_std(self.app.config.access.session_whole)
            .unwrap_or(TimeDelta::days(7))
    }

    async fn insert(&self, state: &State) -> anyhow::Result<SessionKey> {
        let key = token::random();
        let now = self.app.now();
        let mut new = NewSession {
            digest: Digest::of(key.expose()),
            user_id: owner(state),
            state: stored(state)?,
            absolute_expires_at: self.whole_until(now),
            idle_expires_at: self.idle_until(now),
        };
        let mut tx = self.app.catalog.begin().await?;
        tx.purge_sessions(now).await?;
        if let Some(verified) = verified(state)
            && !verified.holds(&mut tx).await?
        {
            // The session of nobody: the next page asks them to sign in again.
            (new.user_id, new.state) = (None, "{}".to_owned());
        }
        tx.insert_session(&new, now).await?;
        tx.commit().await?;
        Ok(key.expose().to_owned().try_into()?)
    }

    async fn read(&self, key: &SessionKey) -> anyhow::Result<Option<State>> {
        let now = self.app.now();
        let digest = Digest::of(key.as_ref());
        let Some(session) = self.app.catalog.session(digest, now).await? else { return Ok(None) };
        if now - session.last_seen_at > TOUCH_EVERY {
            let touched = async {
                let mut tx = self.app.catalog.begin_within(Duration::ZERO).await?;
                tx.touch_session(digest, self.idle_until(now), now).await?;
                tx.commit().await
            };
            // A catalog that cannot be written now keeps nobody from reading.
            if let Err(error) = touched.await {
                tracing::debug!("the use of a session was not noted: {error}");
            }
        }
        let mut state: State = serde_json::from_str(&session.state)?;
        // Known to the request only, so that it can leave its own session out
        // when it ends the others.
        state.insert(KEY.to_owned(), serde_json::to_string(&digest.to_hex())?);
        Ok(Some(state))
    }

    /// False when the session has ended meanwhile: it is not brought back.
    async fn write(&self, key: &SessionKey, state: &State) -> anyhow::Result<bool> {
        let now = self.app.now();
        let mut tx = self.app.catalog.begin().await?;
        let there = tx
            .update_session(
                Digest::of(key.as_ref()),
                owner(state),
                &stored(state)?,
                self.idle_until(now),
                now,
            )
            .await?;
        tx.commit().await?;
        Ok(there)
    }
}

fn owner(state: &State) -> Option<UserId> {
    serde_json::from_str::<String>(state.get(USER)?).ok()?.parse().ok()
}

fn verified(state: &State) -> Option<Verified> {
    let changed: i64 = serde_json::from_str(state.get(VERIFIED)?).ok()?;
    let password_changed_at = Timestamp::from_timestamp_millis(changed)?;
    Some(Verified { id: owner(state)?, password_changed_at })
}

fn stored(state: &State) -> anyhow::Result<String> {
    let kept: HashMap<_, _> =
        state.iter().filter(|(name, _)| *name != KEY && *name != VERIFIED).collect();
    Ok(serde_json::to_string(&kept)?)
}

impl SessionStore for Store {
    /// An error here would be answered by the middleware with an empty 500.
    /// It is handed on in the session instead, and answered where every other
    /// one is: see [`usable`].
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        Ok(match self.read(key).await {
            Ok(state) => state,
            Err(error) => {
                let busy = matches!(error.downcast_ref(), Some(cofferdam_catalog::Error::Busy));
                tracing::warn!("a session cannot be read: {error:#}");
                let fault = serde_json::to_string(if busy { BUSY } else { "broken" });
                Some(State::from([(FAULT.to_owned(), fault.unwrap_or_default())]))
            }
        })
    }

    async fn save(&self, state: State, _: &Ttl) -> Result<SessionKey, SaveError> {
        self.insert(&state).await.map_err(SaveError::Other)
    }

    async fn update(
        &self,
        key: SessionKey,
        state: State,
        _: &Ttl,
    ) -> Result<SessionKey, UpdateError> {
        self.write(&key, &state).await.map_err(UpdateError::Other)?;
        Ok(key)
    }

    /// The catalog keeps the times itself, in [`Store::read`].
    async fn update_ttl(&self, _: &SessionKey, _: &Ttl) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        let mut tx = self.app.catalog.begin().await?;
        tx.delete_session(Digest::of(key.as_ref())).await?;
        Ok(tx.commit().await?)
    }
}
