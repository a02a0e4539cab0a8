//! What the form asks for.

use cofferdam_plugin::{Problems, Result, Template};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::policy::{Generations, Policy};

/// As the form gives them.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Where a backup goes within the folder.
    pub(crate) path: Template,
    keep: Keep,
    days: i64,
    count: i64,
    daily: i64,
    weekly: i64,
    monthly: i64,
    yearly: i64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Keep {
    AgeAndCount,
    Age,
    Count,
    Generations,
    Everything,
}

const PATH: &str = "{database}/{filename}";
const DAYS: i64 = 7;
const COUNT: i64 = 30;
const DAILY: i64 = 7;
const WEEKLY: i64 = 4;
const MONTHLY: i64 = 12;
const YEARLY: i64 = 3;

const MOST_DAYS: i64 = 36_500;
const MOST_BACKUPS: i64 = 100_000;
const MOST_PERIODS: i64 = 1_000;

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: Template::parse(PATH).expect("the default is a template"),
            keep: Keep::AgeAndCount,
            days: DAYS,
            count: COUNT,
            daily: DAILY,
            weekly: WEEKLY,
            monthly: MONTHLY,
            yearly: YEARLY,
        }
    }
}

impl Settings {
    /// The policy, or everything that is wrong with it.
    pub(crate) fn policy(&self) -> Result<Policy> {
        let mut problems = Problems::default();
        let mut within = |field: &str, value: i64, least: i64, most: i64| {
            if (least..=most).contains(&value) {
                u32::try_from(value).unwrap_or(u32::MAX)
            } else {
                problems.add(field, format!("must be between {least} and {most}, and is {value}"));
                0
            }
        };
        let policy = match self.keep {
            Keep::Everything => Policy::default(),
            Keep::Age => {
                Policy { days: Some(within("days", self.days, 1, MOST_DAYS)), ..Policy::default() }
            }
            Keep::Count => Policy {
                count: Some(within("count", self.count, 1, MOST_BACKUPS)),
                ..Policy::default()
            },
            Keep::AgeAndCount => Policy {
                days: Some(within("days", self.days, 1, MOST_DAYS)),
                count: Some(within("count", self.count, 1, MOST_BACKUPS)),
                ..Policy::default()
            },
            Keep::Generations => {
                let generations = Generations {
                    daily: within("daily", self.daily, 0, MOST_PERIODS),
                    weekly: within("weekly", self.weekly, 0, MOST_PERIODS),
                    monthly: within("monthly", self.monthly, 0, MOST_PERIODS),
                    yearly: within("yearly", self.yearly, 0, MOST_PERIODS),
                };
                let all = [self.daily, self.weekly, self.monthly, self.yearly];
                if all.iter().all(|number| *number == 0) {
                    problems.add("daily", "at least one of the four numbers must not be 0");
                }
                Policy { generations: Some(generations), ..Policy::default() }
            }
        };
        problems.finish()?;
        Ok(policy)
    }
}

/// The form.
pub(crate) fn schema() -> Value {
    let when = |kinds: &[&str], fields: &[&str]| {
        let mut properties = serde_json::Map::new();
        for field in fields {
            properties.insert((*field).to_owned(), number(field));
        }
        json!({
            "if": { "properties": { "keep": { "enum": kinds } } },
            "then": { "properties": properties }
        })
    };
    json!({
        "type": "object",
        "required": ["folder"],
        "properties": {
            "folder": {
                "type": "string",
                "title": "Folder",
                "description": "The folder of this machine that backups are copied to. Best on another disk than the one the console uses.",
                "minLength": 1,
                "x-cofferdam": "folder"
            },
            "path": {
                "type": "string",
                "title": "Path within the folder",
                "description": "Where each backup goes. Dates are those of the backup, in UTC.",
                "default": PATH,
                "x-cofferdam": "template"
            },
            "keep": {
                "type": "string",
                "title": "Keep",
                "description": "How long backups stay. The newest always stays, and so do pinned ones.",
                "oneOf": [
                    { "const": "age-and-count", "title": "Those of the last days, up to a number" },
                    { "const": "age", "title": "Those of the last days" },
                    { "const": "count", "title": "The newest, by number" },
                    { "const": "generations", "title": "The newest of each day, week, month and year" },
                    { "const": "everything", "title": "Everything: nothing is ever removed" }
                ],
                "default": "age-and-count"
            }
        },
        "allOf": [
            when(&["age-and-count", "age"], &["days"]),
            when(&["age-and-count", "count"], &["count"]),
            when(&["generations"], &["daily", "weekly", "monthly", "yearly"])
        ]
    })
}

