//! Logs of backups.

use cofferdam_catalog::{Error, LOG_LINE_MAX};
use cofferdam_model::{BackupId, LogLevel, LogLine};

use crate::support::{at, fresh, running};

fn line(text: impl Into<String>) -> LogLine {
    LogLine { at: at(5), level: LogLevel::Warning, text: text.into() }
}

#[tokio::test]
async fn lines_come_back_in_order_and_from_any_place() {
    let fresh = fresh().await;
    let (_, backup, _) = running(&fresh.catalog, "shop").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    assert_eq!(tx.append_log(backup.id, &[line("a"), line("b")]).await.unwrap(), 2);
    assert_eq!(tx.append_log(backup.id, &[line("c")]).await.unwrap(), 3);
    tx.commit().await.unwrap();
    let lines = fresh.catalog.log(backup.id, 1, 10).await.unwrap();
    assert_eq!(lines.iter().map(|l| l.seq).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(lines[0].line, line("b"));
    assert_eq!(fresh.catalog.log(backup.id, 0, 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_log_keeps_its_first_and_its_last_lines() {
    let fresh = fresh().await;
    let (_, backup, _) = running(&fresh.catalog, "shop").await;
    let lines: Vec<LogLine> = (1..=4000).map(|n| line(format!("line {n}"))).collect();
    for _ in 0..4 {
        let mut tx = fresh.catalog.begin().await.unwrap();
        tx.append_log(backup.id, &lines).await.unwrap();
        tx.commit().await.unwrap();
    }
    let kept = fresh.catalog.log(backup.id, 0, 100_000).await.unwrap();
    let numbers: Vec<i64> = kept.iter().map(|line| line.seq).collect();
    let expected: Vec<i64> = (1..=5000).chain(11_001..=16_000).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test]
async fn the_end_of_a_log_says_whether_there_are_lines_before_it() {
    let fresh = fresh().await;
    let (_, backup, _) = running(&fresh.catalog, "shop").await;
    let (_, other, _) = running(&fresh.catalog, "wiki").await;
    let tail = async |lines| {
        let (tail, more) = fresh.catalog.log_tail(backup.id, lines).await.unwrap();
        (tail.iter().map(|line| line.seq).collect::<Vec<_>>(), more)
    };
    assert_eq!(tail(12).await, (vec![], false));
    let lines: Vec<LogLine> = (1..=13).map(|n| line(format!("line {n}"))).collect();
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.append_log(backup.id, &lines).await.unwrap();
    tx.append_log(other.id, &[line("of another backup")]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(tail(12).await, ((2..=13).collect(), true));
    assert_eq!(tail(13).await, ((1..=13).collect(), false));
    assert_eq!(tail(u32::MAX).await, ((1..=13).collect(), false));
    assert_eq!(tail(0).await, (vec![], true));
    let (tail, _) = fresh.catalog.log_tail(backup.id, 1).await.unwrap();
    assert_eq!(tail[0].line, lines[12]);
    assert_eq!(fresh.catalog.log_tail(BackupId::new(), 12).await.unwrap(), (vec![], false));
}

#[tokio::test]
async fn an_endless_line_is_cut_between_two_characters() {
    let fresh = fresh().await;
    let (_, backup, _) = running(&fresh.catalog, "shop").await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    tx.append_log(backup.id, &[line("ü€x".repeat(10_000))]).await.unwrap();
    tx.commit().await.unwrap();
    let lines = fresh.catalog.log(backup.id, 0, 10).await.unwrap();
    assert!(lines[0].line.text.len() <= LOG_LINE_MAX);
    assert!(lines[0].line.text.ends_with('…'));
}

#[tokio::test]
async fn a_log_without_a_backup_is_refused() {
    let fresh = fresh().await;
    let mut tx = fresh.catalog.begin().await.unwrap();
    let refused = tx.append_log(BackupId::new(), &[line("a")]).await;
    assert!(matches!(refused, Err(Error::NotFound("backup"))));
}
