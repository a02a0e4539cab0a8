//! The page of the API: its calls can be tried as they are offered.

use cofferdam_tests::{Console, Visitor};

use crate::stage::back_up;

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_tried_with_their_samples_and_without_what_is_optional() {
    let console = Console::builder().start();
    let api = console.api();
    back_up(&api, "cofferdam", "");
    let visitor = Visitor::administrator(&console).await;
    visitor.open("/api/docs").await;
    visitor.fill("#api-token", api.token().expect("a token")).await;
    for (call, status) in [
        ("GET /api/v1/backups", 200),
        ("POST /api/v1/databases", 201),
        // The sample asks for the database that the sample before it added.
        ("POST /api/v1/backups", 202),
    ] {
        let form = format!("form[aria-label='{call}']");
        visitor
            .ask(&format!("document.querySelector(\"{form}\").closest('details').open = true"))
            .await;
        visitor.click(&format!("{form} button[type=submit]")).await;
        let answer = format!(
            "return document.querySelector(\"{form} .answer\").textContent.startsWith('{status} ')"
        );
        visitor.until(call, &answer).await;
    }
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}
