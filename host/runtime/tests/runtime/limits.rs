//! A component that goes too far is stopped, alone, and the reason is named.

use std::time::{Duration, Instant};

use cofferdam_runtime::{CallError, LimitBroken, Limits};
use serde_json::json;

use crate::support::{call, doing, plugin};

#[tokio::test]
async fn an_endless_loop_is_stopped_by_the_limit_of_computing_time() {
    let plugin = plugin().await;
    let (mut call, _) = doing("spin");
    call.limits.cpu = Duration::from_millis(300);
    let start = Instant::now();
    let outcome = plugin.check(call).await;
    assert_eq!(outcome.result, Err(CallError::Limit(LimitBroken::Cpu(Duration::from_millis(300)))));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(outcome.usage.cpu >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_sleep_in_a_host_call_is_stopped_by_the_limit_of_idle_time() {
    let plugin = plugin().await;
    let (mut call, _) = doing("sleep");
    call.limits.idle = Duration::from_millis(300);
    let start = Instant::now();
    let outcome = plugin.check(call).await;
    assert_eq!(
        outcome.result,
        Err(CallError::Limit(LimitBroken::Idle(Duration::from_millis(300))))
    );
    assert!(outcome.result.expect_err("stopped").is_temporary());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn memory_beyond_the_limit_is_refused() {
    let plugin = plugin().await;
    let (mut call, _) = doing("grow");
    call.limits.memory_bytes = 32 << 20;
    let outcome = plugin.check(call).await;
    assert_eq!(outcome.result, Err(CallError::Limit(LimitBroken::Memory(32 << 20))));
    assert!(outcome.usage.memory_bytes <= 32 << 20);
}

#[tokio::test]
async fn too_many_open_resources_are_refused() {
    let plugin = plugin().await;
    let (mut call, _) = doing("handles");
    call.limits.handles = 100;
    let result = plugin.check(call).await.result;
    assert_eq!(result, Err(CallError::Limit(LimitBroken::Handles(100))));
}

#[tokio::test]
async fn a_crash_is_told_with_its_reason_and_its_own_last_words() {
    let plugin = plugin().await;
    let (call, ear) = doing("panic");
    let result = plugin.check(call).await.result;
    let Err(CallError::Trap { message, .. }) = result else { panic!("{result:?}") };
    assert!(message.contains("unreachable"), "{message}");
    let lines = ear.lines();
    assert!(lines.iter().any(|line| line.contains("this is how it ends")), "{lines:?}");
}

#[tokio::test]
async fn a_deep_recursion_and_an_exit_end_the_call_and_nothing_else() {
    let plugin = plugin().await;
    let (call, _) = doing("recurse");
    let result = plugin.check(call).await.result;
    assert!(matches!(result, Err(CallError::Trap { .. })), "{result:?}");
    let (call, _) = doing("exit");
    let result = plugin.check(call).await.result;
    let Err(CallError::Trap { message, .. }) = result else { panic!("{result:?}") };
    assert!(message.starts_with("it ended itself"), "{message}");
    let (call, _) = doing("nothing");
    assert_eq!(plugin.check(call).await.result, Ok("done".to_owned()));
}

#[tokio::test]
async fn a_flood_of_lines_is_cut_and_what_is_kept_is_clean() {
    let plugin = plugin().await;
    let (mut call, ear) = doing("log");
    call.limits.lines = 20;
    call.limits.line_bytes = 50;
    plugin.check(call).await.result.expect("it only talks much");
    let lines = ear.lines();
    assert_eq!(lines.len(), 21);
    assert_eq!(lines[..3], ["red", "second", "to standard output"]);
    assert!(lines[5].starts_with("line 2 xxx") && lines[5].ends_with('…') && lines[5].len() < 60);
    // 2 + 1 + 2,000, and the one without an end.
    assert_eq!(lines[20], "1984 more lines were left out");
}

#[tokio::test]
async fn a_huge_message_to_the_console_is_refused_and_a_long_answer_is_cut() {
    let plugin = plugin().await;
    let (call, _) = doing("shout");
    let result = plugin.check(call).await.result;
    assert!(
        matches!(&result, Err(CallError::Trap { message, .. }) if message.contains("too much data")),
        "{result:?}"
    );
    let (call, _) = doing("long-answer");
    let answer = plugin.check(call).await.result.expect("an answer");
    assert!(answer.len() < 5000 && answer.starts_with("<b><b>"), "{}", answer.len());
}

#[tokio::test]
async fn a_call_that_is_given_up_ends_at_once() {
    let plugin = plugin().await;
    let (call, _) = doing("spin");
    let given_up = tokio::time::timeout(Duration::from_millis(100), plugin.check(call)).await;
    assert!(given_up.is_err());
    // Were all threads still taken, the call after these would wait for them.
    for _ in 0..8 {
        let (call, _) = doing("spin");
        assert!(tokio::time::timeout(Duration::from_millis(50), plugin.check(call)).await.is_err());
    }
    let (call, _) = doing("nothing");
    let start = Instant::now();
    plugin.check(call).await.result.expect("it does nothing");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn many_loops_at_once_do_not_hold_up_another_call() {
    let plugin = plugin().await;
    let mut loops = Vec::new();
    for _ in 0..6 {
        let (mut call, _) = doing("spin");
        call.limits.cpu = Duration::from_millis(500);
        let plugin = std::sync::Arc::clone(&plugin);
        loops.push(tokio::spawn(async move { plugin.check(call).await.result }));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (call, _) = doing("nothing");
    let start = Instant::now();
    plugin.check(call).await.result.expect("it does nothing");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    for one in loops {
        let result = one.await.expect("it ends");
        assert!(matches!(result, Err(CallError::Limit(LimitBroken::Cpu(_)))), "{result:?}");
    }
}

#[tokio::test]
async fn the_longest_time_ends_a_call_whatever_it_does() {
    let plugin = plugin().await;
    let (mut call, _) = call(json!({ "do": "sleep" }));
    call.limits = Limits { longest: Duration::from_millis(200), ..Limits::default() };
    let result = plugin.check(call).await.result;
    assert_eq!(result, Err(CallError::Limit(LimitBroken::Longest(Duration::from_millis(200)))));
}

#[tokio::test]
async fn what_a_request_holds_before_it_is_sent_has_an_end() {
    let plugin = plugin().await;
    let (call, _) = doing("long-method");
    assert_eq!(plugin.check(call).await.result, Ok("false".to_owned()));
    let (call, _) = doing("unsent");
    let result = plugin.check(call).await.result;
    assert_eq!(result, Err(CallError::Limit(LimitBroken::Unsent(32))));
    let (call, _) = doing("write-much");
    let result = plugin.check(call).await.result;
    let Err(CallError::Trap { message, .. }) = result else { panic!("{result:?}") };
    assert_eq!(message, "more was written to a stream than it takes at once");
}
