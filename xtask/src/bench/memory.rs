//! What a process uses, as the kernel tells it.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};

/// Looks at a process's memory fifty times a second, until it is dropped.
pub(crate) struct Memory {
    peak: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Memory {
    /// Begins to look.
    pub(crate) fn watch(pid: u32) -> Self {
        let (peak, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let watch = Self { peak: Arc::clone(&peak), stop: Arc::clone(&stop) };
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                if let Some(now) = rss_anon(pid) {
                    peak.fetch_max(now, Ordering::Relaxed);
                }
                thread::sleep(Duration::from_millis(20));
            }
        });
        watch
    }

    /// The highest `RssAnon` seen, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn rss_anon(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// Processor time of a process and of its children that have ended.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("/proc tells no times")?;
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(4).filter_map(|f| f.parse::<u64>().ok()).sum();
    // Linux has shown 100 ticks a second to programs for as long as it has had this file.
    Ok(ticks as f64 / 100.0)
}
