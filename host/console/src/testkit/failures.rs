//! What a component makes of the failures of others.

use cofferdam_model::{Grants, HostGrant, HostPattern};
use cofferdam_runtime::{CallError, Denied, Failure, Severity};
use serde_json::Value;

use super::{
    book::Book,
    content::Content,
    facts,
    report::{Finding, Source, broken, not_applicable},
    rules,
    server::{Server, closed_port},
    stand::{Stand, told, word},
};
use crate::service::destinations::settings::{get, marked, put};

/// Tries the clauses about failures.
pub async fn judge(stand: &Stand, book: &mut Book<'_>) {
    book.add(&rules::DENIED, denied(stand).await);
    book.add(&rules::REFUSED, refused(stand).await);
    book.add(&rules::BUSY, busy(stand).await);
    book.add(&rules::FORBIDDEN, forbidden(stand).await);
}

/// Does what the component is there for, with these settings and grants.
async fn act(stand: &Stand, settings: &Value, grants: Grants) -> Result<(), CallError> {
    let roles = stand.plugin.roles();
    let mut call = if roles.storage { stand.moving(settings) } else { stand.call(settings) };
    call.grants = grants;
    if roles.storage {
        let content = Content::new(6, 100_000);
        return stand.store(call, &facts::backup(&content), content).await.0.map(|_| ());
    }
    if roles.notifier {
        let event = facts::event("test", Severity::Info, None);
        return stand.notify(call, event).await.map(|_| ());
    }
    stand.check(call).await.map(|_| ())
}

async fn denied(stand: &Stand) -> Finding {
    let asks = stand.plugin.description().grants;
    if !asks.network && !asks.folder && !asks.mail {
        return not_applicable("it asks for nothing that could be denied");
    }
    stand.heard.take_denied();
    let result = act(stand, &stand.base, Grants::default()).await;
    let heard = stand.heard.take_denied();
    let was_denied = heard.iter().any(|it| matches!(it, Denied::Host { .. } | Denied::Mail));
    match result {
        Err(CallError::Failure(Failure::Denied(why))) => Ok(why),
        Err(CallError::Failure(Failure::InvalidConfig(_))) if stand.source != Source::Given => {
            not_applicable("no settings that work were given")
        }
        Ok(()) if !was_denied => not_applicable("it used nothing that could be denied"),
        Ok(()) => broken("it says that it has succeeded"),
        Err(error) => broken(told(&error)),
    }
}

async fn refused(stand: &Stand) -> Finding {
    if stand.plugin.description().grants.mail {
        let settings = stand.good()?;
        stand.relay.set_away(true);
        let result = act(stand, settings, stand.grants.clone()).await;
        stand.relay.set_away(false);
        return temporary(result);
    }
    let Ok(port) = closed_port().await else { return not_applicable("no port is free") };
    temporary(act_at(stand, port).await?)
}

async fn busy(stand: &Stand) -> Finding {
    let Ok(server) = Server::start("503 Service Unavailable").await else {
        return not_applicable("no port is free");
    };
    temporary(act_at(stand, server.port()).await?)
}

async fn forbidden(stand: &Stand) -> Finding {
    let Ok(server) = Server::start("403 Forbidden").await else {
        return not_applicable("no port is free");
    };
    match act_at(stand, server.port()).await? {
        Err(CallError::Failure(failure @ Failure::Temporary { .. })) => {
            broken(told(&CallError::Failure(failure)))
        }
        Err(CallError::Failure(failure)) => Ok(format!("{}: {failure}", word(&failure))),
        Err(error) => broken(told(&error)),
        Ok(()) => broken("it says that it has succeeded"),
    }
}

fn temporary(result: Result<(), CallError>) -> Finding {
    match result {
        Err(CallError::Failure(failure @ Failure::Temporary { .. })) => Ok(failure.to_string()),
        Err(error) => broken(told(&error)),
        Ok(()) => broken("it says that it has succeeded"),
    }
}

/// Acts with every host of the settings replaced by a port of this machine.
async fn act_at(stand: &Stand, port: u16) -> Result<Result<(), CallError>, super::report::Fault> {
    let mut settings = stand.base.clone();
    let mut moved = false;
    for place in marked(stand.schema(), "host") {
        let Some(Value::String(text)) = get(&settings, &place) else { continue };
        let there = elsewhere(text, port);
        put(&mut settings, &place, there.into());
        moved = true;
    }
    if !moved {
        return not_applicable("its settings name no host");
    }
    let host = HostPattern::Address([127, 0, 0, 1].into());
    let mut grants = stand.grants.clone();
    grants.hosts = vec![HostGrant { host, port, private: true }];
    match act(stand, &settings, grants).await {
        // A host that other settings depend on cannot be replaced by itself.
        Err(CallError::Failure(Failure::InvalidConfig(_))) => {
            not_applicable("its settings cannot be made to name another host")
        }
        result => Ok(result),
    }
}

/// The same address at a port of this machine, without encryption.
fn elsewhere(text: &str, port: u16) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
    let scheme = if scheme.is_empty() { "" } else { "http://" };
    format!("{scheme}127.0.0.1:{port}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_all_but_its_host() {
        for (text, there) in [
            ("https://a.example:8443/x/y?z", "http://127.0.0.1:9/x/y?z"),
            ("http://a.example", "http://127.0.0.1:9"),
            ("smtp.example.org:587", "127.0.0.1:9"),
        ] {
            assert_eq!(elsewhere(text, 9), there);
        }
    }
}
