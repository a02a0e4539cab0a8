//! Loads a component and prints how long each step takes:
//! `cargo run --release --example steps --example compile -p cofferdam-runtime -- FILE.wasm`
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use cofferdam_runtime::{Call, Compiler, Grants, Limits, Runtime, RuntimeSettings, Silent};

fn settings(cache: &Path) -> Result<RuntimeSettings, Box<dyn Error>> {
    let compiler = Compiler {
        program: std::env::current_exe()?.with_file_name("compile"),
        arguments: Vec::new(),
        time: Duration::from_mins(2),
        memory_bytes: 4 << 30,
    };
    let cache = cache.to_owned();
    Ok(RuntimeSettings { cache, compiler, limits: Limits::default(), roots: Vec::new() })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).map(PathBuf::from).ok_or("which component?")?;
    let component = bytes::Bytes::from(std::fs::read(&file)?);
    let folder = tempfile::tempdir()?;
    let cache = folder.path().join("cache");
    for what in ["compiled", "from the cache"] {
        let runtime = Runtime::new(settings(&cache)?)?;
        let start = Instant::now();
        let plugin = runtime.load(component.clone()).await?;
        println!("{what}: loaded in {:?}", start.elapsed());
        // A whole call: a store, an instance, the function, and its end.
        let mut times = Vec::new();
        for _ in 0..200 {
            let call = Call {
                settings: serde_json::json!({ "do": "nothing" }),
                grants: Grants::default(),
                limits: Limits::default(),
                observer: Arc::new(Silent),
                mailer: None,
            };
            times.push(plugin.check(call).await.usage.wall);
        }
        times.sort();
        println!("{what}: check, median of {}: {:?}", times.len(), times[times.len() / 2]);
    }
    Ok(())
}
