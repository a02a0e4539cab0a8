//! Who does something.

use std::net::IpAddr;

use cofferdam_model::{Role, Trigger, UserId};

/// How somebody came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A signed-in browser.
    Page,
    /// A bearer token.
    Api,
    /// The command line on this machine.
    Cli,
    /// The console itself: start-up, reconciliation.
    System,
}

/// Who does something, for role checks and the audit log.
#[derive(Debug, Clone)]
pub struct Actor {
    /// How they came in.
    pub door: Door,
    /// Their record, where they have one.
    pub user: Option<UserId>,
    /// Their name, as the audit log writes it.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// From where, over the network.
    pub remote: Option<IpAddr>,
}

impl Actor {
    /// Whoever may open the catalog on this machine is an administrator.
    pub fn cli() -> Self {
        let name = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
        Self {
            door: Door::Cli,
            user: None,
            name: name.unwrap_or_else(|_| "command line".to_owned()),
            role: Role::Administrator,
            remote: None,
        }
    }

    /// Somebody who has not signed in.
    pub fn stranger(door: Door, remote: Option<IpAddr>) -> Self {
        Self { door, user: None, name: "somebody".to_owned(), role: Role::Viewer, remote }
    }

    /// The console itself.
    pub fn system() -> Self {
        Self {
            door: Door::System,
            user: None,
            name: "cofferdam".to_owned(),
            role: Role::Administrator,
            remote: None,
        }
    }

    /// What the record of a backup says about where the wish came from.
    pub fn trigger(&self) -> Trigger {
        match self.door {
            Door::Page => Trigger::Manual,
            Door::Api => Trigger::Api,
            Door::Cli | Door::System => Trigger::Cli,
        }
    }
}
