//! Plugins, destinations and deliveries, here or on a console.

use serde_json::Value;

use super::Client;
use crate::{
    cli::remote::segment,
    dto,
    service::{Actor, deliveries, destinations, plugins, retention},
};

impl Client {
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

    /// Puts a component into the plugin folder.
    pub async fn add_plugin(&self, name: &str, bytes: Vec<u8>) -> anyhow::Result<dto::Plugin> {
        match self {
            Self::Local(app) => Ok(plugins::upload(app, &Actor::cli(), name, bytes.into()).await?),
            Self::Remote(remote) => {
                let path = format!("/plugins?name={}", segment(name));
                remote.upload(&path, "application/wasm", bytes).await
            }
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
}
