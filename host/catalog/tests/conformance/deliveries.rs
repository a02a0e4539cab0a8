//! Deliveries: what queues them, how they are held, and how they end.

use chrono::TimeDelta;
use cofferdam_catalog::{
    AttemptEnd, Cancelled, Catalog, DestinationFields, Error, NewBackup, Next, Places,
};
use cofferdam_model::{
    AttemptOutcome, BackupId, Delivery, DeliveryStatus, Destination, EventKind, Failure,
    FailureKind, Job, LogLevel, LogLine, Purpose, Roles,
};

use crate::support::{
    LEASE, add_destination, at, completed, database, destination, fields, fresh, lease, new_backup,
    pending, running, sidecar,
};

/// Room for everything.
pub(crate) const PLACES: Places = Places { copies: 200, words: 200 };

pub(crate) async fn of(catalog: &Catalog, id: BackupId) -> Vec<Delivery> {
    catalog.deliveries_of(&[id]).await.unwrap().remove(&id).unwrap_or_default()
}

pub(crate) async fn claim(catalog: &Catalog, seconds: i64) -> Option<(Job, Delivery)> {
    let mut tx = catalog.begin().await.unwrap();
    let held = tx.lease_delivery("w", None, at(seconds), LEASE, PLACES).await.unwrap();
    tx.commit().await.unwrap();
    held
}

pub(crate) fn end(outcome: AttemptOutcome, error: Option<&str>, next: Next) -> AttemptEnd {
    let text = "read the disk".to_owned();
    let log = vec![LogLine { at: at(1), level: LogLevel::Info, text }];
    AttemptEnd { outcome, bytes: 7, error: error.map(str::to_owned), log, next }
}

pub(crate) fn stored() -> AttemptEnd {
    let next = Next::Complete {
        location: Some("shop/a.sql.gz".to_owned()),
        bytes: Some(4711),
        note: Some("version 3".to_owned()),
        stored_with: None,
    };
    end(AttemptOutcome::Completed, None, next)
}

pub(crate) async fn attempt(catalog: &Catalog, seconds: i64, ends: &AttemptEnd) -> Delivery {
    let (job, delivery) = claim(catalog, seconds).await.unwrap();
    let mut tx = catalog.begin().await.unwrap();
    tx.begin_attempt(delivery.id, job.fence, at(seconds)).await.unwrap();
    tx.end_attempt(delivery.id, job.fence, ends, at(seconds + 1)).await.unwrap();
    tx.commit().await.unwrap();
    catalog.delivery(delivery.id).await.unwrap().unwrap()
}

pub(crate) async fn notifier(catalog: &Catalog, name: &str, events: &[EventKind]) -> Destination {
    let roles = Roles { notifier: true, ..Roles::default() };
    add_destination(catalog, &DestinationFields { roles, events: events.to_vec(), ..fields(name) })
        .await
}

