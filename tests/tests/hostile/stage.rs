//! A console with a good plugin and a bad one, and what is left of a call.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use cofferdam_tests::{Api, Console, console::Builder, wait_until};
use serde_json::{Value, json};

use crate::rest::Rest;

pub const PATIENCE: Duration = Duration::from_secs(40);
/// So long after a sign-in the console still keeps the memory that hashing took.
const HASHING: Duration = Duration::from_secs(6);

/// A component that `cargo xtask setup` has built.
pub fn component(name: &str) -> Vec<u8> {
    fs::read(cofferdam_tests::component(name)).expect("the component")
}

/// The same component in other bytes: with a section that says nothing.
pub fn changed(component: &[u8]) -> Vec<u8> {
    [component, b"\x00\x05\x04note"].concat()
}

/// The console, its two plugins, and its destinations.
pub struct Stage {
    pub console: Console,
    pub api: Api,
    /// Where the good plugin puts its copies.
    pub shelf: PathBuf,
    /// What the bad one may write to.
    pub granted: PathBuf,
    made: usize,
    signed_in: Instant,
}

/// A console in which limits are reached within seconds.
pub fn short() -> Builder {
    Console::builder()
        .env("COFFERDAM_PLUGIN_CPU_SECONDS", "1")
        .env("COFFERDAM_PLUGIN_IDLE_SECONDS", "6")
        .env("COFFERDAM_PLUGIN_ANSWER_SECONDS", "2")
        .env("COFFERDAM_PLUGIN_MEMORY_MB", "64")
        // Whatever the console's environment asks for, its call stack is nobody's to read.
        .env("RUST_BACKTRACE", "1")
        // Measured is what the program holds, not what its allocator keeps for later.
        .env("MALLOC_ARENA_MAX", "2")
        .env("MALLOC_MMAP_THRESHOLD_", "65536")
        .env("MALLOC_TRIM_THRESHOLD_", "65536")
}

impl Stage {
    /// The bad plugin may do everything, and reach these hosts.
    pub fn new(hosts: &[String]) -> Self {
        Self::with(short(), hosts)
    }

    /// The same, in a console that is started like this.
    pub fn with(builder: Builder, hosts: &[String]) -> Self {
        let console = builder.start();
        let api = console.api();
        let signed_in = Instant::now();
        let at = |name: &str| {
            let folder = console.folder().join(name);
            fs::create_dir(&folder).expect("a folder");
            folder
        };
        let (shelf, granted) = (at("shelf"), at("granted"));
        let stage = Self { console, api, shelf, granted, made: 0, signed_in };
        stage.drop_in("misbehaving.wasm", &component("misbehaving"));
        let found = stage.plugin("misbehaving.wasm", "waiting");
        let path = format!("/api/v1/plugins/{}/approve", found["hash"].as_str().expect("a hash"));
        let grants = json!({ "hosts": hosts, "folder": stage.granted, "mail": true });
        stage.api.post(&path, &grants).expect(200);
        let wish = json!({
            "plugin": "local-retention", "name": "shelf", "grant": true,
            "settings": { "folder": stage.shelf, "keep": "everything" },
        });
        stage.api.post("/api/v1/destinations", &wish).expect(201);
        stage
    }

    /// Puts a file into the plugin folder at once.
    pub fn drop_in(&self, name: &str, bytes: &[u8]) {
        let draft = self.console.folder().join("draft");
        fs::write(&draft, bytes).expect("a file");
        fs::rename(&draft, self.console.data().join("plugins").join(name)).expect("the folder");
    }

    /// Waits until a file of the plugin folder stands like this.
    #[track_caller]
    pub fn plugin(&self, file: &str, state: &str) -> Value {
        wait_until(&format!("{file} to be {state}"), PATIENCE, || {
            let list = self.api.get("/api/v1/plugins").expect(200).json();
            let plugins = list["plugins"].as_array().expect("a list").iter();
            let mut own = plugins.filter(|it| it["file"] == file && it["bundled"] == false);
            own.find(|it| it["state"] == state).cloned()
        })
    }

    /// A destination of the bad plugin.
    pub fn destination(&mut self, settings: &Value) -> String {
        self.made += 1;
        let name = format!("bad-{}", self.made);
        let wish = json!({ "plugin": "misbehaving", "name": name, "settings": settings });
        self.api.post("/api/v1/destinations", &wish).expect(201);
        name
    }

