//! Lists: filters, sorting and paging, held against doing the same by hand.

use cofferdam_catalog::{BackupFilter, BackupSort, Catalog, Direction};
use cofferdam_model::{Backup, BackupStatus, Failure, FailureKind, Label, Trigger};
use proptest::prelude::*;

use crate::support::{LEASE, at, database, fresh, new_backup, sidecar};

/// Sixty backups of all kinds in two databases.
async fn filled(catalog: &Catalog) -> Vec<Backup> {
    let databases = [database(catalog, "shop").await, database(catalog, "wiki_100%").await];
    let mut ids = Vec::new();
    let mut tx = catalog.begin().await.unwrap();
    for number in 0..60_i32 {
        let mut new = new_backup(&databases[usize::from(number % 3 == 0)]);
        new.trigger = Trigger::ALL[usize::try_from(number).unwrap() % 5];
        new.options.description = format!("Before UPGRADE {}", number % 7).parse().unwrap();
        new.labels = vec![if number % 2 == 0 { "weekly" } else { "50%_off\\x" }.parse().unwrap()];
        let made = tx.insert_backup(&new, at((number / 2).into())).await.unwrap();
        ids.push(made.id);
        if number % 4 == 0 {
            tx.request_cancel(made.id, at(number.into())).await.unwrap();
        } else if number % 4 < 3 {
            let job =
                tx.lease_backup(made.id, "w", at(number.into()), LEASE, 9).await.unwrap().unwrap();
            if number % 4 == 1 {
                let mut sidecar = sidecar(&made);
                sidecar.size_bytes = u64::try_from(number * 31 % 17).unwrap();
                sidecar.completed_at = sidecar.started_at + LEASE * (number % 5);
                tx.finish_completed(made.id, job.fence, &sidecar).await.unwrap();
            } else {
                let failure = Failure::new(FailureKind::Stall, "no bytes");
                tx.finish_failed(made.id, job.fence, &failure, at(number.into())).await.unwrap();
            }
        }
    }
    tx.commit().await.unwrap();
    let mut all = Vec::new();
    for id in ids {
        all.push(catalog.backup(id).await.unwrap().unwrap());
    }
    all
}

/// The same filter, done by hand.
fn by_hand(all: &[Backup], filter: &BackupFilter) -> Vec<Backup> {
    let has = |backup: &Backup, text: &str| {
        let labels = backup.labels.iter().map(Label::as_str);
        [
            backup.database.as_str(),
            &backup.description,
            backup.filename.as_deref().unwrap_or_default(),
            &backup.created_by,
        ]
        .into_iter()
        .chain(labels)
        .any(|field| field.to_lowercase().contains(text))
    };
    let text = filter.text.as_deref().map(|text| text.trim().to_lowercase());
    let mut fitting: Vec<Backup> = all
        .iter()
        .filter(|b| filter.status.is_empty() || filter.status.contains(&b.status))
        .filter(|b| filter.database.as_ref().is_none_or(|slug| *slug == b.database))
        .filter(|b| filter.database_id.is_none_or(|id| id == b.database_id))
        .filter(|b| filter.trigger.is_none_or(|trigger| trigger == b.trigger))
        .filter(|b| text.as_ref().is_none_or(|text| has(b, text)))
        .filter(|b| filter.created_from.is_none_or(|from| b.created_at >= from))
        .filter(|b| filter.created_until.is_none_or(|until| b.created_at < until))
        .cloned()
        .collect();
    let duration = |b: &Backup| match (b.started_at, b.completed_at) {
        (Some(from), Some(to)) => (to - from).num_milliseconds(),
        _ => -1,
    };
    fitting.sort_by(|a, b| {
        let by = match filter.sort {
            BackupSort::Created => a.created_at.cmp(&b.created_at),
            BackupSort::Size => a.size_bytes.cmp(&b.size_bytes),
            BackupSort::Duration => duration(a).cmp(&duration(b)),
            BackupSort::Database => {
                a.database.cmp(&b.database).then(a.created_at.cmp(&b.created_at))
            }
        };
        by.then(a.id.cmp(&b.id))
    });
    if filter.direction == Direction::Descending {
        fitting.reverse();
    }
    fitting
}

fn filters() -> impl Strategy<Value = BackupFilter> {
    let text = prop::sample::select(vec![
        "shop",
        "WIKI",
        "upgrade 3",
        "%",
        "_",
        "\\",
        "50%_off\\x",
        "weekly",
        "anna",
        ".sql.gz",
        "zebra",
        " ",
        "o",
        "'",
        "backup_shop",
    ]);
    let sort = prop::sample::select(vec![
        BackupSort::Created,
        BackupSort::Size,
        BackupSort::Duration,
        BackupSort::Database,
    ]);
    let direction = prop::sample::select(vec![Direction::Ascending, Direction::Descending]);
    let slug = prop::sample::select(vec!["shop", "wiki_100", "none"]);
    (
        prop::collection::vec(prop::sample::select(BackupStatus::ALL.to_vec()), 0..3),
        prop::option::of(slug),
        prop::option::of(prop::sample::select(Trigger::ALL.to_vec())),
        prop::option::of(text),
        prop::option::of(0_i64..40),
        prop::option::of(0_i64..40),
        (sort, direction),
        (0_u32..30, 0_u64..70),
    )
        .prop_map(
            |(status, slug, trigger, text, from, until, (sort, direction), (limit, offset))| {
                BackupFilter {
                    status,
                    database_id: None,
                    database: slug.map(|slug| slug.parse().unwrap()),
                    trigger,
                    text: text.map(str::to_owned),
                    created_from: from.map(at),
                    created_until: until.map(at),
                    sort,
                    direction,
                    limit,
                    offset,
                }
            },
        )
}

#[test]
fn every_filter_finds_what_looking_through_all_records_finds() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let fresh = runtime.block_on(fresh());
    let all = runtime.block_on(filled(&fresh.catalog));
    proptest!(ProptestConfig::with_cases(300), |(filter in filters())| {
        let page = runtime.block_on(fresh.catalog.backups(&filter)).unwrap();
        let expected = by_hand(&all, &filter);
        prop_assert_eq!(page.total, expected.len() as u64);
        let expected: Vec<Backup> = expected
            .into_iter()
            .skip(usize::try_from(filter.offset).unwrap())
            .take(filter.limit as usize)
            .collect();
        prop_assert_eq!(page.backups, expected);
    });
}

#[tokio::test]
async fn the_default_list_is_newest_first_and_its_pages_hold_each_backup_once() {
    let fresh = fresh().await;
    let all = filled(&fresh.catalog).await;
    let mut seen = Vec::new();
    for page in 0..7 {
        let filter = BackupFilter { limit: 10, offset: page * 10, ..BackupFilter::default() };
        seen.extend(fresh.catalog.backups(&filter).await.unwrap().backups);
    }
    assert_eq!(seen, by_hand(&all, &BackupFilter::default()));
}
