//! Made-up plugins, destinations and deliveries.

use cofferdam_model::{
    Attempt, AttemptOutcome, BackupId, ComponentHash, Delivery, DeliveryId, DeliveryStatus,
    Destination, DestinationId, EventKind, Grants, LogLevel, LogLine, Purpose, Roles, Slug,
};
use cofferdam_views::{
    DeliveryItem, Point,
    pages::{
        destination_new::PluginChoice,
        destinations::DestinationCard,
        plugin::{ApproveForm, ImportItem, PluginPage},
        plugins::{About, Asks, PluginItem, PluginProblem, PluginState},
    },
    schema::Schema,
};
use serde_json::json;

use crate::data::{ago, now};

pub(crate) fn hash(byte: u8) -> ComponentHash {
    let mut digest = [0x5a; 32];
    digest[0] = byte;
    ComponentHash::from_bytes(&digest)
}

pub(crate) fn about(name: &str, summary: &str) -> About {
    About {
        name: name.into(),
        version: "1.2.0".into(),
        summary: summary.into(),
        author: "Harbour Tools".into(),
        homepage: Some("https://plugins.example/s3".into()),
        roles: Roles { storage: true, notifier: false, retention: false },
        asks: Asks { network: true, folder: false, mail: false },
    }
}

pub(crate) fn s3() -> About {
    about("S3", "Keeps backups in a bucket of any S3-compatible service.")
}

pub(crate) fn plugin(byte: u8, about: About, state: PluginState) -> PluginItem {
    PluginItem {
        hash: Some(hash(byte)),
        note: None,
        file: format!("{}.wasm", about.name.to_lowercase().replace(' ', "-")),
        about: Some(about),
        state,
        bundled: false,
        destinations: 0,
        problem: None,
    }
}

pub(crate) fn problem() -> PluginProblem {
    PluginProblem {
        at: ago(3_700),
        text: "the connection to 169.254.169.254:80 was refused: it has not been allowed".into(),
        destination: Some("offsite".into()),
    }
}

/// One of each kind.
pub(crate) fn plugins() -> Vec<PluginItem> {
    let mut local = about("Local copy", "Copies backups to a folder, and says which may go.");
    local.author = "Cofferdam".into();
    local.asks = Asks { network: false, folder: true, mail: false };
    local.roles = Roles { storage: true, notifier: false, retention: true };
    let mut chat = about("Chat", "Tells a channel of Slack, Discord, Telegram, Teams or ntfy.");
    chat.roles = Roles { storage: false, notifier: true, retention: false };
    let mut mail = about("E-mail", "Sends a mail about what happened.");
    mail.roles = chat.roles;
    mail.asks = Asks { network: false, folder: false, mail: true };
    let mut used = plugin(2, s3(), PluginState::Approved);
    used.destinations = 2;
    used.problem = Some(problem());
    let refused = PluginItem {
        about: None,
        hash: None,
        file: "notes.wasm".into(),
        ..plugin(5, s3(), PluginState::Refused("This is a core module, not a component.".into()))
    };
    vec![
        plugin(0, chat, PluginState::Waiting),
        plugin(1, about("WebDAV", "Puts each backup on a web server."), PluginState::Changed),
        used,
        PluginItem { bundled: true, destinations: 1, ..plugin(3, local, PluginState::Approved) },
        plugin(4, mail, PluginState::Gone),
        refused,
        PluginItem { about: None, ..plugin(6, about("Large", ""), PluginState::Reading) },
    ]
}

pub(crate) fn imports() -> Vec<ImportItem> {
    [
        ("wasi:http/outgoing-handler@0.2.0", "may connect to hosts that you name"),
        ("cofferdam:plugin/artifact@0.1.0", "reads the backup that is being delivered"),
        ("wasi:clocks/wall-clock@0.2.0", "asks what time it is"),
    ]
    .map(|(name, words)| ImportItem { name: name.into(), words: words.into() })
    .into()
}

