//! The browser as later tests use it, shown on pages of this test's own.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
    time::Duration,
};

use cofferdam_tests::Browser;
use thirtyfour::By;

const PAGE: &str = "<!doctype html><html lang=en><title>A page</title>\
    <style>body { background: white } @media (prefers-color-scheme: dark) { body { background: black } }</style>\
    <main><h1>Hello</h1><img src='data:,' id=bare><a href='/file' download>get it</a></main>\
    <script>console.error('it says so')</script>";

/// Serves the page, and a file to download, as long as the test runs.
fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}/", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or_default();
            let (kind, body) = if request[..length].starts_with(b"GET /file") {
                ("application/gzip\r\nContent-Disposition: attachment; filename=b.sql.gz", "12345")
            } else {
                ("text/html", PAGE)
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // A browser that has gone needs no answer.
            let _ = stream.write_all([head.as_str(), body].concat().as_bytes());
        }
    });
    base
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_shows_measures_and_downloads_as_a_person_would() {
    let browser = Browser::start().await;
    browser.driver.goto(site()).await.expect("the page");
    assert_eq!(browser.driver.title().await.expect("a title"), "A page");

    let rules: Vec<_> = browser.axe().await.into_iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, ["image-alt"]);
    assert!(browser.messages().await.iter().any(|message| message.contains("it says so")));

    let background = "return getComputedStyle(document.body).backgroundColor + innerWidth";
    for (dark, width, expected) in
        [(true, 375, "rgb(0, 0, 0)375"), (false, 1280, "rgb(255, 255, 255)1280")]
    {
        browser.prefer(dark, false).await;
        browser.resize(width, 700).await;
        let found = browser.driver.execute(background, vec![]).await.expect("a colour");
        assert_eq!(found.json().as_str(), Some(expected));
    }

    browser.driver.find(By::Css("a")).await.expect("a link").click().await.expect("a click");
    let file = browser.downloaded(Duration::from_secs(10));
    assert_eq!(file.file_name().and_then(|name| name.to_str()), Some("b.sql.gz"));
    assert_eq!(std::fs::read(&file).expect("the file"), b"12345");
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_dropped_leaves_no_process() {
    let browser = Browser::start().await;
    let folder = browser.downloads().parent().expect("its folder").to_owned();
    let running = || {
        let processes = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
        let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        let folder = folder.to_str().expect("a path");
        lines.filter(|line| String::from_utf8_lossy(line).contains(folder)).count()
    };
    assert!(running() > 0);
    drop(browser);
    cofferdam_tests::wait_until("the browser's end", Duration::from_secs(10), || {
        (running() == 0).then_some(())
    });
    assert!(!folder.exists());
}
