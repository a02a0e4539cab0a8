//! Lists of what is stored, and policies, that are none: nothing goes.

use cofferdam_tests::{Person, wait_until};
use serde_json::{Value, json};

use crate::{
    answers::{ANSWER, MUCH},
    stage::{PATIENCE, Stage},
};

/// Two copies at a new destination of the bad plugin: one that is alone stays
/// in any case, and is not looked for.
fn with_two_copies(stage: &mut Stage, mode: &str) -> (String, [Value; 2]) {
    let name = stage.destination(&json!({ "mode": mode }));
    let copies = [(); 2].map(|()| {
        let delivery = stage.suffer_at(&name);
        assert_eq!(delivery["status"], "completed", "{delivery}");
        delivery
    });
    (name, copies)
}

fn is_there(stage: &Stage, copy: &Value) -> bool {
    stage.granted.join(copy["location"].as_str().expect("a location")).exists()
}

/// Each of these modes lets nothing go, for this reason.
#[track_caller]
fn holds(table: &[(&str, String)]) {
    let mut stage = Stage::new(&[]);
    stage.play(&[]);
    let before = stage.rest();
    for (mode, sentence) in table {
        let (name, copies) = with_two_copies(&mut stage, mode);
        // By itself after the delivery, as a dry run, and when it is asked for.
        let shown = format!("/api/v1/destinations/{name}");
        let held = wait_until("what holds them", PATIENCE, || {
            let held = stage.api.get(&shown).expect(200).json()["retention_held"].clone();
            held.is_string().then_some(held)
        });
        assert_eq!(held, sentence.as_str(), "{mode}");
        let path = format!("{shown}/retention");
        let dry = stage.api.get(&path).expect(200).json();
        let real = stage.api.post(&path, &json!({})).expect(202).json();
        for told in [dry, real] {
            let told = &told["databases"][0];
            assert_eq!((&told["held"], &told["goes"]), (&held, &json!([])), "{mode}");
        }
        assert!(copies.iter().all(|copy| is_there(&stage, copy)), "{mode}");
        stage.nothing_is_left(before);
        stage.the_good_one_works();
    }
    stage.is_as_before(before);
}

fn unlisted(why: &str) -> String {
    format!("what is stored there could not be listed: {why}")
}

#[test]
fn lists_that_are_none_let_nothing_go() {
    let unfit = unlisted(&format!(
        "{ANSWER}a file's name has 1 to 255 bytes, no folder and no control characters"
    ));
    holds(&[
        ("list-odd", unfit.clone()),
        ("list-endless", unfit),
        ("list-cursor", unlisted(&format!("{ANSWER}a cursor has at most 4096 bytes"))),
        ("list-huge", unlisted(MUCH)),
    ]);
}

#[test]
fn lists_without_an_end_let_nothing_go() {
    holds(&[
        ("list-again", unlisted("its pages do not end")),
        ("list-onward", unlisted("its pages do not end")),
    ]);
}

#[test]
fn policies_that_name_what_nobody_has_asked_about_let_nothing_go() {
    let foreign = format!("{ANSWER}an expired backup is one of the candidates, and named once");
    holds(&[("select-foreign", foreign.clone()), ("select-doubled", foreign)]);
}

#[test]
fn a_policy_that_names_everything_takes_what_may_go_and_its_words_are_inert() {
    let mut stage = Stage::new(&[]);
    stage.play(&[]);
    let before = stage.rest();
    let (name, copies) = with_two_copies(&mut stage, "select-all");
    let deliveries = |copy: &Value| {
        let path = format!("/api/v1/backups/{}", copy["backup"].as_str().expect("a backup"));
        let list = stage.api.get(&path).expect(200).json()["deliveries"].clone();
        list.as_array().expect("a list").clone()
    };
    let removal = wait_until("a removal", PATIENCE, || {
        let found = deliveries(&copies[0]).into_iter().find(|it| it["purpose"] == "remove")?;
        (found["status"] == "completed").then_some(found)
    });
    assert_eq!(removal["note"], "<b>all</b>");
    // The newest one stays whoever names it.
    assert_eq!(deliveries(&copies[1]).len(), 1);
    let path = format!("/api/v1/destinations/{name}/retention");
    let told = stage.api.post(&path, &json!({})).expect(202).json()["databases"][0].clone();
    assert_eq!((&told["copies"], &told["goes"]), (&1.into(), &json!([])), "{told}");
    let person = Person::administrator(&stage.console);
    let page = format!("/backups/{}", copies[0]["backup"].as_str().expect("a backup"));
    assert!(!person.get(&page).expect(200).text().contains("<b>all"));
    stage.nothing_is_left(before);
    stage.the_good_one_works();
}
