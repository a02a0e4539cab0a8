//! What a console holds: looked at before something bad, and afterwards.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use cofferdam_tests::{Api, Console, wait_until};

use crate::stage::PATIENCE;

/// What may stay of a component's code and of the console's own growth, in kB.
const SLACK: u64 = 10 << 10;
/// Connections of clients come and go by themselves: those that a test keeps
/// open between two requests, and those of a client that it has let go of. The
/// catalog opens another file where two read it at once for the first time.
const OTHERS: usize = 4;
/// Threads that nobody needs end after two seconds, on a busy machine later.
const SOON: Duration = Duration::from_secs(15);

/// What the console holds at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Rest {
    /// Its own memory: `RssAnon`.
    pub memory_kb: u64,
    /// Those of the plugins.
    pub threads: usize,
    /// Files, connections, and whatever else is open.
    pub descriptors: usize,
}

fn look(console: &Console) -> Rest {
    let own = PathBuf::from(format!("/proc/{}", console.pid()));
    let text = fs::read_to_string(own.join("status")).expect("the console runs");
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let word = line.and_then(|rest| rest.split_whitespace().next());
    let memory_kb = word.and_then(|word| word.parse().ok()).expect("a number");
    let threads = fs::read_dir(own.join("task")).expect("threads").flatten();
    let names = threads.filter_map(|it| fs::read_to_string(it.path().join("comm")).ok());
    let threads = names.filter(|name| name.starts_with("plugin")).count();
    let descriptors = fs::read_dir(own.join("fd")).expect("descriptors").count();
    Rest { memory_kb, threads, descriptors }
}

fn calls(api: &Api) -> u64 {
    let status = api.get("/api/v1/status").expect(200).json();
    status["plugin_calls"].as_u64().expect("a number")
}

impl Rest {
    /// What the console holds once nothing runs any more.
    #[track_caller]
    pub fn of(console: &Console, api: &Api) -> Self {
        wait_until("the end of all calls", PATIENCE, || (calls(api) == 0).then_some(()));
        // Threads that nobody needs end after two seconds.
        let mut least = look(console);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(2_500) {
            thread::sleep(Duration::from_millis(100));
            let now = look(console);
            least.threads = least.threads.min(now.threads);
            least.memory_kb = least.memory_kb.min(now.memory_kb);
            least.descriptors = least.descriptors.min(now.descriptors);
        }
        least
    }

    /// No call runs any more, none of its threads is there and nothing of it is
    /// open: what ends a little later is waited for. Memory is not looked at,
    /// because a single call is less than what comes and goes by itself.
    #[track_caller]
    pub fn nothing_is_left(self, console: &Console, api: &Api) {
        let begun = Instant::now();
        loop {
            let (calls, now) = (calls(api), look(console));
            let is_open = now.descriptors > self.descriptors + OTHERS;
            if calls == 0 && now.threads <= self.threads && !is_open {
                return;
            }
            assert!(
                begun.elapsed() < SOON,
                "{calls} calls run; before {self:?}, afterwards {now:?}: {:#?}",
                open(console)
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Nor does it take more memory than before.
    #[track_caller]
    pub fn is_as_before(self, now: Self) {
        println!("before {self:?}, afterwards {now:?}");
        assert!(now.memory_kb < self.memory_kb + SLACK, "before {self:?}, afterwards {now:?}");
        assert!(now.threads <= self.threads, "before {self:?}, afterwards {now:?}");
        let most = self.descriptors + OTHERS;
        assert!(now.descriptors <= most, "before {self:?}, afterwards {now:?}");
    }
}

/// What is open, for whoever looks for what was left.
fn open(console: &Console) -> Vec<PathBuf> {
    let all = fs::read_dir(format!("/proc/{}/fd", console.pid())).expect("descriptors");
    all.flatten().filter_map(|it| fs::read_link(it.path()).ok()).collect()
}
