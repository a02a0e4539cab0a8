//! The queue: leases, fences, limits, cancelling.

use std::collections::HashSet;

use chrono::TimeDelta;
use cofferdam_catalog::{BackupFilter, Cancelled, Error};
use cofferdam_model::{BackupStatus, Failure, FailureKind, JobKind, Phase, Progress};

use crate::support::{LEASE, at, database, fresh, lease, new_backup, pending, running, sidecar};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_workers_lease_every_job_once_and_double_none() {
    let fresh = fresh().await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    for number in 0..200 {
        let name = format!("db{number}");
        let made = tx.insert_database(&crate::support::new_database(&name), at(0)).await.unwrap();
        tx.insert_backup(&new_backup(&made), at(number)).await.unwrap();
    }
    tx.commit().await.unwrap();

    let workers = (0..8).map(|number| {
        let catalog = fresh.catalog.clone();
        tokio::spawn(async move {
            let mut leased = Vec::new();
            loop {
                let mut tx = catalog.begin().await.unwrap();
                let job = tx.lease_next(&format!("w{number}"), at(500), LEASE, 1000).await.unwrap();
                tx.commit().await.unwrap();
                let Some(job) = job else { return leased };
                leased.push(job.id);
            }
        })
    });
    let mut all = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        all.extend(worker.await.unwrap());
    }
    assert_eq!(all.len(), 200);
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_writers_lose_nothing() {
    let fresh = fresh().await;
    let shop = database(&fresh.catalog, "shop").await;
    let writers = (0..8).map(|_| {
        let (catalog, shop) = (fresh.catalog.clone(), shop.clone());
        tokio::spawn(async move {
            for second in 0..25 {
                pending(&catalog, &shop, at(second)).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(fresh.catalog.backups(&BackupFilter::default()).await.unwrap().total, 200);
    assert_eq!(fresh.catalog.queue_length().await.unwrap(), (200, 0));
}

#[tokio::test]
async fn the_oldest_waiting_job_is_leased_first_and_its_backup_runs() {
    let fresh = fresh().await;
    let (shop, wiki) =
        (database(&fresh.catalog, "shop").await, database(&fresh.catalog, "wiki").await);
    let later = pending(&fresh.catalog, &shop, at(20)).await;
    let earlier = pending(&fresh.catalog, &wiki, at(10)).await;
    let job = lease(&fresh.catalog, "w", at(30)).await.unwrap();
    assert_eq!(job.kind, JobKind::Backup(earlier.id));
    assert_eq!(job.expires_at, at(30) + LEASE);
    let record = fresh.catalog.backup(earlier.id).await.unwrap().unwrap();
    assert_eq!((record.status, record.started_at), (BackupStatus::Running, Some(at(30))));
    let waiting = fresh.catalog.backup(later.id).await.unwrap().unwrap();
    assert_eq!(waiting.status, BackupStatus::Pending);
}

#[tokio::test]
async fn one_database_has_one_run_at_a_time() {
    let fresh = fresh().await;
    let (shop, first, job) = running(&fresh.catalog, "shop").await;
    pending(&fresh.catalog, &shop, at(3)).await;
    assert!(lease(&fresh.catalog, "w2", at(4)).await.is_none());
    let wiki = database(&fresh.catalog, "wiki").await;
    pending(&fresh.catalog, &wiki, at(5)).await;
    assert!(lease(&fresh.catalog, "w2", at(6)).await.is_some());
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.finish_completed(first.id, job.fence, &sidecar(&first)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(lease(&fresh.catalog, "w2", at(7)).await.is_some());
}

#[tokio::test]
async fn no_more_jobs_run_at_once_than_the_limit_allows() {
    let fresh = fresh().await;
    for name in ["a", "b", "c"] {
        let made = database(&fresh.catalog, name).await;
        pending(&fresh.catalog, &made, at(1)).await;
    }
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(tx.lease_next("w", at(2), LEASE, 2).await.unwrap().is_some());
    assert!(tx.lease_next("w", at(2), LEASE, 2).await.unwrap().is_some());
    assert!(tx.lease_next("w", at(2), LEASE, 2).await.unwrap().is_none());
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.queue_length().await.unwrap(), (1, 2));
}

#[tokio::test]
async fn one_certain_backup_can_be_leased_before_older_ones() {
    let fresh = fresh().await;
    let (a, b) = (database(&fresh.catalog, "a").await, database(&fresh.catalog, "b").await);
    pending(&fresh.catalog, &a, at(1)).await;
    let mine = pending(&fresh.catalog, &b, at(2)).await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let job = tx.lease_backup(mine.id, "cli", at(3), LEASE, 5).await.unwrap().unwrap();
    assert_eq!(job.kind, JobKind::Backup(mine.id));
    assert!(tx.lease_backup(mine.id, "cli", at(3), LEASE, 5).await.unwrap().is_none());
}

#[tokio::test]
async fn after_a_takeover_the_old_fence_is_refused_everywhere() {
    let fresh = fresh().await;
    let (_, backup, old) = running(&fresh.catalog, "shop").await;
    let expired = fresh.catalog.expired_jobs(at(100)).await.unwrap();
    assert_eq!(expired.len(), 1);
    let mut tx = fresh.catalog.begin().await.unwrap();
    let new = tx.take_over(&expired[0], "w2", at(100), LEASE).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert!(new.fence > old.fence);

    let mut tx = fresh.catalog.begin().await.unwrap();
    let failure = Failure::new(FailureKind::Tool, "no");
    let lost = [
        tx.renew(old.id, old.fence, at(101), LEASE, None).await.map(drop),
        tx.finish_completed(backup.id, old.fence, &sidecar(&backup)).await,
        tx.finish_failed(backup.id, old.fence, &failure, at(101)).await,
        tx.finish_cancelled(backup.id, old.fence, at(101)).await,
    ];
    assert!(lost.iter().all(|result| matches!(result, Err(Error::LeaseLost))), "{lost:?}");
    tx.renew(new.id, new.fence, at(101), LEASE, None).await.unwrap();
    let interrupted = Failure::new(FailureKind::Interrupted, "the console was stopped");
    tx.finish_failed(backup.id, new.fence, &interrupted, at(102)).await.unwrap();
    tx.commit().await.unwrap();
    let record = fresh.catalog.backup(backup.id).await.unwrap().unwrap();
    assert_eq!((record.status, record.failure), (BackupStatus::Failed, Some(interrupted)));
}

#[tokio::test]
async fn a_living_lease_is_left_alone() {
    let fresh = fresh().await;
    let (_, _, job) = running(&fresh.catalog, "shop").await;
    assert_eq!(fresh.catalog.expired_jobs(at(31)).await.unwrap(), []);
    // It looks expired after the clock jumped, is renewed, and so is not taken.
    let seen = fresh.catalog.expired_jobs(at(86_400)).await.unwrap();
    assert_eq!(seen.len(), 1);
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.renew(job.id, job.fence, at(86_401), LEASE, None).await.unwrap();
    assert_eq!(tx.take_over(&seen[0], "w2", at(86_402), LEASE).await.unwrap(), None);
}

#[tokio::test]
async fn a_lease_from_the_future_counts_as_expired_when_the_clock_was_set_back() {
    let fresh = fresh().await;
    running(&fresh.catalog, "shop").await;
    let year_before = at(2) - TimeDelta::days(365);
    assert_eq!(fresh.catalog.expired_jobs(year_before).await.unwrap().len(), 1);
    // A second of difference between two clocks is nothing.
    assert_eq!(fresh.catalog.expired_jobs(at(1)).await.unwrap(), []);
}

#[tokio::test]
async fn a_late_renewal_succeeds_while_nobody_took_over() {
    let fresh = fresh().await;
    let (_, _, job) = running(&fresh.catalog, "shop").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let renewed = tx.renew(job.id, job.fence, at(1000), LEASE, None).await.unwrap();
    assert_eq!(renewed.expires_at, at(1000) + LEASE);
    assert!(!renewed.cancel_requested);
}

#[tokio::test]
async fn progress_is_seen_by_others_until_the_run_is_over() {
    let fresh = fresh().await;
    let (_, backup, job) = running(&fresh.catalog, "shop").await;
    assert_eq!(fresh.catalog.progress(backup.id).await.unwrap(), None);
    let progress = Progress {
        phase: Phase::Dumping,
        table: Some("public.orders".to_owned()),
        percent: Some(46.5),
        raw_bytes: 83,
        ..Progress::default()
    };
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.renew(job.id, job.fence, at(3), LEASE, Some(&progress)).await.unwrap();
    tx.renew(job.id, job.fence, at(4), LEASE, None).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.progress(backup.id).await.unwrap(), Some(progress));
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.finish_cancelled(backup.id, job.fence, at(5)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.progress(backup.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_waiting_backup_is_cancelled_at_once_and_never_leased() {
    let fresh = fresh().await;
    let shop = database(&fresh.catalog, "shop").await;
    let backup = pending(&fresh.catalog, &shop, at(1)).await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert_eq!(tx.request_cancel(backup.id, at(2)).await.unwrap(), Cancelled::AtOnce);
    assert!(matches!(tx.request_cancel(backup.id, at(2)).await, Err(Error::Conflict(_))));
    tx.commit().await.unwrap();
    assert!(lease(&fresh.catalog, "w", at(3)).await.is_none());
    let record = fresh.catalog.backup(backup.id).await.unwrap().unwrap();
    assert_eq!((record.status, record.completed_at), (BackupStatus::Cancelled, Some(at(2))));
}

#[tokio::test]
async fn a_running_backup_hears_of_its_cancelling_with_the_next_renewal() {
    let fresh = fresh().await;
    let (_, backup, job) = running(&fresh.catalog, "shop").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert_eq!(tx.request_cancel(backup.id, at(3)).await.unwrap(), Cancelled::Requested);
    assert!(tx.renew(job.id, job.fence, at(4), LEASE, None).await.unwrap().cancel_requested);
    tx.finish_cancelled(backup.id, job.fence, at(5)).await.unwrap();
    tx.commit().await.unwrap();
    let record = fresh.catalog.backup(backup.id).await.unwrap().unwrap();
    assert_eq!(record.status, BackupStatus::Cancelled);
    assert_eq!(fresh.catalog.queue_length().await.unwrap(), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cancelling_and_leasing_at_the_same_moment_agree_on_one_outcome() {
    let fresh = fresh().await;
    let shop = database(&fresh.catalog, "shop").await;
    for round in 0..40 {
        let backup = pending(&fresh.catalog, &shop, at(round)).await;
        let (person, worker) = (fresh.catalog.clone(), fresh.catalog.clone());
        let cancel = tokio::spawn(async move {
            let mut tx = person.begin().await.unwrap();
            let cancelled = tx.request_cancel(backup.id, at(round)).await.unwrap();
            tx.commit().await.unwrap();
            cancelled
        });
        let job = tokio::spawn(async move { lease(&worker, "w", at(round)).await });
        let (cancelled, job) = (cancel.await.unwrap(), job.await.unwrap());
        match job {
            None => assert_eq!(cancelled, Cancelled::AtOnce),
            Some(job) => {
                assert_eq!(cancelled, Cancelled::Requested);
                let mut tx = fresh.catalog.begin().await.unwrap();
                tx.finish_cancelled(backup.id, job.fence, at(round)).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
        let record = fresh.catalog.backup(backup.id).await.unwrap().unwrap();
        assert_eq!(record.status, BackupStatus::Cancelled);
    }
}
