//! Which hosts are reached, and what is denied in which words.

use std::{sync::Arc, time::Duration};

use cofferdam_runtime::{CallError, HostGrant, LimitBroken};
use serde_json::json;

use crate::{
    server,
    support::{Ear, call, grant, misbehaving, plugin},
};

/// Gets the URL; the answer, or the component's words for why there is none.
async fn get(deed: &str, url: &str, hosts: Vec<HostGrant>) -> (String, Arc<Ear>) {
    let (mut call, ear) = call(json!({ "do": deed, "url": url }));
    call.grants.hosts = hosts;
    let result = plugin().await.check(call).await.result;
    (result.unwrap_or_else(|error| error.to_string()), ear)
}

#[tokio::test]
async fn a_host_that_is_not_granted_is_denied_and_named() {
    let server = server::good().await;
    let port = server.address.port();
    let (answer, ear) = get("get", &server.url("/"), Vec::new()).await;
    assert_eq!(answer, "ErrorCode::HttpRequestDenied");
    let denial =
        format!("a connection to 127.0.0.1:{port} was denied: this host and port are not granted");
    assert_eq!(ear.denials(), [denial]);
    // Another port, another name.
    let others = vec![grant("127.0.0.1", port - 1, true), grant("localhost", port, true)];
    assert_eq!(get("get", &server.url("/"), others).await.0, "ErrorCode::HttpRequestDenied");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_granted_host_at_a_private_address_is_denied_unless_the_grant_says_private() {
    let server = server::good().await;
    let port = server.address.port();
    for host in
        ["127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "localhost", "169.254.169.254", "10.0.0.1"]
    {
        let granted = host.trim_matches(['[', ']']);
        let url = format!("http://{host}:{port}/");
        let (answer, ear) = get("get", &url, vec![grant(granted, port, false)]).await;
        assert_eq!(answer, "ErrorCode::DestinationIpProhibited", "{host}");
        let denials = ear.denials();
        assert!(denials[0].contains("not a public one"), "{denials:?}");
    }
    assert_eq!(server.connections(), 0);
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost"] {
        let granted = host.trim_matches(['[', ']']);
        let url = format!("http://{host}:{port}/there");
        let (answer, ear) = get("get", &url, vec![grant(granted, port, true)]).await;
        assert_eq!(answer, "200 /there", "{host}: {:?}", ear.lines());
    }
}

#[tokio::test]
async fn an_address_of_no_host_is_denied_whatever_the_grant_says() {
    for host in ["0.0.0.0", "224.0.0.1", "192.0.2.1", "[ff02::1]", "[2001:db8::1]"] {
        let granted = grant(host.trim_matches(['[', ']']), 80, true);
        let (answer, _) = get("get", &format!("http://{host}/"), vec![granted]).await;
        assert_eq!(answer, "ErrorCode::DestinationIpProhibited", "{host}");
    }
}

#[tokio::test]
async fn a_name_in_front_of_the_host_is_refused() {
    let server = server::good().await;
    let port = server.address.port();
    let url = format!("http://user@127.0.0.1:{port}/");
    let (answer, _) = get("get", &url, vec![grant("127.0.0.1", port, true)]).await;
    assert_eq!(answer, "ErrorCode::HttpRequestUriInvalid");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = server::good().await;
    let granted = vec![grant("127.0.0.1", server.address.port(), true)];
    let (answer, _) = get("get", &server.url("/redirect"), granted).await;
    assert_eq!(answer, "302 moved");
}

#[tokio::test]
async fn requests_of_one_call_share_a_connection_and_those_of_two_do_not() {
    let server = server::good().await;
    let granted = vec![grant("127.0.0.1", server.address.port(), true)];
    let (answer, _) = get("get-twice", &server.url("/x"), granted.clone()).await;
    assert_eq!(answer, "200 /x 200 /x");
    assert_eq!(server.connections(), 1);
    get("get", &server.url("/x"), granted.clone()).await;
    assert_eq!(server.connections(), 2);
    // The same with the SDK, which ends the empty body of a request by itself.
    let (mut call, _) = call(json!({ "mode": "requests", "times": 3, "url": server.url("/x") }));
    call.grants.hosts = granted;
    misbehaving().await.check(call).await.result.expect("three answers");
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_the_server_closes_after_each_answer_is_opened_anew() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
    let (server, _got) = server::rude(answer, 10, false).await;
    let granted = vec![grant("127.0.0.1", server.address.port(), true)];
    let (answer, ear) = get("get-twice", &server.url("/"), granted).await;
    assert_eq!(answer, "200 hi 200 hi", "{:?}", ear.lines());
}

#[tokio::test]
async fn what_cannot_be_reached_has_a_code_for_the_plugin_and_a_line_for_the_administrator() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address");
    let port = closed.port();
    let granted = vec![grant("127.0.0.1", port, true)];
    let (answer, ear) = get("get", &format!("http://127.0.0.1:{port}/"), granted).await;
    assert_eq!(answer, "ErrorCode::ConnectionRefused");
    let lines = ear.lines();
    assert!(lines[0].starts_with(&format!("connecting to 127.0.0.1:{port} failed: ")), "{lines:?}");
    let granted = vec![grant("nowhere.invalid", 80, false)];
    let (answer, ear) = get("get", "http://nowhere.invalid/", granted).await;
    assert!(answer.starts_with("ErrorCode::DnsError"), "{answer}");
    assert!(
        ear.lines()[0].starts_with("the name nowhere.invalid cannot be resolved"),
        "{:?}",
        ear.lines()
    );
}

