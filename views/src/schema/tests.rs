//! Schemas, the forms they make, and what comes back.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

/// What a browser posts of a form that nobody touched.
fn pairs(form: &SettingsForm) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for field in &form.fields {
        let mut post = |text: &str| pairs.push((field.name.clone(), text.to_owned()));
        match &field.control {
            Control::Line { value, .. } => {
                assert!(!value.contains('\n'), "a browser would drop the line ends of {value:?}");
                post(value);
            }
            Control::Area { value, .. } | Control::Template { value, .. } => {
                post(&value.replace('\n', "\r\n"));
            }
            Control::Secret { .. } => post(""),
            Control::Switch { on } => {
                if *on {
                    post("true");
                }
            }
            Control::Choice { options, chosen, none } => {
                let known = options.iter().any(|(text, _)| text == chosen);
                assert!(known || chosen.is_empty() && none.is_some(), "{chosen:?} of {options:?}");
                post(chosen);
            }
            Control::Ticks(ticks) => {
                post("");
                ticks.iter().filter(|tick| tick.on).for_each(|tick| post(&tick.text));
            }
        }
    }
    pairs
}

fn post(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, text)| (format!("{PREFIX}{name}"), (*text).to_owned())).collect()
}

fn messages(posted: &Posted) -> Vec<(&str, &str)> {
    posted.problems.iter().map(|it| (it.field.as_str(), it.message.as_str())).collect()
}

const LINE: &str = r"[^\p{C}\p{Z}]([^\p{C}]{0,12}[^\p{C}\p{Z}])?";

/// A property, and a value of it or none.
fn property() -> impl Strategy<Value = (Value, Option<Value>)> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e12..1e12_f64).prop_map(Value::from),
    ];
    let scalar = prop_oneof![
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[^\r]{0,8}".prop_map(Value::from),
    ];
    let choices = proptest::collection::vec(scalar, 1..6);
    let json_value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        "[^\r]{0,9}".prop_map(|text| json!({ "a": [text, null], "b": {} })),
    ];
    prop_oneof![
        LINE.prop_map(|text| (json!({ "type": "string" }), Some(text.into()))),
        r"[^\p{C}\p{Z}][^\p{C}]{0,9}\n[^\p{C}]{0,9}[^\p{C}\p{Z}]"
            .prop_map(|text| (json!({ "type": "string" }), Some(text.into()))),
        r"(\n|[^\r]){1,20}".prop_map(|text| {
            (json!({ "type": "string", "x-cofferdam": "multiline" }), Some(text.into()))
        }),
        LINE.prop_map(|text| {
            (json!({ "type": ["string", "null"], "x-cofferdam": "template" }), Some(text.into()))
        }),
        "[1-9][0-9]{0,3}(s|m|h|d| d|w)".prop_map(|text| {
            (json!({ "type": "string", "x-cofferdam": ["duration"] }), Some(text.into()))
        }),
        "[1-9][0-9]{0,3} (MiB|GB|KiB)".prop_map(|text| {
            (json!({ "type": "string", "x-cofferdam": "size" }), Some(text.into()))
        }),
        number.prop_map(|number| (json!({ "type": "number" }), Some(number))),
        any::<i64>().prop_map(|number| (json!({ "type": "integer" }), Some(number.into()))),
        any::<bool>().prop_map(|on| (json!({ "type": "boolean" }), Some(on.into()))),
        (choices.clone(), any::<prop::sample::Index>()).prop_map(|(values, index)| {
            let value = index.get(&values).clone();
            (json!({ "enum": values }), Some(value))
        }),
        (choices, any::<[bool; 6]>()).prop_map(|(values, on)| {
            // What is ticked comes in the order of the choices.
            let mut each: Vec<Value> = Vec::new();
            for value in &values {
                if !each.contains(value) {
                    each.push(value.clone());
                }
            }
            let some: Vec<Value> =
                each.into_iter().zip(on).filter(|(_, on)| *on).map(|(value, _)| value).collect();
            let property = json!({ "type": "array", "items": { "enum": values } });
            (property, (!some.is_empty()).then(|| some.into()))
        }),
        proptest::collection::vec(LINE, 1..4).prop_map(|lines| {
            (json!({ "type": "array", "items": { "type": "string" } }), Some(lines.into()))
        }),
        json_value.prop_map(|value| (json!({ "type": "object" }), Some(value))),
        LINE.prop_map(|text| (json!({ "$ref": "#/$defs/x" }), Some(text.into()))),
    ]
}

