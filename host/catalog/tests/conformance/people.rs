//! People, sessions, tokens, set-up links, settings.

use chrono::TimeDelta;
use cofferdam_catalog::{Digest, Error, NewSession, NewToken};
use cofferdam_model::{Role, UserId};

use crate::support::{add_user, at, fresh, new_user, user};

fn session(key: &str, user_id: Option<UserId>) -> NewSession {
    NewSession {
        digest: Digest::of(key),
        user_id,
        state: r#"{"a":"1"}"#.to_owned(),
        absolute_expires_at: at(1000),
        idle_expires_at: at(100),
    }
}

#[tokio::test]
async fn a_user_name_is_taken_whatever_its_case() {
    let fresh = fresh().await;
    let anna = user(&fresh.catalog, "Anna", Role::Administrator).await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let refused = add_user(&mut tx, "ANNA", Role::Viewer).await;
    assert!(matches!(refused, Err(Error::Taken("user name"))));
    drop(tx);
    let found = fresh.catalog.user_by_name(&"aNNa".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((found.id, found.role), (anna, Role::Administrator));
    assert_eq!(fresh.catalog.user_count().await.unwrap(), 1);
}

#[tokio::test]
async fn the_last_administrator_is_not_disabled() {
    let fresh = fresh().await;
    let anna = user(&fresh.catalog, "anna", Role::Administrator).await;
    let bert = user(&fresh.catalog, "bert", Role::Administrator).await;
    user(&fresh.catalog, "carl", Role::Operator).await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.set_disabled(bert, Some(at(1))).await.unwrap();
    assert!(matches!(tx.set_disabled(anna, Some(at(1))).await, Err(Error::Conflict(_))));
    tx.set_disabled(bert, None).await.unwrap();
    tx.set_disabled(anna, Some(at(1))).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.users().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_password_change_is_recorded_and_ends_the_other_sessions() {
    let fresh = fresh().await;
    let anna = user(&fresh.catalog, "anna", Role::Administrator).await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    for key in ["one", "two", "three"] {
        tx.insert_session(&session(key, Some(anna)), at(0)).await.unwrap();
    }
    tx.set_password_hash(anna, "new", at(5)).await.unwrap();
    assert_eq!(tx.delete_sessions_of(anna, Some(Digest::of("two"))).await.unwrap(), 2);
    assert!(matches!(
        tx.set_password_hash(UserId::new(), "x", at(5)).await,
        Err(Error::NotFound("user"))
    ));
    tx.commit().await.unwrap();
    let found = fresh.catalog.user(anna).await.unwrap().unwrap();
    assert_eq!((found.password_hash.as_str(), found.password_changed_at), ("new", at(5)));
    assert!(fresh.catalog.session(Digest::of("one"), at(6)).await.unwrap().is_none());
    assert!(fresh.catalog.session(Digest::of("two"), at(6)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_session_ends_at_either_limit_and_with_its_person() {
    let fresh = fresh().await;
    let anna = user(&fresh.catalog, "anna", Role::Operator).await;
    user(&fresh.catalog, "root", Role::Administrator).await;
    let key = Digest::of("key");
    let mut tx = fresh.catalog.begin().await.unwrap();
    let id = tx.insert_session(&session("key", None), at(0)).await.unwrap();
    assert!(tx.update_session(key, Some(anna), "{}", at(150), at(50)).await.unwrap());
    tx.commit().await.unwrap();
    let found = fresh.catalog.session(key, at(149)).await.unwrap().unwrap();
    assert_eq!((found.id, found.user_id, found.state.as_str()), (id, Some(anna), "{}"));
    assert!(fresh.catalog.session(key, at(150)).await.unwrap().is_none());
    assert!(fresh.catalog.session(Digest::of("other"), at(1)).await.unwrap().is_none());

    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(tx.touch_session(key, at(9999), at(140)).await.unwrap());
    tx.commit().await.unwrap();
    assert!(fresh.catalog.session(key, at(999)).await.unwrap().is_some());
    assert!(fresh.catalog.session(key, at(1000)).await.unwrap().is_none());
    assert_eq!(fresh.catalog.sessions_of(anna, at(999)).await.unwrap().len(), 1);

    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.set_disabled(anna, Some(at(150))).await.unwrap();
    tx.commit().await.unwrap();
    assert!(fresh.catalog.session(key, at(151)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_that_was_ended_is_not_brought_back() {
    let fresh = fresh().await;
    let anna = user(&fresh.catalog, "anna", Role::Operator).await;
    let key = Digest::of("key");
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.insert_session(&session("key", Some(anna)), at(0)).await.unwrap();
    assert!(tx.delete_session(key).await.unwrap());
    assert!(!tx.update_session(key, None, "{}", at(9), at(9)).await.unwrap());
    assert!(!tx.touch_session(key, at(9), at(9)).await.unwrap());
    assert!(!tx.delete_session(key).await.unwrap());
    tx.insert_session(&session("next", None), at(0)).await.unwrap();
    assert_eq!(tx.purge_sessions(at(99)).await.unwrap(), 0);
    assert_eq!(tx.purge_sessions(at(100)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_token_ends_when_revoked_when_old_and_with_its_person() {
    let fresh = fresh().await;
    user(&fresh.catalog, "root", Role::Administrator).await;
    let anna = user(&fresh.catalog, "anna", Role::Operator).await;
    let token = |text: &str, expires_at| NewToken {
        digest: Digest::of(text),
        user_id: anna,
        name: text.to_owned(),
        scopes: "backup:read backup:create".to_owned(),
        expires_at,
    };
    let mut tx = fresh.catalog.begin().await.unwrap();
    let first = tx.insert_token(&token("first", Some(at(100))), at(0)).await.unwrap();
    let second = tx.insert_token(&token("second", None), at(1)).await.unwrap();
    let again = tx.insert_token(&token("second", None), at(1)).await;
    assert!(matches!(again, Err(Error::Taken("token"))));
    tx.touch_token(first, at(7)).await.unwrap();
    tx.commit().await.unwrap();
    let live = async |text: &str, seconds| {
        fresh.catalog.token(Digest::of(text), at(seconds)).await.unwrap().map(|token| token.id)
    };
    assert_eq!(live("first", 99).await, Some(first));
    assert_eq!(live("first", 100).await, None);
    assert_eq!(live("second", 100_000).await, Some(second));
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert!(!tx.revoke_token(second, Some(UserId::new()), at(8)).await.unwrap());
    assert!(tx.revoke_token(second, Some(anna), at(8)).await.unwrap());
    assert!(!tx.revoke_token(second, None, at(9)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(live("second", 9).await, None);
    let listed = fresh.catalog.tokens_of(anna).await.unwrap();
    assert_eq!(listed.iter().map(|token| token.id).collect::<Vec<_>>(), [second, first]);
    assert_eq!((listed[0].revoked_at, listed[1].last_used_at), (Some(at(8)), Some(at(7))));
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.set_disabled(anna, Some(at(9))).await.unwrap();
    assert_eq!(tx.revoke_tokens_of(anna, at(9)).await.unwrap(), 1);
    assert_eq!(tx.purge_tokens(at(1000)).await.unwrap(), 2);
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.tokens().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_set_up_link_makes_one_administrator_and_no_second() {
    let fresh = fresh().await;
    let (link, later) = (Digest::of("link"), at(0) + TimeDelta::hours(1));
    let admin = new_user("anna", Role::Viewer);
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.insert_setup_token(Digest::of("earlier"), later).await.unwrap();
    tx.insert_setup_token(link, later).await.unwrap();
    tx.commit().await.unwrap();
    assert!(fresh.catalog.setup_token_is_valid(link, at(0)).await.unwrap());
    assert!(!fresh.catalog.setup_token_is_valid(link, later).await.unwrap());

    let mut tx = fresh.catalog.begin().await.unwrap();
    for (wrong, now) in [(Digest::of("earlier"), at(0)), (Digest::of("x"), at(0)), (link, later)] {
        let refused = tx.consume_setup_token(wrong, &admin, now).await;
        assert!(matches!(refused, Err(Error::SetupRefused)));
    }
    let anna = tx.consume_setup_token(link, &admin, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    let made = fresh.catalog.user(anna).await.unwrap().unwrap();
    assert_eq!(made.role, Role::Administrator);

    let mut tx = fresh.catalog.begin().await.unwrap();
    let again = tx.consume_setup_token(link, &new_user("eve", Role::Viewer), at(2)).await;
    assert!(matches!(again, Err(Error::SetupRefused)));
    tx.insert_setup_token(link, later).await.unwrap();
    let again = tx.consume_setup_token(link, &new_user("eve", Role::Viewer), at(2)).await;
    assert!(matches!(again, Err(Error::SetupRefused)));
    let again = tx.insert_first_administrator(&new_user("eve", Role::Viewer), at(2)).await;
    assert!(matches!(again, Err(Error::SetupRefused)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_open_the_set_up_link_at_once_one_becomes_administrator() {
    let fresh = fresh().await;
    let link = Digest::of("link");
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.insert_setup_token(link, at(100)).await.unwrap();
    tx.commit().await.unwrap();
    let tries = ["anna", "bert", "carl", "dora"].map(|name| {
        let catalog = fresh.catalog.clone();
        tokio::spawn(async move {
            let mut tx = catalog.begin().await.unwrap();
            tx.consume_setup_token(link, &new_user(name, Role::Viewer), at(1)).await?;
            tx.commit().await
        })
    });
    let mut made = 0;
    for attempt in tries {
        made += usize::from(attempt.await.unwrap().is_ok());
    }
    assert_eq!((made, fresh.catalog.user_count().await.unwrap()), (1, 1));
}

#[tokio::test]
async fn a_setting_is_replaced_and_removed() {
    let fresh = fresh().await;
    assert_eq!(fresh.catalog.setting("folder_id").await.unwrap(), None);
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.set_setting("folder_id", "a").await.unwrap();
    tx.set_setting("folder_id", "b").await.unwrap();
    assert_eq!(tx.setting("folder_id").await.unwrap().as_deref(), Some("b"));
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.setting("folder_id").await.unwrap().as_deref(), Some("b"));
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.remove_setting("folder_id").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(fresh.catalog.setting("folder_id").await.unwrap(), None);
    fresh.catalog.health().await.unwrap();
}