#[tokio::test]
async fn completion_and_its_deliveries_are_one_change() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let (_, backup, job) = running(&fresh.catalog, "shop").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.finish_completed(backup.id, job.fence, &sidecar(&backup)).await.unwrap();
    drop(tx);
    assert_eq!(of(&fresh.catalog, backup.id).await, []);

    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.finish_completed(backup.id, job.fence, &sidecar(&backup)).await.unwrap();
    tx.commit().await.unwrap();
    let [copy] = &of(&fresh.catalog, backup.id).await[..] else { panic!("one copy") };
    assert_eq!((copy.destination, copy.purpose), (cellar.id, Purpose::Store));
    assert_eq!((copy.status, copy.attempts), (DeliveryStatus::Pending, 0));
    assert_eq!(fresh.catalog.queue_length().await.unwrap(), (0, 0));
    assert_eq!(fresh.catalog.deliveries_due(at(100)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_backup_goes_to_the_enabled_destinations_of_its_database_or_to_those_it_was_asked_for() {
    let fresh = fresh().await;
    let (shop, wiki) =
        (database(&fresh.catalog, "shop").await, database(&fresh.catalog, "wiki").await);
    let all = destination(&fresh.catalog, "all").await;
    let only = |name: &str, id| DestinationFields { databases: Some(vec![id]), ..fields(name) };
    let mine = add_destination(&fresh.catalog, &only("mine", shop.id)).await;
    let other = add_destination(&fresh.catalog, &only("other", wiki.id)).await;
    add_destination(&fresh.catalog, &DestinationFields { enabled: false, ..fields("off") }).await;

    for (chosen, expected) in [
        (None, vec![all.id, mine.id]),
        (Some(vec![other.id]), vec![other.id]),
        (Some(Vec::new()), vec![]),
    ] {
        let mut new = new_backup(&shop);
        new.destinations = chosen;
        let mut tx = fresh.catalog.begin().await.unwrap();
        let backup = tx.insert_backup(&new, at(1)).await.unwrap();
        let job = tx.lease_backup(backup.id, "w", at(2), LEASE, 9).await.unwrap().unwrap();
        tx.finish_completed(backup.id, job.fence, &sidecar(&backup)).await.unwrap();
        tx.commit().await.unwrap();
        let to: Vec<_> =
            of(&fresh.catalog, backup.id).await.iter().map(|it| it.destination).collect();
        assert_eq!(to, expected);
    }
}

#[tokio::test]
async fn a_destination_that_was_asked_for_and_removed_meanwhile_is_told_of() {
    let fresh = fresh().await;
    let shop = database(&fresh.catalog, "shop").await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let new = NewBackup { destinations: Some(vec![cellar.id]), ..new_backup(&shop) };
    let backup = tx.insert_backup(&new, at(1)).await.unwrap();
    let job = tx.lease_backup(backup.id, "w", at(2), LEASE, 9).await.unwrap().unwrap();
    tx.remove_destination(cellar.id, at(3)).await.unwrap();
    tx.finish_completed(backup.id, job.fence, &sidecar(&backup)).await.unwrap();
    tx.commit().await.unwrap();
    let [copy] = &of(&fresh.catalog, backup.id).await[..] else { panic!("one copy") };
    assert_eq!((copy.destination, copy.status), (cellar.id, DeliveryStatus::Cancelled));
    assert_eq!(copy.error.as_deref(), Some("the destination was removed"));
    assert!(copy.completed_at.is_some());
    assert_eq!(fresh.catalog.deliveries_due(at(100)).await.unwrap(), 0);
}

#[tokio::test]
async fn notifiers_hear_of_each_end_that_they_want_to_hear_of() {
    let fresh = fresh().await;
    notifier(&fresh.catalog, "all", EventKind::ALL).await;
    notifier(&fresh.catalog, "bad", &[EventKind::BackupFailed]).await;
    let heard = |deliveries: Vec<Delivery>| {
        let each = deliveries.iter().map(|it| (it.destination_name.to_string(), it.event.unwrap()));
        each.collect::<Vec<_>>()
    };
    let done = completed(&fresh.catalog, "shop").await.id;
    assert_eq!(
        heard(of(&fresh.catalog, done).await),
        [("all".to_owned(), EventKind::BackupCompleted)]
    );

    let (_, failed, job) = running(&fresh.catalog, "wiki").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let failure = Failure::new(FailureKind::Tool, "no");
    tx.finish_failed(failed.id, job.fence, &failure, at(9)).await.unwrap();
    tx.commit().await.unwrap();
    let kinds = heard(of(&fresh.catalog, failed.id).await);
    assert_eq!(
        kinds,
        [("all".to_owned(), EventKind::BackupFailed), ("bad".to_owned(), EventKind::BackupFailed)]
    );

    let crm = database(&fresh.catalog, "crm").await;
    let waiting = pending(&fresh.catalog, &crm, at(3)).await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.request_cancel(waiting.id, at(4)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        heard(of(&fresh.catalog, waiting.id).await),
        [("all".to_owned(), EventKind::BackupCancelled)]
    );
}

#[tokio::test]
async fn a_copy_that_arrives_says_where_it_is_and_keeps_its_attempts() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    let id = completed(&fresh.catalog, "shop").await.id;
    let no = end(AttemptOutcome::Temporary, Some("the disk is full"), Next::Again(at(160)));
    let failed = attempt(&fresh.catalog, 100, &no).await;
    assert_eq!((failed.status, failed.not_before), (DeliveryStatus::Retrying, at(160)));
    assert_eq!(failed.error.as_deref(), Some("the disk is full"));
    assert!(claim(&fresh.catalog, 159).await.is_none());

    let done = attempt(&fresh.catalog, 160, &stored()).await;
    assert_eq!((done.status, done.attempts, &done.error), (DeliveryStatus::Completed, 2, &None));
    assert_eq!(done.location.as_deref(), Some("shop/a.sql.gz"));
    assert_eq!((done.bytes, done.note.as_deref()), (Some(4711), Some("version 3")));
    assert_eq!(done.completed_at, Some(at(161)));
    assert!(claim(&fresh.catalog, 9_999).await.is_none());

    let attempts = fresh.catalog.attempts(done.id).await.unwrap();
    let outcomes: Vec<_> = attempts.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Some(AttemptOutcome::Temporary), Some(AttemptOutcome::Completed)]);
    assert_eq!((attempts[0].bytes, attempts[0].log.len()), (7, 1));
    assert_eq!(attempts[0].ended_at, Some(at(101)));
    assert_eq!(of(&fresh.catalog, id).await, [done]);
}