/// Any JSON at all.
fn anything() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("type"),
        Just("properties"),
        Just("required"),
        Just("if"),
        Just("then"),
        Just("else"),
        Just("allOf"),
        Just("enum"),
        Just("const"),
        Just("oneOf"),
        Just("items"),
        Just("default"),
        Just("x-cofferdam"),
        Just("pattern"),
        Just("minimum"),
        Just("a"),
        Just("string"),
        Just("array"),
        Just("secret"),
        Just("template"),
        Just(""),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
        "[(\\[a\r\n]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((words.clone(), inner), 0..6).prop_map(|pairs| {
                let pairs = pairs.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(pairs.collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn settings_come_back_from_their_form_as_they_were(
        list in proptest::collection::vec((property(), any::<[bool; 3]>()), 0..8),
        chosen in prop_oneof![Just("one"), Just("two")],
    ) {
        let mut properties = Map::new();
        let mut branches = [Map::new(), Map::new()];
        let mut required = vec!["kind".to_owned()];
        let mut settings = object(&json!({ "kind": chosen }));
        properties.insert("kind".into(), json!({ "enum": ["one", "two"] }));
        for (index, ((property, value), [given, conditional, second])) in list.into_iter().enumerate() {
            let name = format!("p{index}");
            let switch = property["type"] == "boolean";
            let visible = !conditional || second == (chosen == "two");
            if conditional {
                branches[usize::from(second)].insert(name.clone(), property);
            } else {
                properties.insert(name.clone(), property);
            }
            // A switch always says something.
            if let Some(value) = value.filter(|_| visible && (given || switch)) {
                settings.insert(name.clone(), value);
                if !conditional {
                    required.push(name);
                }
            }
        }
        let [one, two] = branches;
        let schema = Schema::read(&json!({
            "type": "object", "properties": properties, "required": required,
            "if": { "properties": { "kind": { "const": "one" } } },
            "then": { "properties": one }, "else": { "properties": two },
        }));
        let form = schema.filled(&settings, &[]);
        let posted = schema.posted(&pairs(&form), &[]);
        prop_assert_eq!(&posted.problems, &[]);
        prop_assert_eq!(Value::Object(posted.settings), Value::Object(settings));
        prop_assert_eq!(posted.form, form);
    }

    #[test]
    fn no_schema_and_no_settings_break_the_form(
        schema in anything(),
        settings in anything(),
        texts in proptest::collection::vec(("[a-z.]{0,4}", "[\\PC\n]{0,6}"), 0..4),
    ) {
        let schema = Schema::read(&schema);
        let settings = settings.as_object().cloned().unwrap_or_default();
        let posted = schema.posted(&pairs(&schema.blank()), &[]);
        let typed: Vec<_> = texts.into_iter().map(|(name, text)| (format!("{PREFIX}{name}"), text)).collect();
        let _ = schema.posted(&typed, &["a"]);
        let _ = schema.problems(&settings, &[]);
        let _ = schema.summary(&settings);
        let _ = schema.filled(&settings, &["a"]).with_problems(&posted.problems);
    }

    #[test]
    fn a_preview_of_any_template_is_made(template in "[{}a-z\\PC]{0,30}") {
        let _ = expand(&template, &TemplateFacts::default());
    }
}

#[test]
fn a_preview_fills_in_what_is_known_and_names_what_is_not() {
    let facts = TemplateFacts::default();
    let (text, unknown) = expand("backups/{database}/{yyyy}/{mm}/{filename}", &facts);
    assert_eq!(text, "backups/shop/2026/01/backup_shop_20260131_020000.sql.gz");
    assert!(unknown.is_empty());
    let (text, unknown) = expand("{\"text\": \"{databse} of {engine}\"}{", &facts);
    assert_eq!(text, "{\"text\": \"{databse} of postgres\"}{");
    assert_eq!(unknown, ["databse"]);
}

