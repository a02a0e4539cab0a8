//! Components and destinations.

use cofferdam_catalog::{Error, NewComponent};
use cofferdam_model::{ComponentHash, Grants};

use crate::support::{at, database, destination, fields, fresh};

fn component(byte: u8) -> NewComponent {
    NewComponent {
        hash: ComponentHash::from_bytes(&[byte; 32]),
        plugin: "s3".parse().unwrap(),
        name: "S3".to_owned(),
        version: format!("1.0.{byte}"),
        description: serde_json::json!({ "summary": "keeps" }),
        file: "s3.wasm".to_owned(),
        bundled: false,
    }
}

#[tokio::test]
async fn approval_belongs_to_one_hash_and_a_new_one_of_the_same_plugin_waits() {
    let fresh = fresh().await;
    let (old, new) = (component(1), component(2));
    let grants = Grants {
        hosts: vec!["s3.example.com:443".parse().unwrap()],
        folder: Some("/srv/copies".into()),
        mail: true,
    };
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(tx.see_component(&old, at(1)).await.unwrap());
    tx.approve_component(&old.hash, "anna", &grants, at(2)).await.unwrap();
    assert!(!tx.see_component(&old, at(3)).await.unwrap());
    assert!(tx.see_component(&new, at(4)).await.unwrap());
    tx.commit().await.unwrap();

    let of = fresh.catalog.components().await.unwrap();
    assert_eq!(of.iter().map(|it| &it.seen.hash).collect::<Vec<_>>(), [&old.hash, &new.hash]);
    assert_eq!(of[0].approved, Some(("anna".to_owned(), at(2))));
    assert_eq!((&of[0].grants, of[0].first_seen_at), (&grants, at(1)));
    assert_eq!((&of[1].approved, &of[1].grants), (&None, &Grants::default()));
    assert_eq!(of[0].seen, old);
}

#[tokio::test]
async fn who_runs_a_plugin_is_given_what_is_approved_of_it_the_last_one_first() {
    let fresh = fresh().await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    for byte in 1..=3 {
        tx.see_component(&component(byte), at(1)).await.unwrap();
    }
    let mail = Grants { mail: true, ..Grants::default() };
    tx.approve_component(&component(1).hash, "anna", &mail, at(9)).await.unwrap();
    tx.approve_component(&component(2).hash, "anna", &Grants::default(), at(8)).await.unwrap();
    tx.commit().await.unwrap();
    let usable = fresh.catalog.approved_components().await.unwrap();
    let plugin = component(1).plugin;
    let expected =
        [(plugin.clone(), component(1).hash, mail), (plugin, component(2).hash, Grants::default())];
    assert_eq!(usable, expected);
}

#[tokio::test]
async fn what_nobody_approved_and_is_gone_is_forgotten_after_a_while() {
    let fresh = fresh().await;
    let bundled = NewComponent { bundled: true, ..component(5) };
    let mut tx = fresh.catalog.begin().await.unwrap();
    for byte in 1..=3 {
        tx.see_component(&component(byte), at(1)).await.unwrap();
    }
    tx.see_component(&component(4), at(90)).await.unwrap();
    tx.see_component(&bundled, at(1)).await.unwrap();
    tx.approve_component(&component(1).hash, "anna", &Grants::default(), at(2)).await.unwrap();
    let there = [component(2).hash];
    assert_eq!(tx.forget_components(&there, at(50)).await.unwrap(), 1);
    assert_eq!(tx.forget_components(&there, at(50)).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let left = fresh.catalog.components().await.unwrap();
    let mut left: Vec<_> = left.into_iter().map(|it| it.seen.version).collect();
    left.sort();
    assert_eq!(left, ["1.0.1", "1.0.2", "1.0.4", "1.0.5"]);
}

#[tokio::test]
async fn revoking_takes_the_grants_back_with_the_approval() {
    let fresh = fresh().await;
    let seen = component(1);
    let grants = Grants { mail: true, ..Grants::default() };
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.see_component(&seen, at(1)).await.unwrap();
    assert!(matches!(tx.revoke_component(&seen.hash).await, Err(Error::Conflict(_))));
    tx.approve_component(&seen.hash, "anna", &grants, at(2)).await.unwrap();
    tx.revoke_component(&seen.hash).await.unwrap();
    let left = tx.component(&seen.hash).await.unwrap().unwrap();
    assert_eq!((left.approved, left.grants), (None, Grants::default()));
    let unknown = component(9).hash;
    for refused in [
        tx.revoke_component(&unknown).await,
        tx.approve_component(&unknown, "anna", &grants, at(3)).await,
    ] {
        assert!(matches!(refused, Err(Error::NotFound("plugin"))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_destination_keeps_what_it_was_given() {
    let fresh = fresh().await;
    let shop = database(&fresh.catalog, "shop").await;
    let made = destination(&fresh.catalog, "cellar").await;
    let mut wanted = fields("attic");
    wanted.databases = Some(vec![shop.id]);
    (wanted.sealed, wanted.enabled, wanted.concurrency, wanted.keep_going) =
        (Some(vec![0, 9]), false, 3, true);
    wanted.events.clear();
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.update_destination(made.id, &wanted).await.unwrap();
    tx.commit().await.unwrap();
    let now = fresh.catalog.destination(made.id).await.unwrap().unwrap();
    assert_eq!(
        (now.name.as_str(), now.databases, now.sealed),
        ("attic", wanted.databases, wanted.sealed)
    );
    assert_eq!((now.enabled, now.concurrency, now.keep_going), (false, 3, true));
    assert_eq!((now.events, now.roles, now.created_at), (vec![], wanted.roles, at(0)));
    assert_eq!(
        fresh.catalog.destination_by_name(&now.name).await.unwrap().map(|it| it.id),
        Some(made.id)
    );
}

#[tokio::test]
async fn a_name_belongs_to_one_destination_until_that_is_removed() {
    let fresh = fresh().await;
    let first = destination(&fresh.catalog, "cellar").await;
    let other = destination(&fresh.catalog, "attic").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let taken = tx.update_destination(other.id, &fields("cellar")).await;
    assert!(matches!(taken, Err(Error::Taken(_))), "{taken:?}");
    tx.remove_destination(first.id, at(5)).await.unwrap();
    tx.update_destination(other.id, &fields("cellar")).await.unwrap();
    assert!(matches!(tx.remove_destination(first.id, at(6)).await, Err(Error::NotFound(_))));
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.destinations().await.unwrap().len(), 1);
}
