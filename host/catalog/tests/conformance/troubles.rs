//! Deliveries that do not go as planned: what is told of them, what stops them,
//! and what is left of them.

use chrono::TimeDelta;
use cofferdam_catalog::{AttemptEnd, Cancelled, Catalog, DestinationFields, Error, Next};
use cofferdam_model::{
    AttemptOutcome, BackupId, Delivery, DeliveryId, DeliveryStatus, DestinationId, EventKind, Job,
    Purpose,
};

use crate::{
    deliveries::{attempt, claim, end, notifier, of, stored},
    support::{add_destination, at, completed, destination, fields, fresh},
};

fn passing(again: i64) -> AttemptEnd {
    end(AttemptOutcome::Temporary, Some("the disk is full"), Next::Again(at(again)))
}

fn for_good() -> AttemptEnd {
    end(AttemptOutcome::Permanent, Some("no such bucket"), Next::Fail)
}

/// The next delivery, with an attempt begun.
async fn begun(catalog: &Catalog, seconds: i64) -> (Job, Delivery) {
    let (job, delivery) = claim(catalog, seconds).await.unwrap();
    let mut tx = catalog.begin().await.unwrap();
    tx.begin_attempt(delivery.id, job.fence, at(seconds)).await.unwrap();
    tx.commit().await.unwrap();
    (job, delivery)
}

async fn block(catalog: &Catalog, seconds: i64) -> Delivery {
    let (job, delivery) = claim(catalog, seconds).await.unwrap();
    let mut tx = catalog.begin().await.unwrap();
    let (again, now) = (at(seconds + 300), at(seconds));
    tx.block_delivery(delivery.id, job.fence, "its plugin waits", again, now).await.unwrap();
    tx.commit().await.unwrap();
    catalog.delivery(delivery.id).await.unwrap().unwrap()
}

