//! `/events`: says what changed, so that the page fetches that part again.

use std::{collections::HashSet, convert::Infallible, fmt::Write as _, rc::Rc, time::Duration};

use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Data},
};
use cofferdam_model::BackupId;
use tokio::{sync::broadcast::error::RecvError, time};

use crate::{
    app::App,
    http::{guard::Caller, session},
    hub::Change,
    service::{Actor, Result, users},
};

/// One backup is spoken of so often at most.
const PACE: Duration = Duration::from_millis(400);
/// A sign of life so often: it keeps proxies from closing the stream, tells the
/// page that it still hears, and finds out who has left. Whoever signed out or
/// was disabled is found out as often. The script knows this time too.
const PULSE: Duration = Duration::from_secs(5);

/// `GET /events`
pub async fn stream(
    app: Data<App>,
    caller: Caller,
    session: Session,
    _request: HttpRequest,
) -> Result<HttpResponse> {
    let actor: Rc<Actor> = caller.0;
    let digest = session::digest(&session);
    let mut news = app.hub.listen();
    let body = async_stream::stream! {
        yield Ok::<_, Infallible>(Bytes::from_static(b"retry: 2000\n\n"));
        let mut foreign = foreign_state(&app).await;
        let closing = app.hub.closing();
        tokio::pin!(closing);
        let mut pulse = time::interval_at(time::Instant::now() + PULSE, PULSE);
        let mut look = time::interval(Duration::from_secs(1));
        loop {
            let mut changed: HashSet<BackupId> = HashSet::new();
            let mut others = Others::default();
            tokio::select! {
                () = &mut closing => return,
                change = news.recv() => match change {
                    Ok(change) => note(change, &mut changed, &mut others),
                    // Too much happened: the page fetches the list, and with it everything.
                    Err(RecvError::Lagged(_)) => others = Others::all(),
                    Err(RecvError::Closed) => return,
                },
                // Runs of a command line are seen through the catalog.
                _ = look.tick() => {
                    let now = foreign_state(&app).await;
                    if now != foreign {
                        others.list = now.len() != foreign.len();
                        changed.extend(now.iter().chain(&foreign).map(|(id, _)| *id));
                        foreign = now;
                    }
                }
                _ = pulse.tick() => {
                    if !still_welcome(&app, &actor, digest).await {
                        return;
                    }
                    yield Ok(Bytes::from_static(b"event: pulse\ndata: here\n\n"));
                }
            }
            if changed.is_empty() && others == Others::default() {
                continue;
            }
            time::sleep(PACE).await;
            while let Ok(change) = news.try_recv() {
                note(change, &mut changed, &mut others);
            }
            let mut text = String::new();
            for id in changed {
                let _ = write!(text, "event: backup\ndata: {id}\n\n");
            }
            for (is_changed, what) in
                [(others.list, "backups"), (others.plugins, "plugins"), (others.destinations, "destinations")]
            {
                if is_changed {
                    let _ = write!(text, "event: {what}\ndata: changed\n\n");
                }
            }
            yield Ok(Bytes::from(text));
        }
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(body))
}

/// Lists that changed, beside single backups.
#[derive(Default, PartialEq, Eq)]
struct Others {
    list: bool,
    plugins: bool,
    destinations: bool,
}

impl Others {
    fn all() -> Self {
        Self { list: true, plugins: true, destinations: true }
    }
}

fn note(change: Change, changed: &mut HashSet<BackupId>, others: &mut Others) {
    match change {
        Change::Backup(id) => {
            changed.insert(id);
        }
        Change::List => others.list = true,
        Change::Plugins => others.plugins = true,
        Change::Destinations => others.destinations = true,
    }
}

/// The runs of other processes, with what changes about them.
async fn foreign_state(app: &App) -> Vec<(BackupId, i64)> {
    let leases = app.catalog.leases().await.unwrap_or_default();
    let foreign = leases.into_iter().filter(|lease| app.hub.running(lease.backup_id).is_none());
    foreign.map(|lease| (lease.backup_id, lease.beats)).collect()
}

async fn still_welcome(
    app: &App,
    actor: &Actor,
    digest: Option<cofferdam_catalog::Digest>,
) -> bool {
    let (Some(user), Some(digest)) = (actor.user, digest) else { return false };
    let session = app.catalog.session(digest, app.now()).await;
    let person = users::actor_by_id(app, user, actor.remote).await;
    session.is_ok_and(|it| it.is_some()) && person.is_ok_and(|it| it.is_some())
}
