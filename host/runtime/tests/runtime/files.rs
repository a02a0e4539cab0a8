//! One folder, and nothing outside of it.

use std::fs;

use serde_json::json;

use crate::support::{call, doing, plugin};

async fn read(path: &str, folder: Option<&std::path::Path>) -> String {
    let plugin = plugin().await;
    let (mut call, _) = call(json!({ "do": "read-file", "path": path }));
    call.grants.folder = folder.map(ToOwned::to_owned);
    plugin.check(call).await.result.expect("an answer")
}

#[tokio::test]
async fn without_a_grant_there_are_no_files_no_environment_and_no_sockets() {
    for path in ["/etc/passwd", "/data/x", "."] {
        let answer = read(path, None).await;
        assert!(answer.starts_with("Err("), "{path}: {answer}");
    }
    let plugin = plugin().await;
    let (call, _) = doing("environment");
    assert_eq!(plugin.check(call).await.result, Ok("0 0".to_owned()));
    let (call, _) = doing("socket");
    let answer = plugin.check(call).await.result.expect("an answer");
    assert!(answer.starts_with("Err("), "{answer}");
}

#[tokio::test]
async fn the_granted_folder_is_read_and_written_and_not_left() {
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("secret"), "hidden").expect("a file");
    let folder = outside.path().join("granted");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("own"), "seen").expect("a file");
    std::os::unix::fs::symlink(outside.path(), folder.join("up")).expect("a link");
    std::os::unix::fs::symlink("../secret", folder.join("link")).expect("a link");

    assert_eq!(read("/data/own", Some(&folder)).await, "Ok(\"seen\")");
    for path in ["/data/../secret", "/data/up/secret", "/data/link", "/secret", "../secret"] {
        let answer = read(path, Some(&folder)).await;
        assert!(answer.starts_with("Err("), "{path}: {answer}");
    }
    let plugin = plugin().await;
    let (mut call, _) = call(json!({ "do": "write-file", "path": "/data/new" }));
    call.grants.folder = Some(folder.clone());
    assert_eq!(plugin.check(call).await.result, Ok("Ok(())".to_owned()));
    assert_eq!(fs::read_to_string(folder.join("new")).expect("a file"), "written");
}

#[tokio::test]
async fn a_granted_folder_that_is_not_there_is_told_by_its_name() {
    let plugin = plugin().await;
    let (mut call, _) = doing("nothing");
    call.grants.folder = Some("/nowhere/at/all".into());
    let error = plugin.check(call).await.result.expect_err("it cannot be granted");
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    assert!(error.is_temporary());
}

/// Whoever may write next to a granted folder could put a link in its place.
#[tokio::test]
async fn a_granted_folder_that_a_link_leads_to_is_not_given() {
    let outside = tempfile::tempdir().expect("a folder");
    let elsewhere = outside.path().join("elsewhere");
    fs::create_dir_all(elsewhere.join("copies")).expect("a folder");
    fs::write(elsewhere.join("copies/own"), "hidden").expect("a file");
    let link = outside.path().join("link");
    std::os::unix::fs::symlink(&elsewhere, &link).expect("a link");
    let plugin = plugin().await;
    for path in [link.join("copies"), link.clone()] {
        let (mut call, _) = call(json!({ "do": "read-file", "path": "/data/own" }));
        call.grants.folder = Some(path.clone());
        let error = plugin.check(call).await.result.expect_err("it is not given");
        assert_eq!(
            error.to_string(),
            format!(
                "the granted folder {} cannot be used: {} is a link; name the folder itself, by a path without links",
                path.display(),
                link.display()
            )
        );
    }
}