    /// Makes a backup that goes there, and waits until its delivery has come
    /// to something. Gives the backup.
    #[track_caller]
    pub fn back_up_to(&self, destination: &str) -> Value {
        let wish = json!({ "database": "cofferdam", "destinations": [destination] });
        let made = self.api.post("/api/v1/backups", &wish).expect(202).json();
        let path = format!("/api/v1/backups/{}", made["id"].as_str().expect("an id"));
        wait_until("a delivery", PATIENCE, || {
            let backup = self.api.get(&path).expect(200).json();
            let status = backup["deliveries"][0]["status"].as_str().unwrap_or_default();
            ["completed", "failed", "retrying"].contains(&status).then_some(backup)
        })
    }

    /// Delivers a backup to the bad plugin. Gives the delivery, with its
    /// attempts and their logs.
    #[track_caller]
    pub fn suffer(&mut self, settings: &Value) -> Value {
        let destination = self.destination(settings);
        self.suffer_at(&destination)
    }

    /// The same, at a destination of it that is there.
    #[track_caller]
    pub fn suffer_at(&self, destination: &str) -> Value {
        let backup = self.back_up_to(destination);
        assert_eq!(backup["status"], "completed", "{backup}");
        let id = |it: &Value| it["id"].as_str().expect("an id").to_owned();
        let delivery = &backup["deliveries"][0];
        let path = format!("/api/v1/backups/{}/deliveries/{}", id(&backup), id(delivery));
        let detail = self.api.get(&path).expect(200).json();
        if delivery["status"] == "retrying" {
            self.api.post(&format!("{path}/cancel"), &json!({})).expect(202);
        }
        detail
    }

    /// The next delivery of the good plugin works.
    #[track_caller]
    pub fn the_good_one_works(&self) {
        let backup = self.back_up_to("shelf");
        let delivery = &backup["deliveries"][0];
        assert_eq!(delivery["status"], "completed", "{delivery}");
        let copy = self.shelf.join(delivery["location"].as_str().expect("a location"));
        let size = fs::metadata(&copy).expect("the copy").len();
        assert_eq!(Some(size), backup["size_bytes"].as_u64());
    }

    /// What the console holds once nothing runs any more.
    #[track_caller]
    pub fn rest(&self) -> Rest {
        std::thread::sleep(HASHING.saturating_sub(self.signed_in.elapsed()));
        Rest::of(&self.console, &self.api)
    }

    /// No call, no thread and nothing open is left of what happened since.
    #[track_caller]
    pub fn nothing_is_left(&self, before: Rest) {
        before.nothing_is_left(&self.console, &self.api);
    }

    /// Nothing is left of what happened since, no memory either.
    #[track_caller]
    pub fn is_as_before(&self, before: Rest) {
        before.is_as_before(self.rest());
    }

    /// Each of the harms with its outcome, as the administrator reads it. `*`
    /// stands for what is different each time. After each of them nothing is
    /// left and the good plugin works, and in the end the memory is back, too.
    #[track_caller]
    pub fn play(&mut self, table: &[(Value, &str, &str)]) {
        // Both plugins have run once: what is loaded for good is loaded.
        self.suffer(&json!({}));
        self.the_good_one_works();
        let before = self.rest();
        let mut wrong = String::new();
        for (settings, status, sentence) in table {
            let begun = Instant::now();
            let delivery = self.suffer(settings);
            let took = begun.elapsed();
            self.nothing_is_left(before);
            self.the_good_one_works();
            let text = if *status == "completed" { &delivery["note"] } else { &delivery["error"] };
            let told = text.as_str().unwrap_or_default();
            let shown: String = told.chars().take(300).collect();
            println!("{:5.1} s  {settings}: {} {shown}", took.as_secs_f64(), delivery["status"]);
            if delivery["status"] != *status || !fits(told, sentence) {
                let _ = writeln!(
                    wrong,
                    "{settings}\n  expected {status}: {sentence}\n  was      {}: {told}",
                    delivery["status"].as_str().unwrap_or_default(),
                );
            }
        }
        assert!(wrong.is_empty(), "\n{wrong}");
        self.is_as_before(before);
    }
}

/// Whether the text is the pattern, in which `*` stands for anything.
pub fn fits(text: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(text) = text.strip_prefix(first) else { return false };
    text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| fits(&text[at..], rest))
}