fn number(field: &str) -> Value {
    let (title, description, default, least, most) = match field {
        "days" => ("Days", "Backups older than this go.", DAYS, 1, MOST_DAYS),
        "count" => ("Largest number", "Beyond this number the oldest go.", COUNT, 1, MOST_BACKUPS),
        "daily" => ("Days", "Keep the newest of each of so many days.", DAILY, 0, MOST_PERIODS),
        "weekly" => (
            "Weeks",
            "Keep the newest of each of so many weeks (Monday to Sunday).",
            WEEKLY,
            0,
            MOST_PERIODS,
        ),
        "monthly" => {
            ("Months", "Keep the newest of each of so many months.", MONTHLY, 0, MOST_PERIODS)
        }
        _ => ("Years", "Keep the newest of each of so many years.", YEARLY, 0, MOST_PERIODS),
    };
    json!({
        "type": "integer", "title": title, "description": description,
        "default": default, "minimum": least, "maximum": most
    })
}

#[cfg(test)]
mod tests {
    use cofferdam_plugin::{Failure, settings::parse};

    use super::*;

    fn wrong_fields(settings: &str) -> Vec<String> {
        match parse::<Settings>(settings).and_then(|settings| settings.policy()) {
            Ok(_) => Vec::new(),
            Err(Failure::InvalidConfig(fields)) => {
                fields.into_iter().map(|field| field.field).collect()
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_any_choice_a_week_and_thirty_backups_are_kept() {
        let settings: Settings = parse(r#"{"folder":"/backups"}"#).expect("they are good");
        let policy = settings.policy().expect("it is good");
        assert_eq!((policy.days, policy.count, policy.generations), (Some(7), Some(30), None));
    }

    #[test]
    fn zero_negative_and_huge_numbers_are_refused_at_their_fields() {
        for number in ["0", "-1", "36501", "9223372036854775807"] {
            assert_eq!(wrong_fields(&format!(r#"{{"keep":"age","days":{number}}}"#)), ["/days"]);
        }
        for number in ["0", "-5", "100001"] {
            assert_eq!(
                wrong_fields(&format!(r#"{{"keep":"count","count":{number}}}"#)),
                ["/count"]
            );
        }
        assert_eq!(wrong_fields(r#"{"days":0,"count":0}"#), ["/days", "/count"]);
        assert_eq!(wrong_fields(r#"{"keep":"age","days":1.5}"#), ["/days"]);
        assert_eq!(wrong_fields(r#"{"keep":"age","days":99999999999999999999}"#), ["/days"]);
        assert_eq!(wrong_fields(r#"{"keep":"forever"}"#), ["/keep"]);
        assert_eq!(
            wrong_fields(r#"{"keep":"generations","daily":-1,"yearly":1001}"#),
            ["/daily", "/yearly"]
        );
        let none = r#"{"keep":"generations","daily":0,"weekly":0,"monthly":0,"yearly":0}"#;
        assert_eq!(wrong_fields(none), ["/daily"]);
    }

    #[test]
    fn a_number_that_the_chosen_way_does_not_use_is_not_looked_at() {
        assert!(wrong_fields(r#"{"keep":"everything","days":0,"count":-1}"#).is_empty());
    }
}