async fn delete(catalog: &Catalog, id: BackupId, seconds: i64) {
    let mut tx = catalog.begin().await.unwrap();
    tx.delete_backup(id, false, "anna", at(seconds)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn retry(catalog: &Catalog, id: DeliveryId, seconds: i64) {
    let mut tx = catalog.begin().await.unwrap();
    tx.retry_delivery(id, at(seconds)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn of_all(catalog: &Catalog, to: DestinationId) -> Vec<Delivery> {
    catalog.deliveries_to(to, 99).await.unwrap()
}

/// The words about deliveries of a backup, or of a deleted one.
async fn words(catalog: &Catalog, id: BackupId) -> Vec<Delivery> {
    let mut all = of(catalog, id).await;
    all.retain(|it| it.event == Some(EventKind::DeliveryFailed));
    all
}

#[tokio::test]
async fn a_cancel_that_comes_as_an_attempt_fails_is_not_lost() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    notifier(&fresh.catalog, "pager", &[EventKind::DeliveryFailed]).await;
    for (name, ends, status) in [
        ("a", passing(900), DeliveryStatus::Cancelled),
        ("b", for_good(), DeliveryStatus::Cancelled),
        ("c", stored(), DeliveryStatus::Completed),
    ] {
        let id = completed(&fresh.catalog, name).await.id;
        let (job, delivery) = begun(&fresh.catalog, 100).await;
        let mut tx = fresh.catalog.begin().await.unwrap();
        let cancelled = tx.cancel_delivery(delivery.id, at(101)).await.unwrap();
        assert_eq!(cancelled, Cancelled::Requested);
        tx.end_attempt(delivery.id, job.fence, &ends, at(102)).await.unwrap();
        tx.commit().await.unwrap();
        let now = fresh.catalog.delivery(delivery.id).await.unwrap().unwrap();
        assert_eq!((now.status, now.completed_at), (status, Some(at(102))), "{name}");
        assert_eq!(words(&fresh.catalog, id).await, [], "{name}");
    }
    assert!(claim(&fresh.catalog, 99_999).await.is_none());
}

#[tokio::test]
async fn a_cancel_that_comes_as_a_delivery_blocks_or_its_worker_dies_is_not_lost() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    for name in ["blocks", "dies"] {
        completed(&fresh.catalog, name).await;
        let (job, delivery) = claim(&fresh.catalog, 100).await.unwrap();
        let mut tx = fresh.catalog.begin().await.unwrap();
        tx.cancel_delivery(delivery.id, at(101)).await.unwrap();
        tx.commit().await.unwrap();
        let seen = fresh.catalog.delivery_leases().await.unwrap().remove(0);
        let mut tx = fresh.catalog.begin().await.unwrap();
        if name == "blocks" {
            tx.block_delivery(delivery.id, job.fence, "no", at(400), at(102)).await.unwrap();
        } else {
            assert!(tx.requeue_delivery(&seen, Some(at(400)), "x", at(102)).await.unwrap());
        }
        tx.commit().await.unwrap();
        let now = fresh.catalog.delivery(delivery.id).await.unwrap().unwrap();
        assert_eq!(now.status, DeliveryStatus::Cancelled, "{name}");
    }
    assert!(claim(&fresh.catalog, 99_999).await.is_none());
}

#[tokio::test]
async fn a_clock_that_is_set_back_delays_no_delivery_for_longer_than_a_try() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    completed(&fresh.catalog, "shop").await;
    let day = 24 * 3600;
    attempt(&fresh.catalog, 100, &passing(100 + day)).await;
    // What was planned before this moment waits for its time.
    assert_eq!(fresh.catalog.deliveries_due(at(102)).await.unwrap(), 0);
    assert!(claim(&fresh.catalog, 102).await.is_none());
    // However far the clock went back, what was planned after this moment is due.
    for back in [60, 20 * 3600, day, 365 * day] {
        assert_eq!(fresh.catalog.deliveries_due(at(100 - back)).await.unwrap(), 1, "{back}");
        attempt(&fresh.catalog, 100 - back, &passing(100 + day)).await;
        assert!(claim(&fresh.catalog, 102 - back).await.is_none(), "{back}");
    }
}

#[tokio::test]
async fn what_was_queued_or_blocked_before_the_clock_was_set_back_does_not_wait_for_that_moment() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    completed(&fresh.catalog, "new").await;
    let queued = of_all(&fresh.catalog, cellar.id).await.remove(0).not_before;
    let back = |hours| (queued - TimeDelta::hours(hours) - at(0)).num_seconds();
    assert_eq!(fresh.catalog.deliveries_due(at(back(20))).await.unwrap(), 1);
    // Blocked by the clock that was wrong, and looked at again by the right one.
    completed(&fresh.catalog, "other").await;
    let now = (queued - at(0)).num_seconds();
    block(&fresh.catalog, now).await;
    assert_eq!(fresh.catalog.deliveries_due(at(now + 1)).await.unwrap(), 0);
    assert_eq!(fresh.catalog.deliveries_due(at(back(20))).await.unwrap(), 2);
    block(&fresh.catalog, back(20)).await;
    for it in of_all(&fresh.catalog, cellar.id).await {
        assert_eq!((it.status, it.not_before), (DeliveryStatus::Blocked, at(back(20) + 300)));
    }
    // What its destination or its plugin wakes is due at once, whatever the clock was.
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.wake_deliveries(None, Some(cellar.id), at(now)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.deliveries_due(at(back(2))).await.unwrap(), 2);
}

#[tokio::test]
async fn a_delivery_whose_worker_died_waits_as_after_a_failed_try_and_is_given_up_in_the_end() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    notifier(&fresh.catalog, "pager", &[EventKind::DeliveryFailed]).await;
    let id = completed(&fresh.catalog, "shop").await.id;
    let die = async |seconds, again| {
        let (_, delivery) = begun(&fresh.catalog, seconds).await;
        let seen = fresh.catalog.delivery_leases().await.unwrap().remove(0);
        let mut tx = fresh.catalog.begin().await.unwrap();
        assert!(tx.requeue_delivery(&seen, again, "x", at(seconds)).await.unwrap());
        tx.commit().await.unwrap();
        fresh.catalog.delivery(delivery.id).await.unwrap().unwrap()
    };
    let again = die(100, Some(at(160))).await;
    assert_eq!((again.status, again.not_before), (DeliveryStatus::Retrying, at(160)));
    assert_eq!((again.tries, again.completed_at), (1, None));
    assert!(claim(&fresh.catalog, 159).await.is_none());
    let over = die(160, None).await;
    assert_eq!((over.status, over.completed_at), (DeliveryStatus::Failed, Some(at(160))));
    assert!(over.error.unwrap().contains("was stopped or killed"));
    let [word] = &words(&fresh.catalog, id).await[..] else { panic!("one word") };
    assert_eq!(word.about, Some(over.id));
}