fn s3() -> Schema {
    Schema::read(&json!({
        "type": "object",
        "required": ["endpoint", "bucket", "secret_key"],
        "properties": {
            "endpoint": { "type": "string", "x-cofferdam": "host", "title": "Endpoint" },
            "bucket": { "type": "string", "minLength": 3, "pattern": "^[a-z0-9.-]+$" },
            "secret_key": { "type": "string", "x-cofferdam": "secret" },
            "session_token": { "type": "string", "x-cofferdam": "secret" },
            "retries": { "type": "integer", "minimum": 0, "maximum": 10, "default": 3 },
            "lock": { "type": "boolean", "default": false },
        },
        "if": { "properties": { "lock": { "const": true } }, "required": ["lock"] },
        "then": {
            "properties": { "lock_for": { "type": "string", "x-cofferdam": "duration" } },
            "required": ["lock_for"],
        },
    }))
}

#[test]
fn what_is_wrong_is_said_beside_its_field_and_what_was_typed_is_kept() {
    let typed = post(&[("endpoint", "not a host"), ("bucket", "My Bucket"), ("retries", "many")]);
    let posted = s3().posted(&typed, &[]);
    assert_eq!(
        messages(&posted),
        [
            ("endpoint", "write an address such as https://s3.example.org or db.example.org:9000"),
            ("bucket", "it must fit the pattern ^[a-z0-9.-]+$"),
            ("secret_key", "Secret key is needed"),
            ("retries", "write a whole number"),
        ]
    );
    let retries = posted.form.fields.iter().find(|it| it.name == "s.retries").expect("a field");
    assert!(matches!(&retries.control, Control::Line { value, .. } if value == "many"));
    assert_eq!(retries.error.as_deref(), Some("write a whole number"));
    let typed = post(&[("endpoint", "s3.example:9000"), ("bucket", "ab"), ("retries", "11")]);
    let posted = s3().posted(&typed, &["secret_key"]);
    assert_eq!(messages(&posted), [("bucket", "at least 3 characters"), ("retries", "at most 10")]);
}

#[test]
fn a_secret_left_empty_is_kept_and_never_written_into_the_form() {
    let settings = object(&json!({ "endpoint": "https://a.example", "bucket": "abc" }));
    let schema = s3();
    let stored = ["secret_key", "session_token"];
    let form = schema.filled(&settings, &stored);
    let posted = schema.posted(&pairs(&form), &stored);
    assert_eq!(posted.problems, []);
    assert_eq!(posted.keep, stored);
    assert!(!posted.settings.contains_key("secret_key"));
    let typed = post(&[("endpoint", "a.example"), ("bucket", "abc"), ("secret_key", " new ")]);
    let posted = schema.posted(&typed, &stored);
    assert_eq!(posted.settings["secret_key"], " new ");
    assert_eq!(posted.keep, ["session_token"]);
    let words = format!("{:?}", posted.form);
    assert!(!words.contains(" new "), "{words}");
}

#[test]
fn a_part_that_depends_on_another_is_asked_for_only_where_it_counts() {
    let base = [("endpoint", "a.example"), ("bucket", "abc"), ("secret_key", "x")];
    let schema = s3();
    let posted = schema.posted(&post(&base), &[]);
    assert_eq!(posted.problems, []);
    assert_eq!(posted.settings["lock"], false);
    let on = [base.as_slice(), &[("lock", "true")]].concat();
    assert_eq!(messages(&schema.posted(&post(&on), &[])), [("lock_for", "Lock for is needed")]);
    // What a hidden field holds is neither kept nor judged.
    let hidden = [base.as_slice(), &[("lock_for", "nonsense")]].concat();
    let posted = schema.posted(&post(&hidden), &[]);
    assert_eq!(posted.problems, []);
    assert!(!posted.settings.contains_key("lock_for"));
    // It stands behind the field that decides, and says where it counts.
    let form = schema.blank();
    let last = form.fields.last().expect("a field");
    let condition = last.condition.as_ref().expect("a condition");
    assert_eq!(last.name, "s.lock_for");
    assert_eq!((condition.holds, condition.words.as_str()), (false, "Lock is yes"));
    assert_eq!(
        condition.rule,
        r#"[{"all":[{"field":"s.lock","texts":["true"],"any":false}],"not":false}]"#
    );
}

