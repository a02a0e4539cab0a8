//! Where a command is carried out: here, on the catalog itself, or on a
//! running console through its API. Both speak the API's types.

use std::sync::Arc;

use cofferdam_model::{BackupStatus, Connection, Secret};
use serde_json::Value;

use super::{
    output,
    problem::Problem,
    remote::{Remote, segment},
};
use crate::{
    app::App,
    config::{Config, from_here, parse_url},
    dto,
    service::{
        Actor, Error, backups, databases, deliveries, destinations, plugins, retention, setup,
    },
};

/// See the module.
pub enum Client {
    /// On this machine's catalog.
    Local(Arc<App>),
    /// On a console.
    Remote(Remote),
}

impl Client {
    /// Opens the catalog. Where there is none, a command that `begins`
    /// something makes what the first start makes, so that a command line alone
    /// is enough; any other finds nothing. It never puts records and files in
    /// step: a running console's jobs are its own.
    pub async fn local(config: Config, begins: bool, tell: bool) -> anyhow::Result<Self> {
        let is_new = !config.catalog.exists();
        if is_new && !begins {
            anyhow::bail!(
                "there is no catalog {}\n\
                 HINT: --data-dir names another data folder; \
                 `cofferdam serve` or `cofferdam database add` makes a new catalog",
                config.catalog.display()
            );
        }
        let app = App::open(config).await?;
        setup::first_start(&app).await?;
        if is_new && tell {
            output::note(&format!(
                "There was no catalog yet; a new one was made: {}",
                app.config.catalog.display()
            ));
        }
        Ok(Self::Local(Arc::new(app)))
    }

    /// The opened catalog, for commands that exist on this machine only.
    pub fn here(&self) -> anyhow::Result<&Arc<App>> {
        match self {
            Self::Local(app) => Ok(app),
            Self::Remote(_) => Err(Error::BadRequest(
                "this command works on the console's own machine only, without --server (or COFFERDAM_SERVER)"
                    .to_owned(),
            )
            .into()),
        }
    }

    /// A page of the list.
    pub async fn backups(&self, query: &dto::BackupQuery) -> anyhow::Result<dto::BackupPage> {
        match self {
            Self::Local(app) => {
                let filter = backups::filter(query)?;
                let page = backups::list(app, &filter).await?;
                Ok(dto::BackupPage {
                    backups: deliveries::with_backups(app, &page.backups).await?,
                    total: page.total,
                    limit: filter.limit,
                    offset: filter.offset,
                })
            }
            Self::Remote(remote) => {
                remote.get(&format!("/backups?{}", Remote::query(query)?)).await
            }
        }
    }

    /// One backup.
    pub async fn backup(&self, id: &str) -> anyhow::Result<dto::Backup> {
        match self {
            Self::Local(app) => {
                Ok(deliveries::with_backup(app, &backups::find(app, id).await?).await?)
            }
            Self::Remote(remote) => remote.get(&format!("/backups/{}", segment(id))).await,
        }
    }

    /// How it stands.
    pub async fn state(&self, id: &str) -> anyhow::Result<dto::BackupState> {
        match self {
            Self::Local(app) => Ok(crate::http::api::backups::state_of(app, id).await?),
            Self::Remote(remote) => remote.get(&format!("/backups/{}/status", segment(id))).await,
        }
    }

    /// Its log.
    pub async fn log(&self, id: &str) -> anyhow::Result<dto::BackupLog> {
        match self {
            Self::Local(app) => {
                let backup = backups::find(app, id).await?;
                Ok(backups::whole_log(app, backup.id, 0).await?)
            }
            Self::Remote(remote) => remote.get(&format!("/backups/{}/log", segment(id))).await,
        }
    }

    /// Refuses the name of a database that nobody has heard of: neither is it
    /// there now, nor are there backups from when it was.
    pub async fn expect_database(&self, key: &str) -> anyhow::Result<()> {
        let one = dto::BackupQuery {
            database: Some(key.to_owned()),
            limit: Some(1),
            ..dto::BackupQuery::default()
        };
        if self.backups(&one).await?.total > 0 {
            return Ok(());
        }
        match self {
            Self::Local(app) => databases::find(app, key).await.map(drop).map_err(Into::into),
            Self::Remote(remote) => {
                let path = format!("/databases/{}", segment(key));
                remote.get::<dto::Database>(&path).await.map(drop)
            }
        }
    }

