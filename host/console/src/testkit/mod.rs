//! The test kit for authors: drives a component through the contract with the
//! real runtime, and finds for each clause whether it is kept.
//!
//! The component is tried with the settings that its author gives, or, where it
//! needs no host, with some made from its schema. What it stores is removed
//! again. The kit reaches nothing but what it was told to grant, and servers of
//! its own on the loopback interface. It knows no catalog.

mod book;
mod bounded;
mod check;
mod content;
mod facts;
mod failures;
mod heard;
mod notifier;
mod relay;
mod report;
mod retention;
mod rules;
mod schema;
mod server;
mod settings;
mod stand;
mod storage;

use std::path::PathBuf;

use actix_web::web::Bytes;
use cofferdam_model::HostGrant;
use cofferdam_runtime::{Role, Roles, Runtime};
use serde_json::Value;

use crate::service::Error;
use book::Book;
use report::broken;
use stand::Stand;

pub use report::{About, Clause, Report, Source, Verdict};

/// What is to be tried, and with what.
#[derive(Debug)]
pub struct Wishes {
    /// The component's bytes.
    pub component: Bytes,
    /// Settings that work.
    pub settings: Option<Value>,
    /// Settings each of which the component has to refuse.
    pub bad_settings: Vec<Value>,
    /// Hosts to grant beside those that the settings name.
    pub hosts: Vec<HostGrant>,
    /// Whether those that the settings name may have private addresses.
    pub private: bool,
    /// The folder to grant; without it, the one that the settings name, or one
    /// that is made for it and removed.
    pub folder: Option<PathBuf>,
    /// The size of the large file, in bytes.
    pub size: u64,
}

/// Tries the component, and tells of each clause as soon as there is a verdict.
///
/// # Errors
/// Where the wishes themselves are wrong: settings that do not fit the
/// component's schema.
pub async fn run(
    runtime: &Runtime,
    wishes: Wishes,
    tell: &mut dyn FnMut(&Clause),
) -> Result<Report, Error> {
    let mut book = Book::new(tell);
    let plugin = match runtime.load(wishes.component.clone()).await {
        Ok(plugin) => plugin,
        Err(refusal) => {
            book.add(&rules::LOAD, broken(refusal.to_string()));
            return Ok(Report { plugin: None, settings: Source::None, clauses: book.clauses() });
        }
    };
    let imports = plugin.imports().len();
    book.add(&rules::LOAD, Ok(format!("it imports {imports} interfaces, which the console has")));
    let component = wishes.component.clone();
    let mut stand = Stand::new(plugin, wishes)?;
    let about = about(&stand);

    book.add(&rules::DESCRIBE, check::describe(runtime, component, &stand).await);
    schema::judge(&stand, &mut book);
    book.add(&rules::BAD_SETTINGS, check::bad_settings(&stand).await);
    let good = check::good_settings(&mut stand).await;
    book.add(&rules::GOOD_SETTINGS, good);
    if stand.plugin.roles().storage {
        storage::judge(&stand, &mut book).await;
    }
    if stand.plugin.roles().notifier {
        notifier::judge(&stand, &mut book).await;
    }
    if stand.plugin.roles().retention {
        retention::judge(&stand, &mut book).await;
    }
    failures::judge(&stand, &mut book).await;
    book.add(&rules::QUIET, stand.secrets_kept());
    Ok(Report { plugin: Some(about), settings: stand.source, clauses: book.clauses() })
}

fn about(stand: &Stand) -> About {
    let (plugin, said) = (&stand.plugin, stand.plugin.description());
    About {
        id: said.id.clone(),
        version: said.version.to_string(),
        sha256: plugin.hash().to_string(),
        roles: roles(plugin.roles()),
    }
}

fn roles(roles: Roles) -> Vec<&'static str> {
    let word = |role| match role {
        Role::Storage => "storage",
        Role::Notifier => "notifier",
        Role::Retention => "retention",
    };
    roles.iter().map(word).collect()
}
