//! What the form asks for.

use cofferdam_plugin::{Problems, Result, Size, Template, http::Url};
use serde::Deserialize;
use serde_json::{Value, json};

const PATH: &str = "backups/{database}/{yyyy}/{mm}/{filename}";
const REGION: &str = "us-east-1";
const PART: Size = Size::mebibytes(64);
const SMALLEST_PART: Size = Size::mebibytes(5);
const LARGEST_PART: Size = Size::mebibytes(5 * 1024);

/// As the form gives them.
#[derive(Deserialize)]
pub struct Settings {
    pub(crate) endpoint: String,
    #[serde(default = "region")]
    pub(crate) region: String,
    pub(crate) bucket: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    #[serde(default)]
    pub(crate) style: Style,
    #[serde(default = "path")]
    pub(crate) path: Template,
    #[serde(default = "part")]
    pub(crate) part_size: Size,
    /// Empty for the bucket's own.
    #[serde(default)]
    pub(crate) storage_class: String,
    #[serde(default)]
    encryption: Encryption,
    #[serde(default)]
    kms_key: String,
    #[serde(default)]
    lock: Lock,
    #[serde(default = "lock_days")]
    lock_days: i64,
    #[serde(default = "yes")]
    pub(crate) checksums: bool,
    #[serde(default = "yes")]
    pub(crate) never_overwrite: bool,
}

/// Where the bucket's name stands in a URL.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Style {
    #[default]
    Path,
    Host,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum Encryption {
    #[default]
    #[serde(rename = "bucket")]
    Bucket,
    #[serde(rename = "AES256")]
    Aes256,
    #[serde(rename = "aws:kms")]
    Kms,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Lock {
    #[default]
    #[serde(rename = "none")]
    None,
    Governance,
    Compliance,
}

fn region() -> String {
    REGION.to_owned()
}

fn path() -> Template {
    Template::parse(PATH).expect("the default is a template")
}

fn part() -> Size {
    PART
}

fn lock_days() -> i64 {
    30
}

fn yes() -> bool {
    true
}

impl Settings {
    /// Everything that is wrong with them.
    pub(crate) fn verify(&self) -> Result<()> {
        let mut problems = Problems::default();
        if let Some(url) = problems.check("endpoint", self.endpoint.parse::<Url>())
            && url.path_with_query().contains('?')
        {
            problems.add("endpoint", "it must not contain a ?");
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if !(3..=63).contains(&self.bucket.len()) || !self.bucket.chars().all(is_plain) {
            problems.add("bucket", "must have 3 to 63 letters, digits, dots or hyphens");
        }
        if self.region.is_empty() || !self.region.chars().all(is_plain) {
            problems.add("region", "must be a region's short name, as eu-central-1; where a service has none, us-east-1");
        }
        for (field, text) in
            [("access_key_id", &self.access_key_id), ("secret_access_key", &self.secret_access_key)]
        {
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                problems.add(field, "must not be empty, and must not contain spaces");
            }
        }
        if self.part_size < SMALLEST_PART || self.part_size > LARGEST_PART {
            problems
                .add("part_size", format!("must be between {SMALLEST_PART} and {LARGEST_PART}"));
        }
        if !self.storage_class.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            problems.add("storage_class", "must be a name as STANDARD_IA, or empty");
        }
        if !self.kms_key.bytes().all(|byte| byte.is_ascii_graphic()) {
            problems.add("kms_key", "must not contain spaces");
        }
        if self.lock != Lock::None && !(1..=36_500).contains(&self.lock_days) {
            problems.add("lock_days", "must be between 1 and 36500");
        }
        if self.lock != Lock::None && !self.checksums {
            problems.add("checksums", "must be on, because services ask for them with Object Lock");
        }
        problems.finish()
    }

    /// The headers that say how an object is to be kept. `now` is in seconds
    /// since 1970.
    pub(crate) fn keeping(&self, now: jiff::Timestamp) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if !self.storage_class.is_empty() {
            headers.push(("x-amz-storage-class", self.storage_class.clone()));
        }
        match self.encryption {
            Encryption::Bucket => {}
            Encryption::Aes256 => headers.push(("x-amz-server-side-encryption", "AES256".into())),
            Encryption::Kms => {
                headers.push(("x-amz-server-side-encryption", "aws:kms".into()));
                if !self.kms_key.is_empty() {
                    headers.push((
                        "x-amz-server-side-encryption-aws-kms-key-id",
                        self.kms_key.clone(),
                    ));
                }
            }
        }
        if let Some(until) = self.locked_until(now) {
            let mode = if self.lock == Lock::Governance { "GOVERNANCE" } else { "COMPLIANCE" };
            headers.push(("x-amz-object-lock-mode", mode.into()));
            headers.push(("x-amz-object-lock-retain-until-date", until));
        }
        headers
    }

    /// The headers that go with a body whose checksum this is.
    pub(crate) fn proving<'a>(&self, checksum: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
        let Some(checksum) = checksum else { return Vec::new() };
        let mut headers = vec![("x-amz-checksum-sha256", checksum)];
        if self.lock != Lock::None {
            // Without, objects with a lock are refused.
            headers.push(("x-amz-sdk-checksum-algorithm", "SHA256"));
        }
        headers
    }

    /// Whether what is stored is locked.
    pub(crate) fn is_locking(&self) -> bool {
        self.lock != Lock::None
    }

    /// Until when what is stored now cannot be removed, in RFC 3339.
    fn locked_until(&self, now: jiff::Timestamp) -> Option<String> {
        if self.lock == Lock::None {
            return None;
        }
        let until = now.as_second() + self.lock_days * 86_400;
        Some(jiff::Timestamp::from_second(until).ok()?.to_string())
    }
}

