//! Records of backups and databases: what changes, and what must not.

use cofferdam_catalog::{Adopted, DatabaseUpdate, Digest, Error};
use cofferdam_model::{
    BackupId, BackupStatus, Failure, FailureKind, FileState, Role, Sidecar, Slug,
};

use crate::support::{
    LEASE, at, completed, database, fresh, new_backup, new_database, pending, running, sidecar,
    user,
};

#[tokio::test]
async fn a_completed_backup_has_all_that_its_sidecar_says() {
    let fresh = fresh().await;
    let sidecar = completed(&fresh.catalog, "shop").await;
    let record = fresh.catalog.backup(sidecar.id).await.unwrap().unwrap();
    assert_eq!(record.status, BackupStatus::Completed);
    assert_eq!(record.file_state, Some(FileState::Present));
    assert_eq!(record.filename.as_ref(), Some(&sidecar.filename));
    assert_eq!(record.size_bytes, Some(sidecar.size_bytes));
    assert_eq!(record.raw_bytes, Some(sidecar.raw_bytes));
    assert_eq!(record.sha256.as_ref(), Some(&sidecar.sha256));
    assert_eq!(record.tool_version, sidecar.tool_version);
    assert_eq!(record.started_at, Some(sidecar.started_at));
    assert_eq!(record.completed_at, Some(sidecar.completed_at));
    assert_eq!(record.created_at, sidecar.created_at);
    let facts = fresh.catalog.backup_facts(sidecar.id).await.unwrap().unwrap();
    assert_eq!((facts.tables, facts.source), (sidecar.tables, sidecar.source));
    assert_eq!(facts.drop_section_end, sidecar.drop_section_end);
    let by_name = fresh.catalog.backup_by_filename(&sidecar.filename).await.unwrap();
    assert_eq!(by_name.map(|backup| backup.id), Some(sidecar.id));
}

