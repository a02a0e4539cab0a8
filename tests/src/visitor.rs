//! A person at a browser: what they see, click and type.

use std::{
    future::Future,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use thirtyfour::{WebElement, error::WebDriverResult, prelude::By};

use crate::{
    Browser, Console,
    console::{ADMIN, PASSWORD},
};

/// How long a page may take to show something on a busy machine.
const PATIENCE: Duration = Duration::from_secs(45);

/// Words of the visible text in one line; `sr` texts belong to names of controls.
const WORDS: &str = "const words = s => (s ?? '').replace(/\\s+/g, ' ').trim();";

/// A browser at one console.
#[derive(Debug)]
pub struct Visitor {
    /// Their browser.
    pub browser: Browser,
    base: String,
}

impl Visitor {
    /// Somebody with an empty browser.
    pub async fn stranger(console: &Console) -> Self {
        Self { browser: Browser::start().await, base: console.url().to_owned() }
    }

    /// The administrator of [`Console::builder`], signed in on the page.
    pub async fn administrator(console: &Console) -> Self {
        let visitor = Self::stranger(console).await;
        visitor.sign_in(ADMIN, PASSWORD).await;
        visitor
    }

    /// Signs in on the page, and waits for the page after it.
    pub async fn sign_in(&self, name: &str, password: &str) {
        self.open("/login").await;
        self.fill("#login-username", name).await;
        self.fill("#login-password", password).await;
        self.press("Sign in").await;
        self.until("signed in", "return location.pathname != '/login'").await;
    }

    /// Opens an address of the console.
    pub async fn open(&self, path: &str) {
        let url =
            if path.starts_with("http") { path.into() } else { format!("{}{path}", self.base) };
        self.browser.driver.goto(&url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Path and query of the page.
    pub async fn path(&self) -> String {
        text(&self.ask("return location.pathname + location.search").await)
    }

    /// The title of the tab.
    pub async fn title(&self) -> String {
        self.browser.driver.title().await.expect("a title")
    }

    /// Runs a script of the test's own on the page and returns what it returns.
    ///
    /// # Panics
    /// When it throws.
    pub async fn ask(&self, script: &str) -> Value {
        self.try_ask(script).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    async fn try_ask(&self, script: &str) -> WebDriverResult<Value> {
        let answer = self.browser.driver.execute(format!("{WORDS} {script}"), vec![]).await?;
        Ok(answer.json().clone())
    }

    /// Waits until the script returns something true, and returns that.
    ///
    /// # Panics
    /// When it does not within a time that is long for a person; the page's
    /// words are told.
    pub async fn until(&self, what: &str, script: &str) -> Value {
        // A page that is just being left answers with an error.
        let asked = retry(async || {
            let value = self.try_ask(script).await.ok()?;
            let no = value.is_null() || value == false || value == "" || value == 0;
            (!no).then_some(value)
        });
        match asked.await {
            Some(value) => value,
            None => self.give_up(what).await,
        }
    }

    /// Waits until the page shows these words, as a reader sees them.
    pub async fn sees(&self, words: &str) {
        let script = format!("return words(document.body.innerText).includes({})", quote(words));
        self.until(&format!("the page says {words:?}"), &script).await;
    }

    /// Whether the page shows these words now.
    pub async fn can_see(&self, words: &str) -> bool {
        let script = format!("return words(document.body.innerText).includes({})", quote(words));
        self.ask(&script).await == true
    }

    /// The words of the first element, once it is there.
    pub async fn words(&self, css: &str) -> String {
        let script = format!("return words(document.querySelector({})?.innerText)", quote(css));
        text(&self.until(css, &script).await)
    }

    /// The words of every such element.
    pub async fn each(&self, css: &str) -> Vec<String> {
        let script = format!(
            "return [...document.querySelectorAll({})].map(it => words(it.innerText))",
            quote(css)
        );
        self.ask(&script).await.as_array().into_iter().flatten().map(text).collect()
    }

    /// Replaces what a field holds.
    pub async fn fill(&self, css: &str, value: &str) {
        self.act(css, async |element: WebElement| {
            element.clear().await?;
            element.send_keys(value).await
        })
        .await;
    }

    /// Chooses a file of this machine.
    pub async fn attach(&self, css: &str, file: &Path) {
        let path = file.to_str().expect("a path in UTF-8");
        self.act(css, async |element: WebElement| element.send_keys(path).await).await;
    }

    /// Chooses an entry of a select by its value.
    pub async fn choose(&self, css: &str, value: &str) {
        self.act(&format!("{css} option[value='{value}']"), async |option: WebElement| {
            option.click().await
        })
        .await;
    }

    /// Clicks an element.
    pub async fn click(&self, css: &str) {
        self.act(css, async |element: WebElement| element.click().await).await;
    }

    /// Clicks the visible link, button or switch of this name, as it is
    /// shown or as screen readers call it.
    pub async fn press(&self, name: &str) {
        let script = format!(
            "{WORDS} return [...document.querySelectorAll('a, button, summary, label')].find(it => \
             it.checkVisibility() && (words(it.innerText) === {0} || \
             it.getAttribute('aria-label') === {0} || it.title === {0}))",
            quote(name)
        );
        let done = retry(async || {
            let found = self.browser.driver.execute(&script, vec![]).await.ok()?;
            found.element().ok()?.click().await.ok()
        });
        if done.await.is_none() {
            self.give_up(&format!("a click on {name:?}")).await;
        }
    }

    /// Types into whatever has the focus: text, or the keys of `thirtyfour::Key`.
    pub async fn keys(&self, keys: impl Into<thirtyfour::TypingData>) {
        let focused = self.browser.driver.active_element().await.expect("a page");
        focused.send_keys(keys).await.expect("keys");
    }

    /// Finds the element and does something with it; once more where the page
    /// changed in between.
    async fn act(&self, css: &str, act: impl AsyncFn(WebElement) -> WebDriverResult<()>) {
        let done = retry(async || {
            let element = self.browser.driver.find(By::Css(css)).await.ok()?;
            act(element).await.ok()
        });
        if done.await.is_none() {
            self.give_up(css).await;
        }
    }

    /// Holds that the page has complained of nothing since this was last
    /// asked, but for lines that hold one of these.
    ///
    /// # Panics
    /// With the complaints: errors, refused resources, broken policies.
    pub async fn assert_quiet(&self, but_for: &[&str]) {
        let mut complaints = self.browser.messages().await;
        complaints.retain(|line| {
            let loud = line.starts_with("SEVERE") || line.starts_with("WARNING");
            loud && !but_for.iter().any(|known| line.contains(known))
        });
        assert!(complaints.is_empty(), "the page complains: {complaints:#?}");
    }

    async fn give_up(&self, what: &str) -> ! {
        let page = self.try_ask("return location.href + '\\n' + document.body.innerText").await;
        panic!(
            "waited {PATIENCE:?} in vain: {what}. The page: {}",
            text(&page.unwrap_or_default())
        );
    }
}

/// Asks ten times a second until there is an answer or no patience left.
async fn retry<T, F: Future<Output = Option<T>>>(mut ask: impl FnMut() -> F) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return Some(answer);
        }
        if start.elapsed() > PATIENCE {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A text as JavaScript writes it.
fn quote(text: &str) -> String {
    Value::from(text).to_string()
}
