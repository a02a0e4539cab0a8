//! The audit log and its chain.

use cofferdam_catalog::{Actor, ActorKind, AuditFilter, Catalog, NewAudit, Outcome};
use serde_json::json;

use crate::support::{at, fresh};

fn entry(action: &str, outcome: Outcome) -> NewAudit {
    let actor = Actor {
        name: "anna".to_owned(),
        kind: ActorKind::User,
        remote: Some("192.0.2.7".to_owned()),
    };
    NewAudit::new(actor, action, outcome).object("backup", "id-1", "shop").details(json!({"n": 1}))
}

pub(crate) async fn write(catalog: &Catalog, count: i64) {
    let mut tx = catalog.begin().await.unwrap();
    for number in 0..count {
        let action = if number % 2 == 0 { "backup.create" } else { "backup.download" };
        tx.audit(&entry(action, Outcome::Allowed), at(number)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_untouched_chain_holds_over_many_pages() {
    let fresh = fresh().await;
    let empty = fresh.catalog.verify_audit().await.unwrap();
    assert_eq!((empty.checked, empty.last_hash, empty.fault), (0, None, None));
    write(&fresh.catalog, 2345).await;
    let report = fresh.catalog.verify_audit().await.unwrap();
    assert_eq!((report.checked, report.fault), (2345, None));
    let last = fresh.catalog.audit_after(2344, 5).await.unwrap();
    assert_eq!(report.last_hash, Some(last[0].hash));
}

#[tokio::test]
async fn an_entry_has_all_that_was_said() {
    let fresh = fresh().await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let id = tx.audit(&entry("backup.delete", Outcome::Denied), at(3)).await.unwrap();
    let system = NewAudit::new(Actor::system(), "session.purge", Outcome::Failed);
    tx.audit(&system, at(4)).await.unwrap();
    tx.commit().await.unwrap();
    let all = fresh.catalog.audit_after(0, 10).await.unwrap();
    let (first, second) = (&all[0], &all[1]);
    assert_eq!((first.seq, first.id, first.at), (1, id, at(3)));
    assert_eq!(first.actor, entry("", Outcome::Denied).actor);
    assert_eq!((first.action.as_str(), first.outcome), ("backup.delete", Outcome::Denied));
    assert_eq!(first.object_kind.as_deref(), Some("backup"));
    assert_eq!(first.object_id.as_deref(), Some("id-1"));
    assert_eq!(first.object_name.as_deref(), Some("shop"));
    assert_eq!(first.details, r#"{"n":1}"#);
    assert_eq!((second.object_kind.as_ref(), second.actor.remote.as_ref()), (None, None));
    assert_eq!(second.prev_hash, first.hash);
}

#[tokio::test]
async fn an_entry_is_written_with_its_change_or_not_at_all() {
    let fresh = fresh().await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.audit(&entry("backup.create", Outcome::Allowed), at(0)).await.unwrap();
    drop(tx);
    assert_eq!(fresh.catalog.audit_after(0, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entries_written_at_the_same_time_form_one_chain() {
    let fresh = fresh().await;
    let writers = (0..8).map(|_| {
        let catalog = fresh.catalog.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                write(&catalog, 2).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let report = fresh.catalog.verify_audit().await.unwrap();
    assert_eq!((report.checked, report.fault), (160, None));
}

#[tokio::test]
async fn the_log_is_listed_newest_first_with_filters_and_pages() {
    let fresh = fresh().await;
    write(&fresh.catalog, 30).await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.audit(&entry("backups.export", Outcome::Denied), at(50)).await.unwrap();
    tx.commit().await.unwrap();
    let count = async |filter: AuditFilter| {
        let filter = AuditFilter { limit: 7, ..filter };
        fresh.catalog.audit(&filter).await.unwrap().total
    };
    let all = AuditFilter::default;
    assert_eq!(count(all()).await, 31);
    assert_eq!(count(AuditFilter { action: Some("backup".to_owned()), ..all() }).await, 30);
    let exact = AuditFilter { action: Some("backup.create".to_owned()), ..all() };
    assert_eq!(count(exact).await, 15);
    assert_eq!(count(AuditFilter { outcome: Some(Outcome::Denied), ..all() }).await, 1);
    assert_eq!(count(AuditFilter { actor: Some("bert".to_owned()), ..all() }).await, 0);
    assert_eq!(count(AuditFilter { object_id: Some("id-1".to_owned()), ..all() }).await, 31);
    assert_eq!(count(AuditFilter { text: Some("EXPORT".to_owned()), ..all() }).await, 1);
    assert_eq!(count(AuditFilter { from: Some(at(10)), until: Some(at(12)), ..all() }).await, 2);
    let page = AuditFilter { limit: 7, offset: 28, ..all() };
    let page = fresh.catalog.audit(&page).await.unwrap();
    assert_eq!(page.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 2, 1]);
}
