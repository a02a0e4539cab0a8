//! `/events`: says what changed, so that the page fetches that part again.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    fmt::Write as _,
    rc::Rc,
    time::Duration,
};

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
        let mut seen = Seen::look(&app).await;
        // What was spoken of since the last look is no news in it.
        let mut told: HashSet<BackupId> = HashSet::new();
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
                // What a command line does is seen through the catalog.
                _ = look.tick() => {
                    let now = Seen::look(&app).await;
                    now.news(&seen, &told, &mut changed, &mut others);
                    seen = now;
                    told.clear();
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
                told.insert(id);
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

/// What is looked at each second, because other processes write the catalog
/// too and tell nobody: a run's progress, and how the newest backups and
/// deliveries stand.
#[derive(Default)]
struct Seen {
    runs: HashMap<BackupId, String>,
    backups: HashMap<BackupId, String>,
    deliveries: HashMap<BackupId, String>,
}

impl Seen {
    /// More than happen in a second.
    const NEWEST: u32 = 50;

    async fn look(app: &App) -> Self {
        let leases = app.catalog.leases().await.unwrap_or_default();
        let foreign = leases.into_iter().filter(|lease| app.hub.running(lease.backup_id).is_none());
        let backups = app.catalog.newest_backups(Self::NEWEST).await.unwrap_or_default();
        let mut deliveries: HashMap<BackupId, String> = HashMap::new();
        for (id, mark) in app.catalog.newest_deliveries(Self::NEWEST).await.unwrap_or_default() {
            deliveries.entry(id).or_default().push_str(&mark);
        }
        Self {
            runs: foreign.map(|lease| (lease.backup_id, lease.beats.to_string())).collect(),
            backups: backups.into_iter().collect(),
            deliveries,
        }
    }

    /// What is not as it was; what was spoken of since is left out.
    fn news(
        &self,
        before: &Self,
        told: &HashSet<BackupId>,
        changed: &mut HashSet<BackupId>,
        others: &mut Others,
    ) {
        // A look that failed says nothing.
        let differ = |now: &HashMap<BackupId, String>, before: &HashMap<BackupId, String>| {
            let is_news = |id: &&BackupId| now.get(id) != before.get(id) && !told.contains(id);
            let ids: Vec<BackupId> = now.keys().filter(is_news).copied().collect();
            ids
        };
        changed.extend(differ(&self.runs, &before.runs));
        changed.extend(differ(&before.runs, &self.runs));
        let backups = differ(&self.backups, &before.backups);
        others.list |= !backups.is_empty();
        let deliveries = differ(&self.deliveries, &before.deliveries);
        others.destinations |= !deliveries.is_empty();
        changed.extend(backups.into_iter().chain(deliveries));
    }
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