#[tokio::test]
async fn only_a_worker_that_died_is_told_as_one() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    completed(&fresh.catalog, "shop").await;
    for (by, told) in [("w", "could not be recorded"), ("another", "was stopped or killed")] {
        let (_, delivery) = begun(&fresh.catalog, 100).await;
        let seen = fresh.catalog.delivery_leases().await.unwrap().remove(0);
        let mut tx = fresh.catalog.begin().await.unwrap();
        assert!(tx.requeue_delivery(&seen, Some(at(100)), by, at(100)).await.unwrap());
        tx.commit().await.unwrap();
        let now = fresh.catalog.delivery(delivery.id).await.unwrap().unwrap();
        assert!(now.error.unwrap().contains(told), "{by}");
        let last = fresh.catalog.attempts(delivery.id).await.unwrap().pop().unwrap();
        assert!(last.error.unwrap().contains(told), "{by}");
    }
}

#[tokio::test]
async fn an_attempt_that_a_stop_of_the_console_interrupts_is_none_of_the_planned_tries() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    completed(&fresh.catalog, "shop").await;
    let stopped = end(AttemptOutcome::Interrupted, Some("stopped"), Next::Again(at(100)));
    for _ in 0..3 {
        let left = attempt(&fresh.catalog, 200, &stopped).await;
        assert_eq!(left.tries, 0);
    }
    let failed = attempt(&fresh.catalog, 200, &passing(900)).await;
    assert_eq!((failed.attempts, failed.tries), (4, 1));
}

#[tokio::test]
async fn what_a_destination_blocks_is_looked_at_once_however_much_it_is() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let other = destination(&fresh.catalog, "other").await;
    for name in ["a", "b", "c"] {
        completed(&fresh.catalog, name).await;
    }
    let other_off = DestinationFields { enabled: false, ..fields("other") };
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.update_destination(other.id, &other_off).await.unwrap();
    tx.commit().await.unwrap();
    block(&fresh.catalog, 100).await;
    for delivery in fresh.catalog.deliveries_to(cellar.id, 9).await.unwrap() {
        assert_eq!(delivery.status, DeliveryStatus::Blocked);
        assert_eq!(delivery.error.as_deref(), Some("its plugin waits"));
        assert_eq!((delivery.not_before, delivery.attempts), (at(400), 0));
    }
    assert_eq!(fresh.catalog.deliveries_due(at(399)).await.unwrap(), 0);
    // Looked at again, one by one again: the first puts all of them back.
    block(&fresh.catalog, 400).await;
    assert!(claim(&fresh.catalog, 400).await.is_none());
    let of_other = fresh.catalog.deliveries_to(other.id, 9).await.unwrap();
    assert!(
        of_other.iter().all(|it| it.error.as_deref() == Some("the destination is switched off"))
    );
    // Its plugin is approved: everything is due at once.
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.wake_deliveries(Some(&cellar.plugin), None, at(401)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.deliveries_due(at(401)).await.unwrap(), 3);
}