#[tokio::test]
async fn a_destination_has_no_more_deliveries_at_once_than_it_allows() {
    let fresh = fresh().await;
    let two = DestinationFields { concurrency: 2, ..fields("two") };
    add_destination(&fresh.catalog, &two).await;
    let one = destination(&fresh.catalog, "one").await;
    for name in ["a", "b", "c"] {
        completed(&fresh.catalog, name).await;
    }
    let mut held = Vec::new();
    while let Some((job, delivery)) = claim(&fresh.catalog, 100).await {
        held.push((job, delivery));
    }
    let names: Vec<_> = held.iter().map(|(_, it)| it.destination_name.as_str()).collect();
    assert_eq!((names.len(), names.iter().filter(|it| **it == "two").count()), (3, 2));
    let (job, delivery) = held.iter().find(|(_, it)| it.destination == one.id).unwrap();
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.end_attempt(delivery.id, job.fence, &stored(), at(101)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claim(&fresh.catalog, 102).await.unwrap().1.destination, one.id);

    // In all there may be a limit too.
    let mut tx = fresh.catalog.begin().await.unwrap();
    let places = Places { copies: 3, words: 3 };
    assert!(tx.lease_delivery("w", None, at(103), LEASE, places).await.unwrap().is_none());
}

#[tokio::test]
async fn deliveries_and_backups_do_not_take_each_others_places() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    completed(&fresh.catalog, "shop").await;
    assert!(claim(&fresh.catalog, 50).await.is_some());
    let wiki = database(&fresh.catalog, "wiki").await;
    pending(&fresh.catalog, &wiki, at(51)).await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(tx.lease_next("w", at(52), LEASE, 1).await.unwrap().is_some());
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.leases().await.unwrap().len(), 1);
    assert_eq!(fresh.catalog.delivery_leases().await.unwrap().len(), 1);
    assert!(lease(&fresh.catalog, "w", at(53)).await.is_none());
}

