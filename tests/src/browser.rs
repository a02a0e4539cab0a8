//! Chromium, driven as a person would use it.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{
    CapabilitiesHelper as _, ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver,
};
use xtask::process::{self, AtParentsEnd, Signal};

use crate::wait_until;

/// A new browser with a profile of its own. It closes when dropped;
/// [`Browser::quit`] does it without blocking the runtime.
#[derive(Debug)]
pub struct Browser {
    // Dropped in this order: the session, the program that drives it, its files.
    /// To find elements, click and type.
    pub driver: WebDriver,
    service: Service,
    folder: TempDir,
}

/// What axe-core has against a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule: `color-contrast`, say.
    pub rule: String,
    /// What it asks for.
    pub help: String,
    /// CSS selectors of the elements.
    pub elements: Vec<String>,
}

/// `chromedriver`, in a process group with the browser it starts.
#[derive(Debug)]
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        // The session is over by now; what remains is asked, then made to end.
        let _ = process::stop(&mut self.0, Signal::TERM, Duration::from_secs(5));
    }
}

impl Browser {
    /// Opens a window of 1280 × 900.
    ///
    /// # Panics
    /// When chromium or chromedriver is missing or does not start.
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("cofferdam-web-").tempdir().expect("a folder");
        let path = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir(&path).expect("a folder");
            path
        };
        let (profile, downloads, temporary) = (path("profile"), path("downloads"), path("tmp"));
        let log = folder.path().join("chromedriver.log");
        let mut command = process::bound("chromedriver", AtParentsEnd::Terminate);
        command.arg("--port=0").process_group(0).stdin(Stdio::null());
        command.env("HOME", folder.path()).env("TMPDIR", temporary);
        command.stdout(fs::File::create(&log).expect("a log")).stderr(Stdio::null());
        let service = Service(process::spawn(command).expect("setpriv starts"));
        let port = wait_until("chromedriver's port", Duration::from_secs(20), || {
            let text = fs::read_to_string(&log).ok()?;
            let (_, rest) = text.split_once("started successfully on port ")?;
            rest.split_once('.')?.0.parse::<u16>().ok()
        });
        let capabilities = capabilities(&profile, &downloads).expect("capabilities");
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities)
            .await
            .expect("chromium starts");
        let browser = Self { driver, service, folder };
        browser.resize(1280, 900).await;
        browser
    }

    /// Sets the size of the page, in CSS pixels; 375 × 667 is a small phone.
    pub async fn resize(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// What the person prefers: dark or light, motion or none.
    pub async fn prefer(&self, dark: bool, reduced_motion: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let motion = if reduced_motion { "reduce" } else { "no-preference" };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": motion },
        ]});
        self.cdp("Emulation.setEmulatedMedia", features).await;
    }

    /// Switches scripts off, or on again, from the next page on.
    pub async fn scripts(&self, on: bool) {
        self.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": !on })).await;
    }

    /// Any command of the Chrome `DevTools` protocol.
    pub async fn cdp(&self, method: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(method, parameters).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Runs axe-core (WCAG 2.2 A and AA, and good practice) over the page as it is now.
    ///
    /// # Panics
    /// When it is not in `views/assets/node_modules` (npm ci), or fails.
    pub async fn axe(&self) -> Vec<Violation> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../views/assets/node_modules");
        let source =
            fs::read_to_string(root.join("axe-core/axe.min.js")).expect("axe-core is installed");
        // Through DevTools, because the page's own policy rightly refuses foreign scripts.
        let expression = format!(
            "{source};\naxe.run(document, {{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', \
             'wcag22aa', 'best-practice'] }}).then(found => JSON.stringify(found.violations))"
        );
        let parameters =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.cdp("Runtime.evaluate", parameters).await;
        let found = answer["result"]["value"].as_str();
        let found = found.unwrap_or_else(|| panic!("axe-core did not end: {answer}"));
        let found: Vec<Value> = serde_json::from_str(found).expect("axe-core answers in JSON");
        found.iter().map(Violation::read).collect()
    }

    /// What the page has told the console since this was last asked:
    /// errors, refused resources, broken policies.
    pub async fn messages(&self) -> Vec<String> {
        let handle = self.driver.handle();
        let url = format!("{}session/{}/se/log", handle.server_url(), handle.session_id());
        let answer = tokio::task::spawn_blocking(move || {
            let reply = ureq::post(&url).send_json(json!({ "type": "browser" }));
            reply.and_then(|mut reply| reply.body_mut().read_json::<Value>())
        });
        let answer = answer.await.expect("it ends").expect("chromedriver answers");
        let entries = answer["value"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|e| format!("{} {}", text(&e["level"]), text(&e["message"]))).collect()
    }

    /// Writes a picture of the window.
    pub async fn screenshot(&self, file: &Path) {
        self.driver.screenshot(file).await.expect("a picture");
    }

    /// Where downloads go, without a question.
    #[must_use]
    pub fn downloads(&self) -> PathBuf {
        self.folder.path().join("downloads")
    }

    /// Waits for a finished download, and returns it.
    pub fn downloaded(&self, limit: Duration) -> PathBuf {
        wait_until("a finished download", limit, || {
            let entries = fs::read_dir(self.downloads()).ok()?;
            // While it comes it is hidden, or named `.crdownload`, or both.
            let mut files = entries.filter_map(|entry| Some(entry.ok()?.path()));
            files.find(|file| {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                !name.starts_with('.') && !name.ends_with(".crdownload")
            })
        })
    }

    /// Closes it.
    pub async fn quit(self) {
        let Self { driver, service, folder } = self;
        driver.quit().await.expect("the browser closes");
        drop(service);
        drop(folder);
    }
}

impl Violation {
    fn read(value: &Value) -> Self {
        let nodes = value["nodes"].as_array().cloned().unwrap_or_default();
        Self {
            rule: text(&value["id"]),
            help: text(&value["help"]),
            elements: nodes.iter().map(|node| node["target"].to_string()).collect(),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn capabilities(
    profile: &Path,
    downloads: &Path,
) -> Result<thirtyfour::ChromeCapabilities, thirtyfour::error::WebDriverError> {
    let mut capabilities = DesiredCapabilities::chrome();
    for flag in [
        "--headless",
        // Chromium's sandbox needs what root and containers do not give it.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ] {
        capabilities.add_arg(flag)?;
    }
    capabilities.add_arg(&format!("--user-data-dir={}", profile.display()))?;
    let preferences = json!({
        "download.default_directory": downloads,
        "download.prompt_for_download": false,
        // The passwords of tests are in lists of leaked ones, and a warning would stand over the page.
        "credentials_enable_service": false,
        "profile.password_manager_leak_detection": false,
    });
    capabilities.add_experimental_option("prefs", preferences)?;
    capabilities.set("goog:loggingPrefs", json!({ "browser": "ALL" }))?;
    Ok(capabilities)
}