    /// Asks for a backup; here it is also run here.
    pub async fn create(&self, wish: &dto::NewBackup) -> anyhow::Result<dto::Backup> {
        match self {
            Self::Local(app) => {
                let backup = backups::create(app, &Actor::cli(), wish, None).await?;
                Ok(deliveries::with_backup(app, &backup).await?)
            }
            Self::Remote(remote) => {
                remote.send("POST", "/backups", Some(serde_json::to_value(wish)?)).await
            }
        }
    }

    /// Stops a backup.
    pub async fn cancel(&self, id: &str) -> anyhow::Result<()> {
        match self {
            Self::Local(app) => {
                Ok(backups::cancel(app, &Actor::cli(), &backups::find(app, id).await?).await?)
            }
            Self::Remote(remote) => {
                let _: dto::BackupState =
                    remote.send("POST", &format!("/backups/{}/cancel", segment(id)), None).await?;
                Ok(())
            }
        }
    }

    /// Keeps a backup from every deletion, or no longer.
    pub async fn pin(&self, id: &str, pinned: bool) -> anyhow::Result<dto::Backup> {
        match self {
            Self::Local(app) => {
                let backup = backups::find(app, id).await?;
                let backup = backups::set_pinned(app, &Actor::cli(), &backup, pinned).await?;
                Ok(deliveries::with_backup(app, &backup).await?)
            }
            Self::Remote(remote) => {
                let body = serde_json::to_value(dto::Pin { pinned })?;
                remote.send("POST", &format!("/backups/{}/pin", segment(id)), Some(body)).await
            }
        }
    }

    /// Gives a backup labels in place of those it had.
    pub async fn label(&self, id: &str, labels: Vec<String>) -> anyhow::Result<dto::Backup> {
        match self {
            Self::Local(app) => {
                let backup = backups::find(app, id).await?;
                let backup = backups::set_labels(app, &Actor::cli(), &backup, &labels).await?;
                Ok(deliveries::with_backup(app, &backup).await?)
            }
            Self::Remote(remote) => {
                let body = serde_json::to_value(dto::Labels { labels })?;
                remote.send("PUT", &format!("/backups/{}/labels", segment(id)), Some(body)).await
            }
        }
    }

    /// Deletes a backup, and unless `keep_remote` its copies at destinations.
    pub async fn delete(&self, id: &str, keep_remote: bool) -> anyhow::Result<()> {
        match self {
            Self::Local(app) => {
                let backup = backups::find(app, id).await?;
                Ok(backups::delete(app, &Actor::cli(), &backup, keep_remote).await?)
            }
            Self::Remote(remote) => {
                let path = format!("/backups/{}?keep_remote={keep_remote}", segment(id));
                remote.delete(&path).await
            }
        }
    }

    /// All databases.
    pub async fn databases(&self) -> anyhow::Result<dto::DatabaseList> {
        match self {
            Self::Local(app) => {
                let list = databases::list(app).await?;
                Ok(dto::DatabaseList { databases: list.iter().map(dto::Database::new).collect() })
            }
            Self::Remote(remote) => remote.get("/databases").await,
        }
    }

    /// Adds a database given as a URL.
    pub async fn add_database(
        &self,
        url: Secret,
        name: Option<String>,
        password: Option<Secret>,
    ) -> anyhow::Result<dto::AddedDatabase> {
        let connection = parse_url(url.expose()).map_err(|error| {
            Problem::usage(&format!(
                "the URL is not understood: {error:#}\n\
                 HINT: postgres://user@host:5432/name or sqlite:path"
            ))
        })?;
        let connection = match (self, connection) {
            (Self::Local(_), connection) => from_here(connection)?,
            (Self::Remote(_), Connection::Sqlite(it)) if it.path.is_relative() => {
                return Err(Problem::usage(&format!(
                    "{} is a path from this folder, but the file is looked for on the console's machine\n\
                     HINT: give the path there from the root, such as sqlite:/srv/blog/blog.db",
                    it.path.display()
                ))
                .into());
            }
            (_, connection) => connection,
        };
        let view = crate::service::connection::view(&connection);
        let password =
            password.or_else(|| crate::service::connection::password(&connection).cloned());
        let input = dto::DatabaseInput {
            name,
            engine: Some(if view.path.is_some() { "sqlite" } else { "postgres" }.to_owned()),
            host: view.host,
            port: view.port.map(i64::from),
            dbname: view.dbname,
            user: view.user,
            password,
            sslmode: view.sslmode.map(|it| it.as_str().to_owned()),
            sslrootcert: view.sslrootcert,
            path: view.path,
            url: None,
        };
        match self {
            Self::Local(app) => {
                Ok(dto::AddedDatabase::new(&databases::add(app, &Actor::cli(), &input).await?))
            }
            Self::Remote(remote) => {
                let mut body = serde_json::json!({
                    "name": input.name, "engine": input.engine, "host": input.host, "port": input.port,
                    "dbname": input.dbname, "user": input.user, "sslmode": input.sslmode,
                    "sslrootcert": input.sslrootcert, "path": input.path,
                });
                if let Some(password) = &input.password {
                    body["password"] = password.expose().into();
                }
                remote.send("POST", "/databases", Some(body)).await
            }
        }
    }

