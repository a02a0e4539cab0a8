//! The same harm many times over: what each leaves behind adds up.

use serde_json::json;

use crate::stage::Stage;

/// What the console may grow by while it suffers everything fifteen times, in
/// kB: what it remembers of deliveries, and what its allocator and its catalog
/// keep. A call that leaves its store behind leaves megabytes each time.
const GROWTH: u64 = 2 << 10;

#[test]
fn the_same_harm_twenty_times_leaves_no_more_than_five_times() {
    let mut stage = Stage::new(&[]);
    let harms = [
        json!({ "mode": "memory" }),
        json!({ "mode": "trap" }),
        json!({ "mode": "log", "times": 20_000 }),
    ];
    let names = harms.map(|settings| stage.destination(&settings));
    stage.the_good_one_works();
    let mut rests = Vec::new();
    for round in 1..=20 {
        for name in &names {
            let path = format!("/api/v1/destinations/{name}/check");
            let told = stage.api.post(&path, &json!({})).expect(200).json();
            assert_eq!(told["ok"], name == &names[2], "{told}");
            // A delivery of the last would leave its lines in the catalog.
            if name != &names[2] {
                assert_eq!(stage.suffer_at(name)["status"], "failed");
            }
        }
        if [1, 5, 20].contains(&round) {
            let rest = stage.rest();
            println!("after {round}: {rest:?}");
            rests.push(rest);
        }
    }
    let (early, late) = (rests[1], rests[2]);
    assert!(late.memory_kb < early.memory_kb + GROWTH, "after 5 {early:?}, after 20 {late:?}");
    stage.nothing_is_left(early);
    stage.the_good_one_works();
}

/// A hundred thousand short texts lie in the allocator in small pieces, and it
/// keeps some of the room for a while: now more, now less. That is still less
/// than what two such lists take, in kB.
const KEPT: u64 = 24 << 10;

#[test]
fn a_list_that_is_far_too_long_leaves_no_more_twenty_times_than_five_times() {
    let mut stage = Stage::new(&[]);
    let name = stage.destination(&json!({ "mode": "list-long" }));
    // One copy alone is not looked for.
    for _ in 0..2 {
        assert_eq!(stage.suffer_at(&name)["status"], "completed");
    }
    stage.the_good_one_works();
    let path = format!("/api/v1/destinations/{name}/retention");
    let mut rests = Vec::new();
    for round in 1..=20 {
        let told = stage.api.get(&path).expect(200).json()["databases"][0].clone();
        let held = "what is stored there could not be listed: the plugin's answer is not what \
                    the contract allows: a page of 100000 entries; 1000 are allowed";
        assert_eq!((&told["held"], &told["goes"]), (&held.into(), &json!([])));
        if [5, 20].contains(&round) {
            let rest = stage.rest();
            println!("after {round}: {rest:?}");
            rests.push(rest);
        }
    }
    let (early, late) = (rests[0], rests[1]);
    assert!(late.memory_kb < early.memory_kb + KEPT, "after 5 {early:?}, after 20 {late:?}");
    stage.nothing_is_left(early);
    stage.the_good_one_works();
}