/// The form.
#[expect(clippy::too_many_lines, reason = "it is a form, read from top to bottom")]
pub(crate) fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["endpoint", "bucket", "access_key_id", "secret_access_key"],
        "properties": {
            "endpoint": {
                "type": "string",
                "title": "Service",
                "description": "The service's URL, without the bucket: https://s3.eu-central-1.amazonaws.com",
                "pattern": "^https?://[^\\s?#@]+$",
                "x-cofferdam": "host"
            },
            "region": {
                "type": "string",
                "title": "Region",
                "description": "As eu-central-1. Services that have none take us-east-1 or auto.",
                "default": REGION
            },
            "bucket": {
                "type": "string",
                "title": "Bucket",
                "description": "It must be there already.",
                "minLength": 3,
                "maxLength": 63,
                "x-cofferdam": "place"
            },
            "access_key_id": {
                "type": "string",
                "title": "Access key",
                "description": "The key needs PutObject; GetObject to fetch and verify, ListBucket to list, and DeleteObject to remove.",
                "minLength": 1
            },
            "secret_access_key": {
                "type": "string",
                "title": "Secret key",
                "minLength": 1,
                "x-cofferdam": "secret"
            },
            "path": {
                "type": "string",
                "title": "Path within the bucket",
                "description": "Where each backup goes. Dates are those of the backup, in UTC.",
                "default": PATH,
                "x-cofferdam": "template"
            },
            "style": {
                "type": "string",
                "title": "Address of the bucket",
                "description": "path: service/bucket. host: bucket.service; then grant that host, too.",
                "enum": ["path", "host"],
                "default": "path"
            },
            "storage_class": {
                "type": "string",
                "title": "Storage class",
                "description": "As STANDARD_IA or GLACIER_IR. Empty for the bucket's own.",
                "pattern": "^[A-Za-z0-9_]*$",
                "default": ""
            },
            "encryption": {
                "type": "string",
                "title": "Encryption at the service",
                "description": "bucket: as the bucket is set up. AES256: with the service's key. aws:kms: with a key of its key service.",
                "enum": ["bucket", "AES256", "aws:kms"],
                "default": "bucket"
            },
            "lock": {
                "type": "string",
                "title": "Object Lock",
                "description": "Keeps backups from being removed by anybody for some days. The bucket must have been made with Object Lock. COMPLIANCE cannot be undone by any account.",
                "enum": ["none", "GOVERNANCE", "COMPLIANCE"],
                "default": "none"
            },
            "part_size": {
                "type": "string",
                "title": "Size of a part",
                "description": "Larger files are sent in parts of this size, each of which is tried again on its own.",
                "default": PART.to_string(),
                "x-cofferdam": "size"
            },
            "checksums": {
                "type": "boolean",
                "title": "Send SHA-256 checksums",
                "description": "The service then refuses what was damaged on its way. Turn off only for services that do not know them.",
                "default": true
            },
            "never_overwrite": {
                "type": "boolean",
                "title": "Never overwrite",
                "description": "Refuses to replace another file that has the same path.",
                "default": true
            }
        },
        "allOf": [
            {
                "if": { "properties": { "encryption": { "const": "aws:kms" } }, "required": ["encryption"] },
                "then": { "properties": { "kms_key": {
                    "type": "string",
                    "title": "Key of the key service",
                    "description": "Its id or ARN. Empty for the service's default key.",
                    "default": ""
                } } }
            },
            {
                "if": { "properties": { "lock": { "enum": ["GOVERNANCE", "COMPLIANCE"] } }, "required": ["lock"] },
                "then": { "properties": { "lock_days": {
                    "type": "integer",
                    "title": "Days of lock",
                    "description": "For so many days after it was stored nobody can remove a backup.",
                    "minimum": 1,
                    "maximum": 36_500,
                    "default": lock_days()
                } } }
            }
        ]
    })
}