    /// Looks whether a backup would work.
    pub async fn check_database(&self, key: &str) -> anyhow::Result<Value> {
        match self {
            Self::Local(app) => {
                let database = databases::find(app, key).await?;
                Ok(crate::http::api::databases::check_json(
                    &databases::check(app, &database).await?.found.map_err(Error::from)?,
                ))
            }
            Self::Remote(remote) => {
                remote.send("POST", &format!("/databases/{}/check", segment(key)), None).await
            }
        }
    }

    /// All plugins.
    pub async fn plugins(&self) -> anyhow::Result<dto::PluginList> {
        match self {
            Self::Local(app) => Ok(crate::http::api::plugins::all(app).await?),
            Self::Remote(remote) => remote.get("/plugins").await,
        }
    }

    /// One plugin.
    pub async fn plugin(&self, key: &str) -> anyhow::Result<dto::Plugin> {
        match self {
            Self::Local(app) => Ok(plugins::find(app, key).await?),
            Self::Remote(remote) => remote.get(&format!("/plugins/{}", segment(key))).await,
        }
    }

    /// Approves a component.
    pub async fn approve_plugin(
        &self,
        hash: &str,
        approval: &dto::Approval,
    ) -> anyhow::Result<dto::Plugin> {
        match self {
            Self::Local(app) => Ok(plugins::approve(app, &Actor::cli(), hash, approval).await?),
            Self::Remote(remote) => {
                let path = format!("/plugins/{}/approve", segment(hash));
                remote.send("POST", &path, Some(serde_json::to_value(approval)?)).await
            }
        }
    }

    /// Takes a component's approval back.
    pub async fn revoke_plugin(&self, hash: &str) -> anyhow::Result<()> {
        match self {
            Self::Local(app) => Ok(plugins::revoke(app, &Actor::cli(), hash).await?),
            Self::Remote(remote) => {
                remote.post(&format!("/plugins/{}/revoke", segment(hash))).await
            }
        }
    }

    /// All destinations.
    pub async fn destinations(&self) -> anyhow::Result<dto::DestinationList> {
        match self {
            Self::Local(app) => {
                Ok(dto::DestinationList { destinations: destinations::views(app).await? })
            }
            Self::Remote(remote) => remote.get("/destinations").await,
        }
    }

    /// One destination.
    pub async fn destination(&self, key: &str) -> anyhow::Result<dto::Destination> {
        match self {
            Self::Local(app) => {
                Ok(destinations::view(app, &destinations::find(app, key).await?).await?)
            }
            Self::Remote(remote) => remote.get(&format!("/destinations/{}", segment(key))).await,
        }
    }

    /// Adds a destination; the wish is the API's JSON.
    pub async fn add_destination(&self, wish: Value) -> anyhow::Result<dto::Destination> {
        match self {
            Self::Local(app) => {
                let input = serde_json::from_value(wish)?;
                let made = destinations::create(app, &Actor::cli(), &input).await?;
                Ok(destinations::view(app, &made).await?)
            }
            Self::Remote(remote) => remote.send("POST", "/destinations", Some(wish)).await,
        }
    }

    /// Changes a destination; the wish is the API's JSON.
    pub async fn change_destination(
        &self,
        key: &str,
        wish: Value,
    ) -> anyhow::Result<dto::Destination> {
        match self {
            Self::Local(app) => {
                let (before, input) =
                    (destinations::find(app, key).await?, serde_json::from_value(wish)?);
                let changed = destinations::update(app, &Actor::cli(), &before, &input).await?;
                Ok(destinations::view(app, &changed).await?)
            }
            Self::Remote(remote) => {
                remote.send("PATCH", &format!("/destinations/{}", segment(key)), Some(wish)).await
            }
        }
    }