#[tokio::test]
async fn of_what_waits_for_somebody_the_oldest_of_each_database_is_told_after_15_minutes() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    notifier(&fresh.catalog, "pager", &[EventKind::DeliveryFailed]).await;
    let (first, second) =
        (completed(&fresh.catalog, "a").await.id, completed(&fresh.catalog, "b").await.id);
    let told = async || {
        let (one, other) =
            (words(&fresh.catalog, first).await, words(&fresh.catalog, second).await);
        (one.len(), other.len())
    };
    for seconds in [100, 400, 700] {
        block(&fresh.catalog, seconds).await;
        assert_eq!(told().await, (0, 0), "{seconds}");
    }
    for seconds in [1_000, 1_300] {
        block(&fresh.catalog, seconds).await;
        assert_eq!(told().await, (1, 1), "{seconds}");
        // The words go out first, as they are older.
        while let Some((job, word)) = claim(&fresh.catalog, seconds + 1).await {
            assert_eq!(word.purpose, Purpose::Notify);
            let mut tx = fresh.catalog.begin().await.unwrap();
            let done =
                Next::Complete { location: None, bytes: None, note: None, stored_with: None };
            let done = end(AttemptOutcome::Completed, None, done);
            tx.begin_attempt(word.id, job.fence, at(seconds + 1)).await.unwrap();
            tx.end_attempt(word.id, job.fence, &done, at(seconds + 1)).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
    // What then fails is told as well.
    let failed = attempt(&fresh.catalog, 1_700, &for_good()).await;
    assert_eq!(words(&fresh.catalog, failed.backup).await.len(), 2);
}

#[tokio::test]
async fn each_failure_is_told_once_and_so_is_that_the_planned_tries_are_over() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let pager = notifier(&fresh.catalog, "pager", &[EventKind::DeliveryFailed]).await;
    let id = completed(&fresh.catalog, "shop").await.id;
    let endless = end(AttemptOutcome::Temporary, Some("no route"), Next::Endless(at(200)));
    let going = attempt(&fresh.catalog, 100, &endless).await;
    assert_eq!((going.destination, going.status), (cellar.id, DeliveryStatus::Retrying));
    assert_eq!(words(&fresh.catalog, id).await.len(), 1);
    // Words that cannot be sent tell of nothing themselves.
    let word = attempt(&fresh.catalog, 150, &for_good()).await;
    assert_eq!((word.destination, word.about), (pager.id, Some(going.id)));

    attempt(&fresh.catalog, 200, &for_good()).await;
    assert_eq!(words(&fresh.catalog, id).await.len(), 2);
    attempt(&fresh.catalog, 250, &for_good()).await;
    retry(&fresh.catalog, going.id, 300).await;
    attempt(&fresh.catalog, 300, &for_good()).await;
    assert_eq!(words(&fresh.catalog, id).await.len(), 3);
}

#[tokio::test]
async fn a_removal_that_fails_after_its_backup_is_gone_is_told_shown_and_can_be_tried_again() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let backup = completed(&fresh.catalog, "shop").await;
    let only = DestinationFields {
        databases: Some(vec![backup.database_id]),
        roles: cofferdam_model::Roles { notifier: true, ..Default::default() },
        ..fields("pager")
    };
    add_destination(&fresh.catalog, &only).await;
    attempt(&fresh.catalog, 100, &stored()).await;
    delete(&fresh.catalog, backup.id, 110).await;
    assert_eq!(fresh.catalog.left_behind(cellar.id, 9).await.unwrap(), []);
    let failed = attempt(&fresh.catalog, 111, &for_good()).await;
    assert_eq!((failed.purpose, failed.database.as_str()), (Purpose::Remove, "shop"));
    let [word] = &words(&fresh.catalog, backup.id).await[..] else { panic!("one word") };
    assert_eq!((word.about, word.database.as_str()), (Some(failed.id), "shop"));
    let left = fresh.catalog.left_behind(cellar.id, 9).await.unwrap();
    assert_eq!(left.iter().collect::<Vec<_>>(), [&failed]);

    retry(&fresh.catalog, failed.id, 120).await;
    while let Some((job, it)) = claim(&fresh.catalog, 121).await {
        let mut tx = fresh.catalog.begin().await.unwrap();
        let done = Next::Complete { location: None, bytes: None, note: None, stored_with: None };
        tx.begin_attempt(it.id, job.fence, at(121)).await.unwrap();
        let done = end(AttemptOutcome::Completed, None, done);
        tx.end_attempt(it.id, job.fence, &done, at(121)).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(fresh.catalog.left_behind(cellar.id, 9).await.unwrap(), []);
    // After a while nobody needs to know of it.
    let forget = async |before| {
        let mut tx = fresh.catalog.begin().await.unwrap();
        let gone = tx.forget_removals(at(before)).await.unwrap();
        tx.commit().await.unwrap();
        gone
    };
    assert_eq!((forget(121).await, forget(122).await), (0, 2));
    assert_eq!(of(&fresh.catalog, backup.id).await, []);
}

