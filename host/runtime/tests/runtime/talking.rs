//! Mail, events, listings and policies: what goes in and what may come out.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use cofferdam_runtime::{
    Breach, CallError, Candidate, Event, Failure, LimitBroken, Mail, MailError, Mailer, Severity,
};
use serde_json::json;

use crate::support::{call, doing, misbehaving, plugin};

#[derive(Default)]
struct Letterbox(Mutex<Vec<Mail>>);

impl Mailer for Letterbox {
    fn send(&self, mail: Mail) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>> {
        self.0.lock().expect("not poisoned").push(mail);
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn mail_is_sent_if_it_is_granted_and_denied_if_not() {
    let plugin = plugin().await;
    let letters = Arc::new(Letterbox::default());
    let (mut call, ear) = doing("mail");
    call.mailer = Some(Arc::clone(&letters) as Arc<dyn Mailer>);
    let denied = "sending a mail was denied: mail is not granted".to_owned();
    let result = plugin.check(call.clone()).await.result;
    assert_eq!(result, Err(CallError::Failure(Failure::Denied(denied.clone()))));
    assert_eq!(ear.denials(), [denied]);
    call.grants.mail = true;
    assert_eq!(plugin.check(call.clone()).await.result, Ok("done".to_owned()));
    assert_eq!(letters.0.lock().expect("not poisoned").len(), 1);
    call.mailer = None;
    let result = plugin.check(call).await.result;
    assert!(matches!(result, Err(CallError::Failure(Failure::Permanent(_)))), "{result:?}");
}

#[tokio::test]
async fn a_call_sends_no_more_mails_than_it_may_and_their_bytes_count() {
    let plugin = misbehaving().await;
    let letters = Arc::new(Letterbox::default());
    let mails = |times: u64, bytes: u64| {
        let (mut call, ear) = call(json!({ "mode": "mails", "times": times, "bytes": bytes }));
        call.mailer = Some(Arc::clone(&letters) as Arc<dyn Mailer>);
        call.grants.mail = true;
        (call, ear)
    };
    let (enough, _) = mails(5, 10);
    let outcome = plugin.check(enough).await;
    assert_eq!(outcome.result, Ok("sent 5 mails".to_owned()));
    let one = "ops@example.org".len() + "Mail 1".len() + 10;
    assert_eq!(outcome.usage.sent, 5 * one as u64);

    let (too_many, ear) = mails(100, 10);
    let denied = "sending a mail was denied: a call may send 5".to_owned();
    let result = plugin.check(too_many).await.result;
    assert_eq!(result, Err(CallError::Failure(Failure::Denied(denied.clone()))));
    assert_eq!(ear.denials(), [denied]);
    assert_eq!(letters.0.lock().expect("not poisoned").len(), 10);

    let (mut large, _) = mails(5, 1 << 20);
    large.limits.outgoing_bytes = 2 << 20;
    let result = plugin.check(large).await.result;
    assert_eq!(result, Err(CallError::Limit(LimitBroken::Outgoing(2 << 20))));
    assert_eq!(letters.0.lock().expect("not poisoned").len(), 11);
}

#[tokio::test]
async fn the_file_and_the_sink_are_denied_outside_of_their_calls() {
    let plugin = plugin().await;
    for deed in ["artifact", "sink"] {
        let (call, ear) = doing(deed);
        let result = plugin.check(call).await.result;
        assert!(matches!(result, Err(CallError::Failure(Failure::Denied(_)))), "{result:?}");
        assert_eq!(ear.denials().len(), 1);
    }
}

#[tokio::test]
async fn a_failures_text_is_clean() {
    let (call, _) = doing("fail");
    let result = plugin().await.remove(call, "here".to_owned()).await.result;
    assert_eq!(result, Err(CallError::Failure(Failure::Permanent("no".to_owned()))));
}

#[tokio::test]
async fn an_event_is_passed_on() {
    let (call, _) = doing("nothing");
    let event = Event {
        id: "0190f4b2-0000-7000-8000-000000000002".to_owned(),
        kind: "test".to_owned(),
        severity: Severity::Info,
        at: chrono::DateTime::UNIX_EPOCH,
        title: "A test".to_owned(),
        text: "Nothing has happened.".to_owned(),
        url: None,
        backup: None,
        document: json!({}),
    };
    assert_eq!(plugin().await.notify(call, event).await.result, Ok("done".to_owned()));
}

#[tokio::test]
async fn a_listing_is_bounded_and_its_names_are_names() {
    let plugin = plugin().await;
    let (good, _) = call(json!({ "do": "", "filename": "a.gz" }));
    assert_eq!(plugin.list(good, None).await.result.expect("a page").entries.len(), 1);
    for settings in
        [json!({ "do": "flood", "filename": "a" }), json!({ "do": "", "filename": "../a" })]
    {
        let (call, _) = call(settings);
        let result = plugin.list(call, None).await.result;
        assert!(matches!(result, Err(CallError::Contract(Breach::Answer(_)))), "{result:?}");
    }
}

#[tokio::test]
async fn a_policy_names_only_what_it_was_shown_and_only_once() {
    let plugin = plugin().await;
    let candidates = vec![Candidate {
        id: "a".to_owned(),
        database: "shop".to_owned(),
        created_at: chrono::DateTime::UNIX_EPOCH,
        size: 1,
        verified: false,
        pinned: false,
    }];
    let now = chrono::DateTime::UNIX_EPOCH;
    let (all, _) = doing("");
    let expired = plugin.select(all, now, candidates.clone()).await.result.expect("a list");
    assert_eq!(expired[0].id, "a");
    for deed in ["strange", "twice"] {
        let (call, _) = doing(deed);
        let result = plugin.select(call, now, candidates.clone()).await.result;
        assert!(matches!(result, Err(CallError::Contract(Breach::Answer(_)))), "{result:?}");
    }
}