#[test]
fn choices_have_titles_and_values_of_any_type() {
    let schema = Schema::read(&json!({ "properties": {
        "class": { "oneOf": [
            { "const": "STANDARD", "title": "Standard" },
            { "const": "GLACIER", "title": "Archive" },
        ] },
        "level": { "enum": [1, "1", null] },
    } }));
    let typed = post(&[("class", "GLACIER"), ("level", "1")]);
    let posted = schema.posted(&typed, &[]);
    assert_eq!(Value::Object(posted.settings), json!({ "class": "GLACIER", "level": 1 }));
    let posted = schema.posted(&post(&[("class", "x"), ("level", "\"1\"")]), &[]);
    assert_eq!(posted.settings["level"], "1");
    assert_eq!(messages(&posted), [("class", "choose one of these")]);
    let settings = object(&json!({ "class": "GLACIER", "level": "1" }));
    assert_eq!(
        schema.summary(&settings),
        [("Class".to_owned(), "Archive".to_owned()), ("Level".to_owned(), "1".to_owned())]
    );
}

#[test]
fn what_the_form_does_not_know_is_asked_for_as_json() {
    let schema = Schema::read(&json!({ "properties": { "deep": { "type": "object" } } }));
    let posted = schema.posted(&post(&[("deep", "{\"a\": [1]}")]), &[]);
    assert_eq!(Value::Object(posted.settings), json!({ "deep": { "a": [1] } }));
    let posted = schema.posted(&post(&[("deep", "{a}")]), &[]);
    assert!(posted.problems[0].message.starts_with("this is not JSON: "));
    let open = Schema::read(&json!({ "type": "object", "additionalProperties": true }));
    let posted = open.posted(&post(&[("", "{\"a\": 1}")]), &[]);
    assert_eq!(Value::Object(posted.settings), json!({ "a": 1 }));
    assert_eq!(messages(&open.posted(&post(&[("", "[1]")]), &[])).len(), 1);
    assert!(Schema::read(&json!({ "type": "object" })).fields().is_empty());
}

#[test]
fn a_plugins_own_findings_stand_beside_the_fields_that_they_point_to() {
    let found = [
        Problem { field: "/bucket".into(), message: "there is no such bucket".into() },
        Problem { field: "/lock_for".into(), message: "it is too short".into() },
        Problem { field: String::new(), message: "it cannot be reached".into() },
    ];
    let form = s3().blank().with_problems(&found);
    assert_eq!(form.fields[1].error.as_deref(), Some("there is no such bucket"));
    // The second one is hidden as the form stands.
    assert_eq!(form.whole, ["it is too short", "it cannot be reached"]);
    assert!(!form.is_clear());
}

#[test]
fn hosts_and_secrets_are_found_by_their_marks() {
    let schema = s3();
    assert_eq!(schema.secrets().collect::<Vec<_>>(), ["secret_key", "session_token"]);
    let settings = object(&json!({ "endpoint": "https://a.example:9000", "bucket": "b" }));
    assert_eq!(schema.hosts(&settings), ["https://a.example:9000"]);
}

#[test]
fn hosts_durations_and_sizes_are_told_from_other_text() {
    for good in [
        "s3.example",
        "s3.example:9000",
        "https://s3.example/path?x=1",
        "[::1]:9000",
        "http://[2001:db8::1]/",
        "127.0.0.1:80",
        "münchen.example",
    ] {
        assert_eq!(Shape::Host.problem(good), None, "{good}");
    }
    for bad in ["", "a b", "https://", "http://a:0", "a:port", "a:70000", "[::g]", "user@host"] {
        assert!(Shape::Host.problem(bad).is_some(), "{bad}");
    }
    for (shape, good, bad) in [
        (Shape::Duration, ["7d", "12h", "30 m"], ["d", "1.5h", "7 years"]),
        (Shape::Size, ["64 MiB", "2GB", "10 b"], ["MiB", "-1 MB", "5 parsecs"]),
    ] {
        for text in good {
            assert_eq!(shape.problem(text), None, "{text}");
        }
        for text in bad {
            assert!(shape.problem(text).is_some(), "{text}");
        }
    }
}