#[tokio::test]
async fn a_dead_workers_delivery_goes_back_into_the_queue_and_its_fence_is_refused() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    completed(&fresh.catalog, "shop").await;
    let (job, delivery) = claim(&fresh.catalog, 100).await.unwrap();
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.begin_attempt(delivery.id, job.fence, at(100)).await.unwrap();
    tx.commit().await.unwrap();
    let seen = fresh.catalog.delivery_leases().await.unwrap().remove(0);
    assert!(!seen.is_expired(at(129)) && seen.is_expired(at(130)));
    assert!(seen.is_expired(at(100) - TimeDelta::days(365)));

    // One that was renewed since is alive.
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.renew(job.id, job.fence, at(131), LEASE, None).await.unwrap();
    assert!(!tx.requeue_delivery(&seen, Some(at(192)), "x", at(132)).await.unwrap());
    tx.commit().await.unwrap();

    let seen = fresh.catalog.delivery_leases().await.unwrap().remove(0);
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(tx.requeue_delivery(&seen, Some(at(202)), "x", at(200)).await.unwrap());
    let late = [
        tx.end_attempt(delivery.id, job.fence, &stored(), at(201)).await,
        tx.block_delivery(delivery.id, job.fence, "no", at(202), at(201)).await,
        tx.begin_attempt(delivery.id, job.fence, at(201)).await.map(drop),
    ];
    assert!(late.iter().all(|it| matches!(it, Err(Error::LeaseLost))), "{late:?}");
    tx.commit().await.unwrap();
    let attempts = fresh.catalog.attempts(delivery.id).await.unwrap();
    assert_eq!(attempts[0].outcome, Some(AttemptOutcome::Interrupted));
    let done = attempt(&fresh.catalog, 202, &stored()).await;
    assert_eq!((done.status, done.attempts), (DeliveryStatus::Completed, 2));
}

#[tokio::test]
async fn a_copy_that_is_given_up_is_told_and_can_be_asked_for_again() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    notifier(&fresh.catalog, "pager", &[EventKind::DeliveryFailed]).await;
    let id = completed(&fresh.catalog, "shop").await.id;
    let no = end(AttemptOutcome::Permanent, Some("no such bucket"), Next::Fail);
    let failed = attempt(&fresh.catalog, 100, &no).await;
    assert_eq!(failed.status, DeliveryStatus::Failed);
    let word = of(&fresh.catalog, id).await.pop().unwrap();
    assert_eq!((word.event, word.about), (Some(EventKind::DeliveryFailed), Some(failed.id)));
    // That a notification fails is not told by another one.
    attempt(&fresh.catalog, 102, &no).await;
    assert_eq!(of(&fresh.catalog, id).await.len(), 2);

    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.retry_delivery(failed.id, at(110)).await.unwrap();
    tx.commit().await.unwrap();
    let done = attempt(&fresh.catalog, 111, &stored()).await;
    assert_eq!((done.id, done.attempts, done.tries), (failed.id, 2, 1));
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(matches!(tx.retry_delivery(failed.id, at(112)).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn a_delivery_can_be_stopped_while_it_waits_and_while_it_runs() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    for (name, held) in [("a", false), ("b", true)] {
        let id = completed(&fresh.catalog, name).await.id;
        let delivery = of(&fresh.catalog, id).await.remove(0);
        let job = if held { claim(&fresh.catalog, 100).await } else { None };
        let mut tx = fresh.catalog.begin().await.unwrap();
        let cancelled = tx.cancel_delivery(delivery.id, at(101)).await.unwrap();
        if let Some((job, _)) = job {
            assert_eq!(cancelled, Cancelled::Requested);
            assert!(
                tx.renew(job.id, job.fence, at(102), LEASE, None).await.unwrap().cancel_requested
            );
            let stopped = end(AttemptOutcome::Cancelled, None, Next::Cancel);
            tx.end_attempt(delivery.id, job.fence, &stopped, at(103)).await.unwrap();
        } else {
            assert_eq!(cancelled, Cancelled::AtOnce);
        }
        tx.commit().await.unwrap();
        let now = fresh.catalog.delivery(delivery.id).await.unwrap().unwrap();
        assert_eq!(now.status, DeliveryStatus::Cancelled);
        let mut tx = fresh.catalog.begin().await.unwrap();
        assert!(matches!(tx.cancel_delivery(delivery.id, at(104)).await, Err(Error::Conflict(_))));
    }
    assert!(claim(&fresh.catalog, 9_999).await.is_none());
}

#[tokio::test]
async fn what_waits_for_a_plugin_counts_no_attempt_and_is_woken_with_it() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    completed(&fresh.catalog, "shop").await;
    let (job, delivery) = claim(&fresh.catalog, 100).await.unwrap();
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.block_delivery(delivery.id, job.fence, "its plugin waits for approval", at(900), at(100))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let blocked = fresh.catalog.delivery(delivery.id).await.unwrap().unwrap();
    assert_eq!((blocked.status, blocked.attempts), (DeliveryStatus::Blocked, 0));
    assert!(claim(&fresh.catalog, 200).await.is_none());
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.wake_deliveries(Some(&cellar.plugin), None, at(201)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(claim(&fresh.catalog, 201).await.is_some());
}

#[tokio::test]
async fn a_disabled_destination_gets_nothing_until_it_is_enabled() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    completed(&fresh.catalog, "shop").await;
    for (enabled, leased) in [(false, false), (true, true)] {
        let mut tx = fresh.catalog.begin().await.unwrap();
        let wanted = DestinationFields { enabled, ..fields("cellar") };
        tx.update_destination(cellar.id, &wanted).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(claim(&fresh.catalog, 100).await.is_some(), leased);
    }
}