    /// Asks whether a destination works, or would with these changes.
    pub async fn check_destination(
        &self,
        key: &str,
        changes: Option<Value>,
    ) -> anyhow::Result<dto::DestinationCheck> {
        match (self, changes) {
            (Self::Local(app), None) => {
                Ok(destinations::check(app, &destinations::find(app, key).await?).await?)
            }
            (Self::Local(app), Some(changes)) => {
                let before = destinations::find(app, key).await?;
                let input = serde_json::from_value(changes)?;
                Ok(destinations::try_out(app, &Actor::cli(), &input, Some(&before)).await?)
            }
            (Self::Remote(remote), changes) => {
                remote.send("POST", &format!("/destinations/{}/check", segment(key)), changes).await
            }
        }
    }

    /// Asks whether a new destination would work; the wish is the API's JSON.
    pub async fn try_destination(&self, wish: Value) -> anyhow::Result<dto::DestinationCheck> {
        match self {
            Self::Local(app) => {
                let input = serde_json::from_value(wish)?;
                Ok(destinations::try_out(app, &Actor::cli(), &input, None).await?)
            }
            Self::Remote(remote) => remote.send("POST", "/destinations/check", Some(wish)).await,
        }
    }

    /// Sends a test notification.
    pub async fn test_destination(&self, key: &str) -> anyhow::Result<dto::DestinationCheck> {
        match self {
            Self::Local(app) => {
                let destination = destinations::find(app, key).await?;
                Ok(destinations::send_test(app, &Actor::cli(), &destination).await?)
            }
            Self::Remote(remote) => {
                remote.send("POST", &format!("/destinations/{}/test", segment(key)), None).await
            }
        }
    }

    /// Which copies have had their time at a destination; unless `dry_run` they go.
    pub async fn retention(&self, key: &str, dry_run: bool) -> anyhow::Result<dto::Retention> {
        match self {
            Self::Local(app) => {
                let destination = destinations::find(app, key).await?;
                Ok(if dry_run {
                    retention::preview(app, &destination).await?
                } else {
                    retention::run(app, &Actor::cli(), &destination).await?
                })
            }
            Self::Remote(remote) => {
                let wish = serde_json::to_value(dto::RetentionWish { dry_run })?;
                let path = format!("/destinations/{}/retention", segment(key));
                remote.send("POST", &path, Some(wish)).await
            }
        }
    }

    /// The deliveries to a destination.
    pub async fn deliveries(&self, destination: &str) -> anyhow::Result<dto::DeliveryList> {
        match self {
            Self::Local(app) => {
                Ok(deliveries::list(app, &destinations::find(app, destination).await?).await?)
            }
            Self::Remote(remote) => {
                remote.get(&format!("/destinations/{}/deliveries", segment(destination))).await
            }
        }
    }

    /// One delivery with its attempts.
    pub async fn delivery(&self, id: &str) -> anyhow::Result<dto::DeliveryDetail> {
        match self {
            Self::Local(app) => {
                Ok(deliveries::detail(app, &deliveries::find(app, id).await?).await?)
            }
            Self::Remote(remote) => remote.get(&format!("/deliveries/{}", segment(id))).await,
        }
    }

    /// `retry` or `cancel` of a delivery.
    pub async fn change_delivery(
        &self,
        id: &str,
        what: &str,
    ) -> anyhow::Result<dto::DeliveryDetail> {
        match self {
            Self::Local(app) => {
                let (by, found) = (Actor::cli(), deliveries::find(app, id).await?);
                match what {
                    "retry" => deliveries::retry(app, &by, &found).await?,
                    _ => deliveries::cancel(app, &by, &found).await?,
                }
                self.delivery(id).await
            }
            Self::Remote(remote) => {
                remote.send("POST", &format!("/deliveries/{}/{what}", segment(id)), None).await
            }
        }
    }

    /// Forgets a destination.
    pub async fn remove_destination(&self, key: &str) -> anyhow::Result<()> {
        match self {
            Self::Local(app) => {
                let destination = destinations::find(app, key).await?;
                Ok(destinations::remove(app, &Actor::cli(), &destination).await?)
            }
            Self::Remote(remote) => remote.delete(&format!("/destinations/{}", segment(key))).await,
        }
    }

    /// Forgets a database.
    pub async fn remove_database(&self, key: &str) -> anyhow::Result<()> {
        match self {
            Self::Local(app) => {
                Ok(databases::remove(app, &Actor::cli(), &databases::find(app, key).await?).await?)
            }
            Self::Remote(remote) => remote.delete(&format!("/databases/{}", segment(key))).await,
        }
    }
}

/// Whether there is nothing more to wait for.
pub fn is_over(status: BackupStatus) -> bool {
    !matches!(status, BackupStatus::Pending | BackupStatus::Running)
}