#[tokio::test]
async fn old_deliveries_of_backups_that_are_there_are_not_forgotten() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    let backup = completed(&fresh.catalog, "shop").await;
    attempt(&fresh.catalog, 100, &stored()).await;
    let copy = fresh
        .catalog
        .copies(of(&fresh.catalog, backup.id).await[0].destination, backup.database_id);
    let copy = copy.await.unwrap().remove(0);
    let mut tx = fresh.catalog.begin().await.unwrap();
    let cellar = of(&fresh.catalog, backup.id).await[0].destination;
    tx.expire_copies(cellar, &[(copy, "old".to_owned())], at(110)).await.unwrap();
    tx.commit().await.unwrap();
    let gone = Next::Complete { location: None, bytes: None, note: None, stored_with: None };
    attempt(&fresh.catalog, 111, &end(AttemptOutcome::Completed, None, gone)).await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert_eq!(tx.forget_removals(at(99_999)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_copy_that_was_sent_and_never_confirmed_stays_on_record_when_its_backup_goes() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let nothing = AttemptEnd { bytes: 0, ..passing(900) };
    for (name, ends, left) in [("a", passing(900), 1), ("b", nothing, 1)] {
        let id = completed(&fresh.catalog, name).await.id;
        let tried = attempt(&fresh.catalog, 100, &ends).await;
        delete(&fresh.catalog, id, 110).await;
        let behind = fresh.catalog.left_behind(cellar.id, 9).await.unwrap();
        assert_eq!(behind.len(), left, "{name}");
        let now = fresh.catalog.delivery(tried.id).await.unwrap();
        assert_eq!(now.is_some(), name == "a");
        if let Some(now) = now {
            assert_eq!(now.status, DeliveryStatus::Cancelled);
            assert!(now.error.unwrap().contains("may have stayed"));
            let mut tx = fresh.catalog.begin().await.unwrap();
            let refused = tx.retry_delivery(now.id, at(120)).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        }
    }
    // One that was cut off may have come to its end, whatever was counted.
    let id = completed(&fresh.catalog, "c").await.id;
    let (_, delivery) = begun(&fresh.catalog, 200).await;
    let seen = fresh.catalog.delivery_leases().await.unwrap().remove(0);
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(tx.requeue_delivery(&seen, Some(at(260)), "x", at(230)).await.unwrap());
    tx.commit().await.unwrap();
    delete(&fresh.catalog, id, 240).await;
    let behind = fresh.catalog.left_behind(cellar.id, 9).await.unwrap();
    assert_eq!(behind[0].id, delivery.id);
    assert!(claim(&fresh.catalog, 99_999).await.is_none());
}

#[tokio::test]
async fn only_the_last_20_attempts_keep_their_logs() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    completed(&fresh.catalog, "shop").await;
    for round in 0..23 {
        attempt(&fresh.catalog, 100 + 10 * round, &passing(0)).await;
    }
    let last = attempt(&fresh.catalog, 900, &stored()).await;
    let all = fresh.catalog.attempts(last.id).await.unwrap();
    let without: Vec<u32> = all.iter().filter(|it| it.log.is_empty()).map(|it| it.number).collect();
    assert_eq!((all.len(), without), (24, vec![1, 2, 3, 4]));
    let short = fresh.catalog.attempts_in_short(&[last.id, DeliveryId::new()]).await.unwrap();
    let numbers: Vec<u32> = short[&last.id].iter().map(|it| it.number).collect();
    assert_eq!((short.len(), numbers), (1, (5..=24).collect()));
    assert!(short[&last.id].iter().all(|it| it.log.is_empty()));
    assert!(fresh.catalog.attempts_in_short(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_logged_is_forgotten_after_a_while_unless_it_tells_of_a_failure() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    for name in ["a", "b", "c"] {
        completed(&fresh.catalog, name).await;
        attempt(&fresh.catalog, 100, &passing(200)).await;
        attempt(&fresh.catalog, 200, &stored()).await;
    }
    completed(&fresh.catalog, "bad").await;
    let failed = attempt(&fresh.catalog, 300, &for_good()).await;
    let forget = async |before, limit| {
        let mut tx = fresh.catalog.begin().await.unwrap();
        let gone = tx.forget_logs(at(before), limit).await.unwrap();
        tx.commit().await.unwrap();
        gone
    };
    assert_eq!((forget(101, 9).await, forget(102, 9).await), (0, 3));
    assert_eq!((forget(9_999, 2).await, forget(9_999, 2).await), (2, 1));
    assert_eq!(forget(9_999, 2).await, 0);
    assert_eq!(fresh.catalog.attempts(failed.id).await.unwrap()[0].log.len(), 1);
}