#[tokio::test]
async fn deleting_a_backup_queues_the_removal_of_its_copies_unless_they_are_to_stay() {
    let fresh = fresh().await;
    destination(&fresh.catalog, "cellar").await;
    for (name, keep, left) in [("a", false, 1), ("b", true, 0)] {
        let id = completed(&fresh.catalog, name).await.id;
        let (job, delivery) = claim(&fresh.catalog, 100).await.unwrap();
        let mut tx = fresh.catalog.begin().await.unwrap();
        let busy = tx.delete_backup(id, keep, "anna", at(100)).await;
        assert!(matches!(busy, Err(Error::Conflict(_))), "{busy:?}");
        drop(tx);
        let mut tx = fresh.catalog.begin().await.unwrap();
        tx.end_attempt(delivery.id, job.fence, &stored(), at(101)).await.unwrap();
        tx.delete_backup(id, keep, "anna", at(102)).await.unwrap();
        tx.commit().await.unwrap();
        let after = of(&fresh.catalog, id).await;
        assert_eq!(after.len(), left);
        if let [removal] = &after[..] {
            assert_eq!(
                (removal.purpose, removal.location.as_deref()),
                (Purpose::Remove, Some("shop/a.sql.gz"))
            );
            let gone =
                Next::Complete { location: None, bytes: None, note: None, stored_with: None };
            let done =
                attempt(&fresh.catalog, 103, &end(AttemptOutcome::Completed, None, gone)).await;
            assert_eq!(
                (done.status, done.location),
                (DeliveryStatus::Completed, Some("shop/a.sql.gz".to_owned()))
            );
        }
    }
}

#[tokio::test]
async fn removing_a_destination_cancels_what_waits_and_is_refused_while_something_runs() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let id = completed(&fresh.catalog, "shop").await.id;
    let (job, delivery) = claim(&fresh.catalog, 100).await.unwrap();
    let mut tx = fresh.catalog.begin().await.unwrap();
    let busy = tx.remove_destination(cellar.id, at(101)).await;
    assert!(matches!(busy, Err(Error::Conflict(_))), "{busy:?}");
    let again = end(AttemptOutcome::Temporary, Some("no"), Next::Again(at(500)));
    tx.end_attempt(delivery.id, job.fence, &again, at(102)).await.unwrap();
    tx.remove_destination(cellar.id, at(103)).await.unwrap();
    tx.commit().await.unwrap();
    let [left] = &of(&fresh.catalog, id).await[..] else { panic!("its record stays") };
    assert_eq!(
        (left.status, left.destination_name.as_str()),
        (DeliveryStatus::Cancelled, "cellar")
    );
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(matches!(tx.retry_delivery(left.id, at(600)).await, Err(Error::Conflict(_))));
    drop(tx);
    assert!(fresh.catalog.last_deliveries().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_last_delivery_to_each_destination_is_known() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    completed(&fresh.catalog, "a").await;
    completed(&fresh.catalog, "b").await;
    let newest = fresh.catalog.deliveries_to(cellar.id, 1).await.unwrap().remove(0);
    let last = fresh.catalog.last_deliveries().await.unwrap();
    assert_eq!(last.get(&cellar.id), Some(&newest));
    assert_eq!(fresh.catalog.deliveries_to(cellar.id, 9).await.unwrap().len(), 2);
}