#[cfg(test)]
mod tests {
    use cofferdam_plugin::{Failure, settings::parse};

    use super::*;

    const GOOD: &str = r#"{"endpoint":"https://s3.example.org","bucket":"backups","access_key_id":"K","secret_access_key":"S"}"#;

    fn with(field: &str, value: Value) -> Result<Settings> {
        let mut settings: Value = serde_json::from_str(GOOD).expect("JSON");
        settings[field] = value;
        let settings: Settings = parse(&settings.to_string())?;
        settings.verify()?;
        Ok(settings)
    }

    #[test]
    fn four_settings_suffice() {
        let settings = with("bucket", "backups".into()).expect("they are good");
        assert_eq!(settings.path.to_string(), PATH);
        assert!(settings.keeping(jiff::Timestamp::UNIX_EPOCH).is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        for (field, value) in [
            ("endpoint", json!("s3.example.org")),
            ("endpoint", json!("https://s3.example.org/?a=b")),
            ("bucket", json!("a/../b")),
            ("bucket", json!("")),
            ("region", json!("eu west")),
            ("secret_access_key", json!("")),
            ("access_key_id", json!("a\r\nb")),
            ("part_size", json!("1 MiB")),
            ("part_size", json!("6 GiB")),
            ("path", json!("backups/{database}")),
            ("storage_class", json!("A B")),
            ("style", json!("other")),
            ("lock", json!("governance")),
        ] {
            match with(field, value.clone()) {
                Err(Failure::InvalidConfig(fields)) => {
                    assert_eq!(fields[0].field, format!("/{field}"), "{value}");
                }
                Err(other) => panic!("{field} {value}: {other:?}"),
                Ok(_) => panic!("{field} {value} was taken"),
            }
        }
    }

    #[test]
    fn a_lock_needs_checksums() {
        let mut settings = with("lock", json!("GOVERNANCE")).expect("they are good");
        assert_eq!(settings.proving(Some("c")).len(), 2);
        settings.checksums = false;
        assert!(settings.verify().is_err());
    }

    #[test]
    fn a_lock_ends_after_its_days() {
        let mut settings = with("lock", json!("COMPLIANCE")).expect("they are good");
        settings.lock_days = 1;
        assert_eq!(
            settings.keeping(jiff::Timestamp::UNIX_EPOCH),
            [
                ("x-amz-object-lock-mode", "COMPLIANCE".to_owned()),
                ("x-amz-object-lock-retain-until-date", "1970-01-02T00:00:00Z".to_owned()),
            ]
        );
    }
}
