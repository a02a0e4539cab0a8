//! What no policy and no plugin lets go.

use std::collections::BTreeMap;

use cofferdam_runtime::Candidate;

/// A copy, as the floors see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What the plugin gets to know of it.
    pub candidate: Candidate,
    /// Whether nothing is known against it: its backup's own file was not found
    /// to be another one than was recorded.
    pub good: bool,
}

/// The copies that stay whatever a policy says, each with the reason: pinned
/// ones, and of the others the newest, the last good and the last verified one.
pub fn floors(copies: &[Held]) -> BTreeMap<&str, &'static str> {
    let mut floors = BTreeMap::new();
    for it in copies.iter().filter(|it| it.candidate.pinned) {
        floors.insert(it.candidate.id.as_str(), "it is pinned");
    }
    floors.extend(needed(copies));
    floors
}

/// Those of them that must really be there before any other may go.
pub fn needed(copies: &[Held]) -> BTreeMap<&str, &'static str> {
    let last = |is: fn(&Held) -> bool| {
        let newest = |it: &&Held| (it.candidate.created_at, it.candidate.id.clone());
        copies.iter().filter(|it| is(it)).max_by_key(newest)
    };
    let each = [
        (last(|it| it.good && it.candidate.verified), "it is the last verified one"),
        (last(|it| it.good), "it is the last good one"),
        (last(|_| true), "it is the newest"),
    ];
    let named = each.into_iter().filter_map(|(it, why)| Some((it?, why)));
    named.map(|(it, why)| (it.candidate.id.as_str(), why)).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn held(id: usize, hours: i64, good: bool, verified: bool, pinned: bool) -> Held {
        let created_at = DateTime::from_timestamp(1_790_000_000 + hours * 3_600, 0);
        let candidate = Candidate {
            id: id.to_string(),
            database: "shop".to_owned(),
            created_at: created_at.expect("a moment"),
            size: 1,
            verified,
            pinned,
        };
        Held { candidate, good }
    }

    fn copies() -> impl Strategy<Value = Vec<Held>> {
        let one = (0_i64..50, any::<bool>(), any::<bool>(), any::<bool>());
        proptest::collection::vec(one, 0..30).prop_map(|all| {
            let each = all.into_iter().enumerate();
            each.map(|(id, (hours, good, verified, pinned))| {
                held(id, hours, good, verified, pinned)
            })
            .collect()
        })
    }

    #[test]
    fn each_floor_says_why() {
        let all = [
            held(4, 4, false, true, false),
            held(3, 3, true, false, false),
            held(2, 2, true, true, false),
            held(1, 1, true, true, true),
            held(0, 0, true, true, false),
        ];
        let told: Vec<_> = floors(&all).into_iter().collect();
        let expected = [
            ("1", "it is pinned"),
            ("2", "it is the last verified one"),
            ("3", "it is the last good one"),
            ("4", "it is the newest"),
        ];
        assert_eq!(told, expected);
    }

    proptest! {
        /// Whatever a policy names, and however often it is asked, what is left
        /// holds everything that must be there.
        #[test]
        fn no_policy_passes_a_floor(
            mut all in copies(), asked in proptest::collection::vec(proptest::collection::vec(any::<bool>(), 30), 1..4),
        ) {
            let whole = all.clone();
            for named in asked {
                let stay = floors(&all);
                let kept = all.iter().zip(&named).filter(|(it, goes)| {
                    !**goes || stay.contains_key(it.candidate.id.as_str())
                });
                let kept: Vec<Held> = kept.map(|(it, _)| it.clone()).collect();
                all = kept;
            }
            let newest = |list: &[Held], is: fn(&Held) -> bool| {
                list.iter().filter(|it| is(it)).map(|it| it.candidate.created_at).max()
            };
            let is: [fn(&Held) -> bool; 3] =
                [|_| true, |it| it.good, |it| it.good && it.candidate.verified];
            for is in is {
                prop_assert_eq!(newest(&all, is), newest(&whole, is));
            }
            for pinned in whole.iter().filter(|it| it.candidate.pinned) {
                prop_assert!(all.contains(pinned));
            }
        }
    }
}
