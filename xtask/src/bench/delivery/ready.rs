//! How long plugins take to be there: at a start, and when a file is dropped.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    bench::{console::Console, pipeline::Measured},
    binary,
};

/// Plugins in the folder.
const MANY: u8 = 20;

/// How often each is measured.
const ROUNDS: usize = 7;

/// How long compiling twenty components may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// Of starts, in seconds.
#[derive(Default)]
struct Times {
    listening: Vec<f64>,
    /// Until all plugins are loaded and listed.
    usable: Vec<f64>,
    cpu: Vec<f64>,
}

/// Measures and prints.
pub(super) fn bench(program: &Path, folder: &Path) -> Result<()> {
    // A small component, as most are.
    let component = fs::read(binary::target_folder()?.join("plugins/webhook.wasm"))?;
    let (few, many) = (folder.join("few"), folder.join("many"));
    for data in [&few, &many] {
        // Once for the master key, the catalog and the cache.
        let mut console = Console::start(program, data, &[])?;
        if data == &many {
            for number in 0..MANY {
                let name = format!("plugins/p{number:02}.wasm");
                fs::write(data.join(name), another(&component, number))?;
            }
        }
        loaded(&console, if data == &many { usize::from(MANY) } else { 0 })?;
        console.stop()?;
    }
    let (mut without, mut with) = (Times::default(), Times::default());
    for _ in 0..ROUNDS {
        for (data, count, times) in [(&few, 0, &mut without), (&many, usize::from(MANY), &mut with)]
        {
            let start = Instant::now();
            let mut console = Console::start(program, data, &[])?;
            times.listening.push(console.listening().duration_since(start).as_secs_f64());
            // Both have signed in by now, and ask for the same list.
            loaded(&console, count)?;
            times.usable.push(start.elapsed().as_secs_f64());
            times.cpu.push(console.cpu()?);
            console.stop()?;
        }
    }
    let median = |times: Vec<f64>| Measured::median(times).unwrap_or_default() * 1e3;
    for (what, times) in [("none but the program's own", without), ("20 more, cached", with)] {
        println!(
            "plugins: {what}: listens after {:.0} ms; all usable, after a sign-in, {:.0} ms; {:.0} ms of CPU",
            median(times.listening),
            median(times.usable),
            median(times.cpu)
        );
    }

    let mut console = Console::start(program, &few, &[])?;
    let mut times = Vec::new();
    for number in 0..u8::try_from(ROUNDS)? {
        let bytes = another(&component, 100 + number);
        let start = Instant::now();
        fs::write(few.join(format!("plugins/d{number}.wasm")), bytes)?;
        loaded(&console, usize::from(number) + 1)?;
        times.push(start.elapsed().as_secs_f64());
    }
    console.stop()?;
    println!("dropped into the folder of a running console to usable: {:.0} ms", median(times));
    Ok(())
}

/// Waits until so many plugins that are not the program's own are there.
fn loaded(console: &Console, count: usize) -> Result<()> {
    let start = Instant::now();
    loop {
        let list = console.client().get("/api/v1/plugins")?;
        let list = list["plugins"].as_array().context("a list of plugins")?;
        // One that the program carries has the same short name, so these are changed ones.
        let own = list.iter().filter(|it| it["bundled"] == false && it["state"] == "changed");
        if own.count() == count {
            return Ok(());
        }
        ensure!(start.elapsed() < PATIENCE, "the plugins are not there: {list:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Another component: the same code, and one more custom section.
fn another(component: &[u8], number: u8) -> Vec<u8> {
    let mut bytes = component.to_vec();
    // Section 0, three bytes long: a name of one letter, and one byte.
    bytes.extend([0, 3, 1, b'n', number]);
    bytes
}
