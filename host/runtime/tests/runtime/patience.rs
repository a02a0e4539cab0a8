//! Servers that are slow, silent, or say too much.

use std::{sync::Arc, time::Duration};

use cofferdam_runtime::{CallError, LimitBroken};
use serde_json::{Value, json};

use crate::{
    server::{self, Server},
    support::{Content, Ear, backup, call, grant, misbehaving},
};

/// Does this with the server; the limits of idle time and of waiting are a
/// second and four, so that only what is waited for in vain is over then.
async fn ask(server: &Server, settings: Value) -> (Result<String, CallError>, Arc<Ear>) {
    let (mut call, ear) = call(settings);
    call.settings["url"] = json!(server.url("/"));
    call.grants.hosts.push(grant("127.0.0.1", server.address.port(), true));
    call.limits.idle = Duration::from_secs(1);
    call.limits.answer = Duration::from_secs(4);
    (misbehaving().await.check(call).await.result, ear)
}

fn told(result: Result<String, CallError>) -> String {
    result.unwrap_or_else(|error| error.to_string())
}

#[tokio::test]
async fn a_server_that_takes_its_time_is_waited_for_beyond_the_idle_time() {
    let server = server::slow(
        Duration::from_millis(1_500),
        vec!["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi".to_owned()],
    )
    .await;
    let (result, _) = ask(&server, json!({ "mode": "request" })).await;
    assert_eq!(result, Ok("answered 200: hi".to_owned()));
}

#[tokio::test]
async fn waiting_for_answers_has_a_limit_of_its_own() {
    let server = server::slow(Duration::from_mins(1), vec!["too late".to_owned()]).await;
    let (result, _) = ask(&server, json!({ "mode": "request" })).await;
    let limit = LimitBroken::Answer(Duration::from_secs(4));
    assert_eq!(result, Err(CallError::Limit(limit.clone())));
    assert!(limit.is_temporary());
}

#[tokio::test]
async fn a_component_is_told_when_an_answer_does_not_begin_or_go_on_in_its_own_time() {
    let server = server::slow(Duration::from_mins(1), vec!["too late".to_owned()]).await;
    let (result, ear) = ask(&server, json!({ "mode": "impatient", "milliseconds": 200 })).await;
    let told_of = told(result);
    assert!(told_of.ends_with("it did not answer in time"), "{told_of}");
    assert!(ear.lines()[0].ends_with("failed: no answer in time"), "{:?}", ear.lines());

    let begins = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhi";
    let server = server::slow(Duration::ZERO, vec![begins.to_owned()]).await;
    let (result, _) = ask(&server, json!({ "mode": "impatient", "milliseconds": 200 })).await;
    let told_of = told(result);
    assert!(told_of.contains("reading: connection read timeout"), "{told_of}");
}

#[tokio::test]
async fn who_reads_an_answer_late_is_not_told_that_the_server_is_slow() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
    // It reads after 1.2 s; what comes 0.2 s after that, it has waited for in time.
    let late =
        vec![(Duration::ZERO, head.to_owned()), (Duration::from_millis(1_400), "hi".to_owned())];
    let dawdle = json!({ "mode": "dawdle", "milliseconds": 400 });
    let server = server::paced(late).await;
    assert_eq!(ask(&server, dawdle.clone()).await.0, Ok("2 bytes".to_owned()));
    // A server that says no more is slow all the same.
    let server = server::slow(Duration::ZERO, vec![format!("{head}h")]).await;
    let (result, _) = ask(&server, dawdle).await;
    let told_of = told(result);
    assert!(told_of.contains("reading: connection read timeout"), "{told_of}");
}

#[tokio::test]
async fn an_answer_that_drips_is_waited_for_as_long_as_any() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
    let mut parts = vec![" ".to_owned(); 100];
    parts.insert(0, head.to_owned());
    let server = server::slow(Duration::from_millis(100), parts).await;
    let (result, _) = ask(&server, json!({ "mode": "impatient", "milliseconds": 500 })).await;
    let limit = LimitBroken::Answer(Duration::from_secs(4));
    assert_eq!(result, Err(CallError::Limit(limit)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_take_the_data_is_left_after_the_idle_time() {
    let (server, _got) = server::rude("", 1, true).await;
    let (mut call, ear) = call(json!({ "do": "put", "url": server.url("/") }));
    call.grants.hosts.push(grant("127.0.0.1", server.address.port(), true));
    call.limits.idle = Duration::from_secs(1);
    let size = 64 << 20;
    let plugin = crate::support::plugin().await;
    let result = plugin.store(call, backup(size as u64), Content::new(size)).await.result;
    let error = result.expect_err("it is not taken");
    // The request and the call run out of time together.
    let by_request = ear.lines().iter().any(|it| it.ends_with("the server does not take the data"));
    let by_call = matches!(error, CallError::Limit(LimitBroken::Idle(_)));
    assert!(by_request || by_call, "{error:?} {:?}", ear.lines());
}

#[tokio::test]
async fn no_more_than_sixteen_connections_are_open_at_once() {
    let (server, _got) = server::rude("", 1 << 20, true).await;
    let (mut call, ear) =
        call(json!({ "mode": "requests-at-once", "times": 200, "milliseconds": 500 }));
    call.settings["url"] = json!(server.url("/"));
    call.grants.hosts.push(grant("127.0.0.1", server.address.port(), true));
    drop(misbehaving().await.check(call).await);
    assert!((1..=16).contains(&server.connections()), "{}", server.connections());
    let refused = ear.lines().iter().filter(|it| it.contains("more than 16 connections")).count();
    assert!(refused >= 100, "{refused}: {:?}", ear.lines().first());
}

#[tokio::test]
async fn a_hundred_thousand_headers_are_refused_in_both_directions() {
    let server = server::good().await;
    let (result, _) = ask(&server, json!({ "mode": "headers" })).await;
    assert_eq!(result, Err(CallError::Limit(LimitBroken::Head(64 << 10))));
    assert_eq!(server.connections(), 0);

    let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
    for number in 0..100_000 {
        head.push_str("x-");
        head.push_str(&number.to_string());
        head.push_str(": v\r\n");
    }
    let one = format!("HTTP/1.1 200 OK\r\nx-long: {}\r\n", "x".repeat(10 << 20));
    for flood in [head, one] {
        let server = server::slow(Duration::ZERO, vec![flood]).await;
        let (result, _) = ask(&server, json!({ "mode": "request" })).await;
        let told_of = told(result);
        assert!(told_of.contains("HttpResponseHeaderSectionSize"), "{told_of}");
    }
}