pub(crate) fn grants() -> Grants {
    let hosts = ["s3.eu-central.example:443", "*.backup.example:443", "nas.local:9000 private"];
    Grants {
        hosts: hosts.map(|host| host.parse().expect("a grant")).into(),
        folder: None,
        mail: false,
    }
}

pub(crate) fn plugin_page(item: PluginItem) -> PluginPage {
    let approved = item.state == PluginState::Approved;
    PluginPage {
        item,
        id: "s3".into(),
        imports: imports(),
        approved: approved.then(|| (ago(86_400 * 3), "admin".into())),
        seen_at: Some(ago(86_400 * 3 + 60)),
        form: if approved { ApproveForm::of(&grants()) } else { ApproveForm::default() },
        before: None,
        destinations: Vec::new(),
        problems: Vec::new(),
    }
}

pub(crate) fn choice(about: About) -> PluginChoice {
    PluginChoice { id: "s3".parse().expect("an id"), about }
}

/// A schema with every kind of field.
pub(crate) fn schema() -> Schema {
    Schema::read(&json!({
        "type": "object",
        "required": ["endpoint", "bucket", "access_key", "secret_key", "class"],
        "properties": {
            "endpoint": { "type": "string", "title": "Endpoint", "x-cofferdam": "host",
                "description": "The service's address." },
            "bucket": { "type": "string", "title": "Bucket", "minLength": 3 },
            "path": { "type": "string", "title": "Path", "x-cofferdam": "template",
                "default": "backups/{database}/{yyyy}/{mm}/{filename}" },
            "access_key": { "type": "string", "title": "Access key" },
            "secret_key": { "type": "string", "title": "Secret key", "x-cofferdam": "secret" },
            "session": { "type": "string", "title": "Session token", "x-cofferdam": "secret" },
            "class": { "title": "Storage class", "default": "STANDARD", "oneOf": [
                { "const": "STANDARD", "title": "Standard" },
                { "const": "GLACIER", "title": "Archive (slow to fetch)" },
            ] },
            "part": { "type": "string", "title": "Part size", "x-cofferdam": "size", "default": "64 MiB" },
            "lock": { "type": "boolean", "title": "Lock each object",
                "description": "Nobody can delete it before its time, whoever they are." },
            "labels": { "type": "array", "title": "Labels", "items": { "type": "string" },
                "description": "One per line." },
            "checks": { "type": "array", "title": "Checksums", "items": { "enum": ["SHA-256", "CRC32C"] } },
            "headers": { "type": "object", "title": "Headers" },
        },
        "if": { "properties": { "lock": { "const": true } }, "required": ["lock"] },
        "then": {
            "properties": { "lock_for": { "type": "string", "title": "Locked for", "x-cofferdam": "duration" } },
            "required": ["lock_for"],
        },
    }))
}

pub(crate) fn destination(name: &str) -> Destination {
    Destination {
        id: DestinationId::new(),
        name: Slug::from_name(name),
        plugin: "s3".parse().expect("an id"),
        roles: Roles { storage: true, notifier: false, retention: false },
        settings: "{}".into(),
        sealed: None,
        enabled: true,
        databases: None,
        events: Vec::new(),
        concurrency: 1,
        keep_going: false,
        created_at: ago(86_400 * 40),
    }
}

pub(crate) fn card(name: &str, status: DeliveryStatus) -> DestinationCard {
    let destination = destination(name);
    let last = delivery(&destination, status);
    let history = (0..24).map(|index| Point {
        at: ago(86_400 * (24 - index)),
        bytes: 200_000_000 + u64::try_from(index).expect("small") * 3_000_000,
        millis: 21_000,
        good: index % 9 != 4,
    });
    DestinationCard {
        history: history.collect(),
        plugin: "S3".into(),
        place: "s3.eu-central.example · company-backups".into(),
        blocked: None,
        last: Some(last),
        good: 21,
        all: 24,
        destination,
    }
}