#[tokio::test]
async fn a_backup_that_is_over_never_changes_its_status() {
    let fresh = fresh().await;
    let (shop, backup, job) = running(&fresh.catalog, "shop").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.finish_cancelled(backup.id, job.fence, at(3)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = fresh.catalog.begin().await.unwrap();
    let failure = Failure::new(FailureKind::Tool, "no");
    let late = [
        tx.finish_completed(backup.id, job.fence, &sidecar(&backup)).await,
        tx.finish_failed(backup.id, job.fence, &failure, at(4)).await,
        tx.adopt(&sidecar(&backup), at(4)).await.map(drop),
        tx.set_file_state(backup.id, FileState::Present).await,
    ];
    assert!(late.iter().all(Result::is_err), "{late:?}");
    drop(tx);
    let record = fresh.catalog.backup(backup.id).await.unwrap().unwrap();
    assert_eq!((record.status, record.filename), (BackupStatus::Cancelled, None));

    // A waiting one has no run that could end.
    let waiting = pending(&fresh.catalog, &shop, at(5)).await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let early = tx.finish_completed(waiting.id, job.fence, &sidecar(&waiting)).await;
    assert!(matches!(early, Err(Error::LeaseLost)));
}

#[tokio::test]
async fn a_sidecar_of_another_backup_completes_nothing() {
    let fresh = fresh().await;
    let (_, backup, job) = running(&fresh.catalog, "shop").await;
    let mut other = sidecar(&backup);
    other.id = BackupId::new();
    let mut tx = fresh.catalog.begin().await.unwrap();
    let refused = tx.finish_completed(backup.id, job.fence, &other).await;
    assert!(matches!(refused, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn nothing_remains_of_a_transaction_that_was_dropped() {
    let fresh = fresh().await;
    let shop = database(&fresh.catalog, "shop").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let backup = tx.insert_backup(&new_backup(&shop), at(1)).await.unwrap();
    drop(tx);
    assert_eq!(fresh.catalog.backup(backup.id).await.unwrap(), None);
    assert_eq!(fresh.catalog.queue_length().await.unwrap(), (0, 0));
}

#[tokio::test]
async fn a_deleted_backup_leaves_a_tombstone_that_blocks_its_adoption() {
    let fresh = fresh().await;
    let sidecar = completed(&fresh.catalog, "shop").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let deleted = tx.delete_backup(sidecar.id, false, "anna", at(50)).await.unwrap();
    assert_eq!(deleted.filename.as_ref(), Some(&sidecar.filename));
    tx.commit().await.unwrap();
    let mut tx = fresh.catalog.begin().await.unwrap();
    let refused = tx.adopt(&sidecar, at(51)).await;
    assert!(matches!(refused, Err(Error::Tombstoned(id)) if id == sidecar.id));
    drop(tx);
    let tombstone = fresh.catalog.tombstone(sidecar.id).await.unwrap().unwrap();
    assert_eq!(tombstone.filename, Some(sidecar.filename));
    assert_eq!(tombstone.sha256, Some(sidecar.sha256));
    assert_eq!((tombstone.deleted_at, tombstone.deleted_by.as_str()), (at(50), "anna"));
    assert_eq!(fresh.catalog.backup_facts(sidecar.id).await.unwrap(), None);
}

#[tokio::test]
async fn pinned_and_unfinished_backups_are_not_deleted() {
    let fresh = fresh().await;
    let sidecar = completed(&fresh.catalog, "shop").await;
    let wiki = database(&fresh.catalog, "wiki").await;
    let waiting = pending(&fresh.catalog, &wiki, at(1)).await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.set_pinned(sidecar.id, true).await.unwrap();
    let refused = tx.delete_backup(sidecar.id, false, "anna", at(2)).await;
    assert!(matches!(refused, Err(Error::Pinned(_))));
    let refused = tx.delete_backup(waiting.id, false, "anna", at(2)).await;
    assert!(matches!(refused, Err(Error::Conflict(_))));
    let refused = tx.delete_backup(BackupId::new(), false, "anna", at(2)).await;
    assert!(matches!(refused, Err(Error::NotFound("backup"))));
    tx.set_pinned(sidecar.id, false).await.unwrap();
    tx.delete_backup(sidecar.id, false, "anna", at(2)).await.unwrap();
}

#[tokio::test]
async fn an_orphan_is_adopted_with_everything_it_says_of_itself() {
    let (here, there) = (fresh().await, fresh().await);
    let mut sidecar = completed(&there.catalog, "shop").await;
    sidecar.labels = vec!["before upgrade".parse().unwrap()];
    sidecar.pinned = true;
    let mut tx = here.catalog.begin().await.unwrap();
    assert_eq!(tx.adopt(&sidecar, at(60)).await.unwrap(), Adopted::Inserted);
    assert_eq!(tx.adopt(&sidecar, at(61)).await.unwrap(), Adopted::Known);
    let mut changed = sidecar.clone();
    changed.sha256 = "aa".repeat(32);
    assert!(matches!(tx.adopt(&changed, at(62)).await, Err(Error::Conflict(_))));
    tx.commit().await.unwrap();
    let record = here.catalog.backup(sidecar.id).await.unwrap().unwrap();
    assert_eq!(record.status, BackupStatus::Completed);
    assert_eq!((record.labels, record.pinned), (sidecar.labels, true));
    assert_eq!(record.created_by, sidecar.created_by);
}

#[tokio::test]
async fn after_the_loss_of_a_catalog_a_database_of_the_same_name_takes_its_backups_over() {
    let (here, there) = (fresh().await, fresh().await);
    let sidecar = completed(&there.catalog, "shop").await;
    let mut tx = here.catalog.begin().await.unwrap();
    let again = tx.insert_database(&new_database("shop"), at(1)).await.unwrap();
    assert_ne!(again.id, sidecar.database_id);
    tx.adopt(&sidecar, at(60)).await.unwrap();
    tx.commit().await.unwrap();
    let record = here.catalog.backup(sidecar.id).await.unwrap().unwrap();
    assert_eq!(record.database_id, again.id);
}

#[tokio::test]
async fn an_interrupted_run_whose_file_is_whole_becomes_completed() {
    let fresh = fresh().await;
    let (_, backup, job) = running(&fresh.catalog, "shop").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    // Its lease lives: somebody is at it.
    assert!(matches!(tx.adopt(&sidecar(&backup), at(3)).await, Err(Error::Conflict(_))));
    let interrupted = Failure::new(FailureKind::Interrupted, "stopped");
    tx.finish_failed(backup.id, job.fence, &interrupted, at(4)).await.unwrap();
    assert_eq!(tx.adopt(&sidecar(&backup), at(5)).await.unwrap(), Adopted::Completed);
    tx.commit().await.unwrap();
    let record = fresh.catalog.backup(backup.id).await.unwrap().unwrap();
    assert_eq!((record.status, record.failure), (BackupStatus::Completed, None));

    let (_, backup, _) = running(&fresh.catalog, "wiki").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert_eq!(tx.adopt(&sidecar(&backup), at(1000)).await.unwrap(), Adopted::Completed);
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.queue_length().await.unwrap(), (0, 0));
}

#[tokio::test]
async fn a_run_that_failed_for_another_reason_is_not_adopted() {
    let fresh = fresh().await;
    let (_, backup, job) = running(&fresh.catalog, "shop").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let failure = Failure::new(FailureKind::Tool, "the dump has no end").hint("h").detail("d");
    tx.finish_failed(backup.id, job.fence, &failure, at(4)).await.unwrap();
    assert!(matches!(tx.adopt(&sidecar(&backup), at(5)).await, Err(Error::Conflict(_))));
    drop(tx);
}

#[tokio::test]
async fn labels_are_sorted_and_doubles_taken_out() {
    let fresh = fresh().await;
    let sidecar = completed(&fresh.catalog, "shop").await;
    let label = |text: &str| text.parse().unwrap();
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.set_labels(sidecar.id, &[label("b"), label("a"), label("b")]).await.unwrap();
    assert!(matches!(tx.set_labels(BackupId::new(), &[]).await, Err(Error::NotFound(_))));
    tx.commit().await.unwrap();
    let record = fresh.catalog.backup(sidecar.id).await.unwrap().unwrap();
    assert_eq!(record.labels, [label("a"), label("b")]);
}

#[tokio::test]
async fn a_missing_file_is_noted_and_no_longer_counted_as_good() {
    let fresh = fresh().await;
    let sidecar = completed(&fresh.catalog, "shop").await;
    let stats = fresh.catalog.backup_stats(at(100)).await.unwrap();
    assert_eq!((stats.total, stats.completed, stats.total_bytes), (1, 1, sidecar.size_bytes));
    assert_eq!((stats.success_rate, stats.failed_recently), (Some(1.0), 0));
    assert_eq!(stats.last_success.map(|last| last.id), Some(sidecar.id));
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.set_file_state(sidecar.id, FileState::Missing).await.unwrap();
    tx.commit().await.unwrap();
    let stats = fresh.catalog.backup_stats(at(100)).await.unwrap();
    assert_eq!((stats.total_bytes, stats.last_success), (0, None));
    let overview = fresh.catalog.databases_overview().await.unwrap();
    assert_eq!((overview[0].total, overview[0].completed), (1, 1));
    assert_eq!(overview[0].last_completed, None);
    assert_eq!(overview[0].latest.as_ref().map(|last| last.id), Some(sidecar.id));
}

#[tokio::test]
async fn damaged_backups_are_those_whose_file_is_missing_or_corrupt_newest_first() {
    let fresh = fresh().await;
    let shop = database(&fresh.catalog, "shop").await;
    let mut ids = Vec::new();
    let mut tx = fresh.catalog.begin().await.unwrap();
    for (second, state) in
        [FileState::Missing, FileState::Present, FileState::Corrupt, FileState::Missing]
            .into_iter()
            .enumerate()
    {
        let moment = at(i64::try_from(second).unwrap());
        let made = tx.insert_backup(&new_backup(&shop), moment).await.unwrap();
        let job = tx.lease_backup(made.id, "w", moment, LEASE, 9).await.unwrap().unwrap();
        tx.finish_completed(made.id, job.fence, &sidecar(&made)).await.unwrap();
        tx.set_file_state(made.id, state).await.unwrap();
        ids.push(made.id);
    }
    // One that never had a file is not damaged.
    let failed = tx.insert_backup(&new_backup(&shop), at(9)).await.unwrap();
    let job = tx.lease_backup(failed.id, "w", at(9), LEASE, 9).await.unwrap().unwrap();
    let failure = Failure::new(FailureKind::Stall, "no bytes");
    tx.finish_failed(failed.id, job.fence, &failure, at(10)).await.unwrap();
    tx.commit().await.unwrap();
    let damaged = async |limit| {
        let found = fresh.catalog.damaged(limit).await.unwrap();
        found.iter().map(|backup| backup.id).collect::<Vec<_>>()
    };
    assert_eq!(damaged(10).await, [ids[3], ids[2], ids[0]]);
    assert_eq!(damaged(2).await, [ids[3], ids[2]]);
}

#[tokio::test]
async fn a_database_counts_only_the_bytes_of_its_own_present_files() {
    let fresh = fresh().await;
    let (shop, wiki) =
        (database(&fresh.catalog, "shop").await, database(&fresh.catalog, "wiki").await);
    let mut tx = fresh.catalog.begin().await.unwrap();
    for (of, bytes, state) in [
        (&shop, 1, FileState::Present),
        (&shop, 20, FileState::Present),
        (&shop, 300, FileState::Missing),
        (&shop, 4000, FileState::Corrupt),
        (&wiki, 50_000, FileState::Present),
    ] {
        let made = tx.insert_backup(&new_backup(of), at(1)).await.unwrap();
        let job = tx.lease_backup(made.id, "w", at(1), LEASE, 9).await.unwrap().unwrap();
        let file = Sidecar { size_bytes: bytes, ..sidecar(&made) };
        tx.finish_completed(made.id, job.fence, &file).await.unwrap();
        tx.set_file_state(made.id, state).await.unwrap();
    }
    tx.insert_backup(&new_backup(&shop), at(2)).await.unwrap();
    tx.insert_database(&new_database("empty"), at(2)).await.unwrap();
    tx.commit().await.unwrap();
    let overview = fresh.catalog.databases_overview().await.unwrap();
    let figures: Vec<_> = overview
        .iter()
        .map(|o| (o.database.slug.as_str(), o.total, o.completed, o.failed, o.total_bytes))
        .collect();
    let expected = [("empty", 0, 0, 0, 0), ("shop", 5, 4, 0, 21), ("wiki", 1, 1, 0, 50_000)];
    assert_eq!(figures, expected);
    let stats = fresh.catalog.backup_stats(at(3)).await.unwrap();
    assert_eq!((stats.total, stats.active, stats.total_bytes), (6, 1, 50_021));
}

#[tokio::test]
async fn the_chart_has_each_run_that_completed_or_failed_oldest_first() {
    let fresh = fresh().await;
    let first = completed(&fresh.catalog, "shop").await;
    let shop = fresh.catalog.database(first.database_id).await.unwrap().unwrap();
    let mut tx = fresh.catalog.begin().await.unwrap();
    let failing = tx.insert_backup(&new_backup(&shop), at(20)).await.unwrap();
    let job = tx.lease_backup(failing.id, "w", at(21), LEASE, 9).await.unwrap().unwrap();
    let failure = Failure::new(FailureKind::Stall, "no bytes");
    tx.finish_failed(failing.id, job.fence, &failure, at(26)).await.unwrap();
    let cancelled = tx.insert_backup(&new_backup(&shop), at(30)).await.unwrap();
    tx.request_cancel(cancelled.id, at(31)).await.unwrap();
    tx.insert_backup(&new_backup(&shop), at(40)).await.unwrap();
    tx.commit().await.unwrap();
    let other = completed(&fresh.catalog, "wiki").await;
    let empty = database(&fresh.catalog, "empty").await;
    let databases = [shop.id, other.database_id, empty.id];
    let series = fresh.catalog.series(&databases, 10).await.unwrap();
    assert_eq!(series.len(), 2, "one without backups is left out");
    assert_eq!(series[&other.database_id][0].id, other.id);
    let points = &series[&shop.id];
    let facts: Vec<_> =
        points.iter().map(|p| (p.id, p.status, p.size_bytes, p.duration_ms)).collect();
    let expected = [
        (first.id, BackupStatus::Completed, 4711, 12_000),
        (failing.id, BackupStatus::Failed, 0, 5000),
    ];
    assert_eq!(facts, expected);
    // The newest ones are kept.
    let series = fresh.catalog.series(&databases, 1).await.unwrap();
    let newest: Vec<_> = series[&shop.id].iter().map(|point| point.id).collect();
    assert_eq!(newest, [failing.id]);
    assert_eq!(fresh.catalog.series(&[shop.id], 2).await.unwrap()[&shop.id].len(), 2);
    assert!(fresh.catalog.series(&[], 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_short_name_that_is_taken_gets_a_number_until_it_is_free_again() {
    let fresh = fresh().await;
    let first = database(&fresh.catalog, "shop").await;
    let second = database(&fresh.catalog, "shop").await;
    let third = database(&fresh.catalog, "shop").await;
    let slugs = [&first, &second, &third].map(|made| made.slug.as_str());
    assert_eq!(slugs, ["shop", "shop_2", "shop_3"]);

    let mut tx = fresh.catalog.begin().await.unwrap();
    let update = DatabaseUpdate {
        slug: first.slug.clone(),
        summary: "s".to_owned(),
        settings: "{}".to_owned(),
        sealed: None,
    };
    let refused = tx.update_database(second.id, &update).await;
    assert!(matches!(refused, Err(Error::Taken("short name"))));
    tx.remove_database(first.id, at(2)).await.unwrap();
    tx.update_database(second.id, &update).await.unwrap();
    tx.commit().await.unwrap();
    assert!(fresh.catalog.database(first.id).await.unwrap().is_none());
    let found = fresh.catalog.database_by_slug(&Slug::from_name("shop")).await.unwrap().unwrap();
    assert_eq!((found.id, found.sealed), (second.id, None));
    assert_eq!(fresh.catalog.databases().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_database_keeps_its_sealed_bytes_and_its_backups_outlive_it() {
    let fresh = fresh().await;
    let sidecar = completed(&fresh.catalog, "shop").await;
    let made = fresh.catalog.database(sidecar.database_id).await.unwrap().unwrap();
    let new = new_database("shop");
    assert_eq!((made.sealed, made.settings), (new.sealed, new.settings));
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.remove_database(made.id, at(9)).await.unwrap();
    assert!(matches!(tx.remove_database(made.id, at(9)).await, Err(Error::NotFound(_))));
    tx.commit().await.unwrap();
    assert!(fresh.catalog.backup(sidecar.id).await.unwrap().is_some());
    let (busy, ..) = running(&fresh.catalog, "wiki").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(matches!(tx.remove_database(busy.id, at(9)).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn a_request_sent_twice_under_one_key_is_done_once() {
    let fresh = fresh().await;
    let anna = user(&fresh.catalog, "anna", Role::Operator).await;
    let bert = user(&fresh.catalog, "bert", Role::Operator).await;
    let (request, other) = (Digest::of("a"), Digest::of("b"));
    let backup = BackupId::new();
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert_eq!(tx.earlier_request(anna, "k", request, at(0)).await.unwrap(), None);
    tx.remember_request(anna, "k", request, backup, at(0)).await.unwrap();
    assert_eq!(tx.earlier_request(anna, "k", request, at(9)).await.unwrap(), Some(backup));
    let reused = tx.earlier_request(anna, "k", other, at(9)).await;
    assert!(matches!(reused, Err(Error::KeyReused)));
    assert_eq!(tx.earlier_request(bert, "k", other, at(9)).await.unwrap(), None);
    let tomorrow = at(24 * 3600);
    assert_eq!(tx.earlier_request(anna, "k", other, tomorrow).await.unwrap(), None);
}