#[tokio::test]
async fn an_answer_with_too_long_a_head_or_no_sense_is_refused() {
    let server = server::good().await;
    let granted = vec![grant("127.0.0.1", server.address.port(), true)];
    let (answer, _) = get("get", &server.url("/head"), granted).await;
    assert!(answer.starts_with("ErrorCode::HttpResponseHeaderSectionSize"), "{answer}");
    let (server, _got) = server::rude("SSH-2.0-OpenSSH_9.2\r\n", 10, false).await;
    let granted = vec![grant("127.0.0.1", server.address.port(), true)];
    let (answer, _) = get("get", &server.url("/"), granted).await;
    assert_eq!(answer, "ErrorCode::HttpProtocolError");
}

#[tokio::test]
async fn heads_of_requests_count_as_sent_and_have_a_limit() {
    let server = server::good().await;
    let ask = |settings: serde_json::Value| {
        let (mut call, ear) = call(settings);
        call.settings["url"] = json!(server.url("/"));
        call.grants.hosts.push(grant("127.0.0.1", server.address.port(), true));
        (call, ear)
    };
    let plugin = misbehaving().await;
    let head = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", server.address).len();
    let (three, _) = ask(json!({ "mode": "requests", "times": 3 }));
    assert_eq!(plugin.check(three).await.usage.sent, 3 * head as u64);

    let (mut many, _) = ask(json!({ "mode": "requests", "times": 1_000 }));
    many.limits.outgoing_bytes = 10_000;
    let result = plugin.check(many).await.result;
    assert_eq!(result, Err(CallError::Limit(LimitBroken::Outgoing(10_000))));

    let (long, _) = ask(json!({ "mode": "long-path", "bytes": 60_000 }));
    let told = plugin.check(long).await.result.expect("an answer");
    assert!(told.starts_with("answered "), "{told}");
    // One byte more than fits beside the rest of the head.
    let (long, _) = ask(json!({ "mode": "long-path", "bytes": (64 << 10) - head + 1 }));
    let result = plugin.check(long).await.result;
    assert_eq!(result, Err(CallError::Limit(LimitBroken::Head(64 << 10))));
    let (longer, _) = ask(json!({ "mode": "long-path", "bytes": 1 << 20 }));
    let told = plugin.check(longer).await.result.expect_err("no path").to_string();
    assert!(told.ends_with("the URL is refused"), "{told}");
}

#[tokio::test]
async fn a_quick_answer_is_no_broken_connection_for_who_has_just_written_everything() {
    let server = server::good().await;
    let (mut call, _) = call(json!({ "mode": "late-flush", "url": server.url("/size") }));
    call.grants.hosts.push(grant("127.0.0.1", server.address.port(), true));
    let said = misbehaving().await.check(call).await.result;
    assert_eq!(said, Ok("written Ok(()), flushed Ok(())".to_owned()));
}

#[tokio::test]
async fn a_call_may_make_more_requests_than_it_may_hold_open() {
    let server = server::good().await;
    let (mut call, _) = call(json!({ "mode": "requests", "times": 1_500, "url": server.url("/") }));
    call.grants.hosts.push(grant("127.0.0.1", server.address.port(), true));
    call.limits.cpu = Duration::from_mins(1);
    let outcome = misbehaving().await.check(call).await.result;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert!(server.connections() < 10, "{}", server.connections());
}

#[tokio::test]
async fn a_hundred_thousand_denials_are_told_in_a_few_lines() {
    let plugin = misbehaving().await;
    for (target, lines) in [("http://one.test/", 1), ("http://h#.test/", 1)] {
        let (mut call, ear) = call(json!({ "mode": "denied", "times": 100_000, "target": target }));
        call.limits.cpu = Duration::from_mins(1);
        let said = plugin.check(call).await.result;
        assert_eq!(said, Ok("100000 were denied".to_owned()));
        assert_eq!(ear.lines().len(), lines, "{:?}", ear.lines());
        assert!(ear.denials().len() <= 20, "{}", ear.denials().len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_without_end_is_stopped_by_the_limit_of_outgoing_bytes() {
    let server = server::good().await;
    let (mut call, _) = call(json!({ "do": "post-forever", "url": server.url("/size") }));
    call.grants.hosts.push(grant("127.0.0.1", server.address.port(), true));
    call.limits.outgoing_bytes = 1 << 20;
    let result = plugin().await.check(call).await.result;
    assert_eq!(result, Err(CallError::Limit(LimitBroken::Outgoing(1 << 20))));
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_after_the_time_for_answers() {
    let (server, _got) = server::rude("", 10, true).await;
    let (mut call, _) = call(json!({ "do": "get", "url": server.url("/") }));
    call.grants.hosts.push(grant("127.0.0.1", server.address.port(), true));
    call.limits.answer = Duration::from_millis(300);
    let result = plugin().await.check(call).await.result;
    assert_eq!(result, Err(CallError::Limit(LimitBroken::Answer(Duration::from_millis(300)))));
}