pub(crate) fn delivery(destination: &Destination, status: DeliveryStatus) -> Delivery {
    use DeliveryStatus::{Blocked, Completed, Failed, Retrying, Running};
    let error = match status {
        Failed => Some("the bucket company-backups does not exist"),
        Retrying => Some("s3.eu-central.example answered 503: slow down"),
        Blocked => Some("its plugin S3 has changed and waits for approval"),
        _ => None,
    };
    Delivery {
        id: DeliveryId::new(),
        backup: BackupId::new(),
        database: Slug::from_name("shop"),
        destination: destination.id,
        destination_name: destination.name.clone(),
        purpose: Purpose::Store,
        event: None,
        about: None,
        status,
        attempts: 2,
        tries: 2,
        not_before: now() + chrono::Duration::seconds(95),
        location: (status == Completed)
            .then(|| "backups/shop/2026/11/backup_shop_20261121_100916.sql.gz".into()),
        stored_with: None,
        bytes: match status {
            Completed => Some(254_118_221),
            Running => Some(103_000_000),
            _ => None,
        },
        note: (status == Completed).then(|| "locked until 2027-01-31".into()),
        error: error.map(Into::into),
        created_at: ago(7_180),
        queued_at: ago(7_180),
        completed_at: matches!(status, Completed | Failed).then(|| ago(7_160)),
        is_kept: false,
        removal: None,
    }
}

pub(crate) fn attempts() -> Vec<Attempt> {
    let line = |level, text: &str| LogLine { at: ago(7_170), level, text: text.into() };
    let first = Attempt {
        number: 1,
        started_at: ago(7_180),
        ended_at: Some(ago(7_175)),
        outcome: Some(AttemptOutcome::Temporary),
        bytes: 16_777_216,
        error: Some("s3.eu-central.example answered 503: slow down".into()),
        log: vec![
            line(LogLevel::Info, "multipart upload in 4 parts begun"),
            line(LogLevel::Warning, "part 2 was answered with 503"),
        ],
    };
    let second = Attempt {
        number: 2,
        started_at: ago(7_170),
        ended_at: Some(ago(7_160)),
        outcome: Some(AttemptOutcome::Completed),
        bytes: 254_118_221,
        error: None,
        log: Vec::new(),
    };
    vec![first, second]
}

pub(crate) fn item(name: &str, status: DeliveryStatus) -> DeliveryItem {
    DeliveryItem {
        delivery: delivery(&destination(name), status),
        is_deleted: false,
        size_bytes: Some(254_118_221),
        attempts: attempts(),
    }
}

pub(crate) fn items() -> Vec<DeliveryItem> {
    let mut mail = item("ops-mail", DeliveryStatus::Completed);
    mail.delivery.purpose = Purpose::Notify;
    mail.delivery.event = Some(EventKind::BackupCompleted);
    mail.delivery.location = None;
    mail.delivery.bytes = None;
    mail.delivery.note = Some("sent to 2 addresses".into());
    mail.attempts.remove(0);
    vec![
        item("offsite", DeliveryStatus::Completed),
        item("nas", DeliveryStatus::Running),
        item("second-bucket", DeliveryStatus::Retrying),
        item("old-bucket", DeliveryStatus::Failed),
        item("webdav", DeliveryStatus::Blocked),
        mail,
    ]
}

/// A removal that failed, of a backup that is deleted.
pub(crate) fn left_behind() -> DeliveryItem {
    let mut left = item("offsite", DeliveryStatus::Failed);
    left.delivery.purpose = Purpose::Remove;
    left.delivery.location = Some("backups/shop/2026/10/backup_shop_20261021_100916.sql.gz".into());
    left.delivery.note = None;
    left.delivery.error = Some("the object is locked until 2027-01-31".into());
    left.is_deleted = true;
    left.attempts.clear();
    left
}
