//! How many deliveries are held at once, and of whom.

use std::collections::BTreeMap;

use cofferdam_catalog::{DestinationFields, Places};
use cofferdam_model::Roles;

use crate::support::{LEASE, add_destination, at, completed, fields, fresh};

#[tokio::test]
async fn no_destination_takes_more_than_half_of_the_places_and_words_have_their_own() {
    let fresh = fresh().await;
    let greedy = |name: &str| DestinationFields { concurrency: 16, ..fields(name) };
    let roles = Roles { notifier: true, ..Roles::default() };
    add_destination(&fresh.catalog, &DestinationFields { roles, ..greedy("hook") }).await;
    add_destination(&fresh.catalog, &greedy("slow")).await;
    for name in ["a", "b", "c", "d", "e", "f"] {
        completed(&fresh.catalog, name).await;
    }
    add_destination(&fresh.catalog, &greedy("late")).await;
    add_destination(&fresh.catalog, &DestinationFields { roles, ..greedy("pager") }).await;
    for name in ["g", "h", "i", "j", "k", "l"] {
        completed(&fresh.catalog, name).await;
    }
    let places = Places { copies: 8, words: 3 };
    let mut held = BTreeMap::new();
    let mut tx = fresh.catalog.begin().await.unwrap();
    while let Some((_, it)) = tx.lease_delivery("w", None, at(99), LEASE, places).await.unwrap() {
        *held.entry(it.destination_name.to_string()).or_insert(0) += 1;
    }
    let expected = [("hook", 2), ("late", 4), ("pager", 1), ("slow", 4)];
    assert_eq!(held, expected.map(|(name, count)| (name.to_owned(), count)).into());
}
