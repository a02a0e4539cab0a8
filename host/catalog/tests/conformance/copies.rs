//! Copies that destinations keep: those whose time is over, and those that wait
//! for a destination.

use cofferdam_catalog::{DestinationFields, Error, Next, StoredCopy};
use cofferdam_model::{AttemptOutcome, DeliveryStatus, Purpose};

use crate::{
    deliveries::{attempt, claim, end, of, stored},
    support::{at, completed, destination, fields, fresh},
};

#[tokio::test]
async fn a_copy_whose_time_is_over_is_counted_again_only_if_its_removal_fails() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let backup = completed(&fresh.catalog, "shop").await;
    attempt(&fresh.catalog, 100, &stored()).await;
    let copies = async || fresh.catalog.copies(cellar.id, backup.database_id).await.unwrap();
    let [copy] = &copies().await[..] else { panic!("one copy") };
    assert_eq!((copy.backup, copy.location.as_str()), (backup.id, "shop/a.sql.gz"));
    assert_eq!(fresh.catalog.databases_at(cellar.id).await.unwrap(), [backup.database_id]);

    let expire = async |copy: &StoredCopy, now| {
        let mut tx = fresh.catalog.begin().await.unwrap();
        let going = [(copy.clone(), "older than 7 days".to_owned())];
        tx.expire_copies(cellar.id, &going, at(now)).await.unwrap();
        tx.commit().await.unwrap();
    };
    expire(copy, 110).await;
    expire(copy, 111).await;
    assert_eq!((copies().await.len(), of(&fresh.catalog, backup.id).await.len()), (0, 2));
    let stands = async || of(&fresh.catalog, backup.id).await[0].clone();
    assert_eq!(stands().await.removal, Some(DeliveryStatus::Pending));
    assert!(!stands().await.is_copy());

    let no = end(AttemptOutcome::Permanent, Some("the disk is gone"), Next::Fail);
    attempt(&fresh.catalog, 112, &no).await;
    assert_eq!((copies().await.len(), stands().await.is_copy()), (1, true));
    expire(copy, 120).await;
    let gone = Next::Complete { location: None, bytes: None, note: None, stored_with: None };
    let done = attempt(&fresh.catalog, 121, &end(AttemptOutcome::Completed, None, gone)).await;
    assert_eq!((done.purpose, done.note.as_deref()), (Purpose::Remove, Some("older than 7 days")));
    assert_eq!((copies().await.len(), stands().await.is_copy()), (0, false));
    // What is gone is not removed once more with its backup.
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.delete_backup(backup.id, false, "anna", at(130)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(claim(&fresh.catalog, 9_999).await.is_none());
}

#[tokio::test]
async fn copies_that_are_to_stay_are_not_removed_by_a_policy_that_has_named_them() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let backup = completed(&fresh.catalog, "shop").await;
    attempt(&fresh.catalog, 100, &stored()).await;
    let copy = fresh.catalog.copies(cellar.id, backup.database_id).await.unwrap().remove(0);
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.expire_copies(cellar.id, &[(copy, "old".to_owned())], at(101)).await.unwrap();
    tx.delete_backup(backup.id, true, "anna", at(102)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(claim(&fresh.catalog, 9_999).await.is_none());
}

#[tokio::test]
async fn a_removal_that_was_called_off_with_its_backups_deletion_is_not_tried_again() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let no = end(AttemptOutcome::Permanent, Some("the disk is gone"), Next::Fail);
    for (name, fails) in [("waiting", false), ("failed", true)] {
        let backup = completed(&fresh.catalog, name).await;
        attempt(&fresh.catalog, 100, &stored()).await;
        let copy = fresh.catalog.copies(cellar.id, backup.database_id).await.unwrap().remove(0);
        let mut tx = fresh.catalog.begin().await.unwrap();
        tx.expire_copies(cellar.id, &[(copy, "old".to_owned())], at(101)).await.unwrap();
        tx.commit().await.unwrap();
        if fails {
            attempt(&fresh.catalog, 102, &no).await;
        }
        let mut tx = fresh.catalog.begin().await.unwrap();
        tx.delete_backup(backup.id, true, "anna", at(103)).await.unwrap();
        tx.commit().await.unwrap();
        let [removal] = &of(&fresh.catalog, backup.id).await[..] else { panic!("{name}") };
        assert_eq!((removal.status, removal.is_kept), (DeliveryStatus::Cancelled, true));
        assert!(removal.error.as_ref().unwrap().contains("were to stay"), "{removal:?}");
        let mut tx = fresh.catalog.begin().await.unwrap();
        let refused = tx.retry_delivery(removal.id, at(104)).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        drop(tx);
        // It is where it should be, so nobody has to look after it.
        assert_eq!(fresh.catalog.left_behind(cellar.id, 9).await.unwrap(), []);
    }
    assert!(claim(&fresh.catalog, 9_999).await.is_none());
}

#[tokio::test]
async fn what_waits_for_a_destination_that_is_switched_off_or_removed_says_so() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let id = completed(&fresh.catalog, "shop").await.id;
    let switch = async |enabled| {
        let mut tx = fresh.catalog.begin().await.unwrap();
        let wanted = DestinationFields { enabled, ..fields("cellar") };
        tx.update_destination(cellar.id, &wanted).await.unwrap();
        tx.wake_deliveries(None, Some(cellar.id), at(50)).await.unwrap();
        tx.commit().await.unwrap();
    };
    let stands = async || of(&fresh.catalog, id).await.remove(0);
    switch(false).await;
    let held = stands().await;
    assert_eq!(held.status, DeliveryStatus::Blocked);
    assert_eq!(held.error.as_deref(), Some("the destination is switched off"));
    assert_eq!(fresh.catalog.deliveries_due(at(100)).await.unwrap(), 0);
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(matches!(tx.retry_delivery(held.id, at(60)).await, Err(Error::Conflict(_))));
    drop(tx);
    switch(true).await;
    assert_eq!(fresh.catalog.deliveries_due(at(100)).await.unwrap(), 1);

    // Whoever dies with it in hand gives it back to a destination that is off by now.
    let (job, delivery) = claim(&fresh.catalog, 100).await.unwrap();
    switch(false).await;
    let seen = fresh.catalog.delivery_leases().await.unwrap().remove(0);
    assert_eq!((seen.job, seen.delivery), (job.id, delivery.id));
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(tx.requeue_delivery(&seen, Some(at(200)), "x", at(200)).await.unwrap());
    tx.remove_destination(cellar.id, at(201)).await.unwrap();
    let left = tx.delivery(delivery.id).await.unwrap().unwrap();
    assert_eq!(left.status, DeliveryStatus::Cancelled);
    assert_eq!(left.error.as_deref(), Some("the destination was removed"));
}

#[tokio::test]
async fn the_last_test_of_a_destination_is_kept_until_it_is_forgotten() {
    let fresh = fresh().await;
    let cellar = destination(&fresh.catalog, "cellar").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.note_check(cellar.id, &serde_json::json!({ "ok": false }), at(1)).await.unwrap();
    tx.note_check(cellar.id, &serde_json::json!({ "ok": true }), at(2)).await.unwrap();
    tx.commit().await.unwrap();
    let kept = fresh.catalog.checks().await.unwrap().remove(&cellar.id).unwrap();
    assert_eq!(kept, (at(2), serde_json::json!({ "ok": true })));
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.forget_check(cellar.id).await.unwrap();
    tx.commit().await.unwrap();
    assert!(fresh.catalog.checks().await.unwrap().is_empty());
}
