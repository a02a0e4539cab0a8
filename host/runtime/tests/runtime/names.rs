//! What names resolve to: every address is checked, and looked up once per call.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use cofferdam_runtime::{Limits, Resolve, Resolving, Runtime, RuntimeSettings};
use serde_json::json;

use crate::{
    server,
    support::{Ear, cache, call, compiler, component, grant},
};

/// Gives one answer after another; the last one for ever.
#[derive(Debug)]
struct Answers {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Resolve for Answers {
    fn resolve<'a>(&'a self, _host: &'a str, port: u16) -> Resolving<'a> {
        let turn = self.asked.fetch_add(1, SeqCst).min(self.answers.len() - 1);
        let found = self.answers[turn].iter();
        let found = found.map(|it| SocketAddr::new(it.parse().expect("an address"), port));
        let found: Vec<_> = found.collect();
        Box::pin(async move { Ok(found) })
    }
}

/// Does `deed` to the URL `http://backups.example:PORT/x`, as often as there
/// are entries in `private`: whether the grant allows private addresses.
async fn ask(
    answers: Vec<Vec<&'static str>>,
    deed: &str,
    port: u16,
    private: &[bool],
) -> (Vec<(String, Arc<Ear>)>, usize) {
    let names = Arc::new(Answers { answers, asked: AtomicUsize::new(0) });
    let settings = RuntimeSettings {
        cache: cache(),
        compiler: compiler(),
        limits: Limits::default(),
        roots: Vec::new(),
    };
    let shared: Arc<dyn Resolve> = names.clone();
    let runtime = Runtime::with_names(settings, shared).expect("a runtime");
    let plugin = runtime.load(component()).await.expect("a plugin");
    let mut told = Vec::new();
    for private in private {
        let url = format!("http://backups.example:{port}/x");
        let (mut call, ear) = call(json!({ "do": deed, "url": url }));
        call.grants.hosts.push(grant("backups.example", port, *private));
        let result = plugin.check(call).await.result;
        told.push((result.unwrap_or_else(|error| error.to_string()), ear));
    }
    (told, names.asked.load(SeqCst))
}

#[tokio::test]
async fn a_name_is_resolved_once_per_call_and_its_address_is_kept() {
    let server = server::closing().await;
    let port = server.address.port();
    // Nobody listens at the second address: a second look would show.
    let answers = vec![vec!["127.0.0.1"], vec!["127.0.0.2"]];
    let (told, asked) = ask(answers, "get-twice", port, &[true]).await;
    assert_eq!(told[0].0, "200 hi 200 hi", "{:?}", told[0].1.lines());
    // Each request had a connection of its own, and none asked again.
    assert_eq!((server.connections(), asked), (2, 1));
}

#[tokio::test]
async fn a_name_that_becomes_a_private_address_is_denied_in_the_next_call() {
    let server = server::good().await;
    let port = server.address.port();
    let answers = vec![vec!["127.0.0.1"], vec!["127.0.0.1"]];
    let (told, asked) = ask(answers, "get", port, &[true, false]).await;
    assert_eq!(told[0].0, "200 /x");
    assert_eq!(told[1].0, "ErrorCode::DestinationIpProhibited");
    assert_eq!(
        told[1].1.denials(),
        [format!(
            "a connection to backups.example:{port} was denied: its address 127.0.0.1 is not a \
             public one, and the grant does not allow private addresses"
        )]
    );
    assert_eq!((server.connections(), asked), (1, 2));
}

#[tokio::test]
async fn one_private_address_among_public_ones_is_enough_for_a_denial() {
    let server = server::good().await;
    let port = server.address.port();
    for bad in ["127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fd00::1", "0.0.0.0"] {
        for answer in [vec!["1.1.1.1", bad], vec![bad, "1.1.1.1"]] {
            let (told, _) = ask(vec![answer], "get", port, &[false]).await;
            assert_eq!(told[0].0, "ErrorCode::DestinationIpProhibited", "{bad}");
            assert_eq!(told[0].1.denials().len(), 1);
        }
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_without_an_address_is_told() {
    let (told, _) = ask(vec![Vec::new()], "get", 80, &[false]).await;
    assert_eq!(told[0].0, "ErrorCode::DestinationNotFound");
    assert_eq!(told[0].1.lines(), ["the name backups.example has no address"]);
}
