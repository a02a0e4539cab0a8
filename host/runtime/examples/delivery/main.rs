//! Deliveries, one for each line of JSON on standard input, with what it took
//! as a line of JSON on standard output: the part of `cargo xtask bench
//! delivery` that needs this crate.
//!
//! - `{"do": "steps", "component": FILE}`: compiling, loading, calling.
//! - `{"do": "load", "component": FILE}`: what the next lines use.
//! - `{"do": "plugin", "file": FILE, "sha256": …, "name": …, "settings": {…}}`: `store`.
//! - `{"do": "native", "file": FILE, "url": …, "headers": {…}}`: PUT, without any component.

mod native;
mod plugin;

use std::{error::Error, io::BufRead as _};

use serde_json::Value;

type Failed = Box<dyn Error + Send + Sync>;

/// A text among the parameters.
fn text<'a>(from: &'a Value, name: &str) -> Result<&'a str, Failed> {
    from[name].as_str().ok_or_else(|| format!("{name} is missing").into())
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "that is what it is for")]
async fn main() -> Result<(), Failed> {
    let mut loaded = None;
    for line in std::io::stdin().lock().lines() {
        let wish: Value = serde_json::from_str(&line?)?;
        let told = match text(&wish, "do")? {
            "steps" => plugin::steps(text(&wish, "component")?).await?,
            "load" => {
                loaded = Some(plugin::Loaded::new(text(&wish, "component")?).await?);
                Value::Null
            }
            "plugin" => loaded.as_ref().ok_or("nothing is loaded")?.store(&wish).await?,
            "native" => native::put(&wish).await?,
            other => return Err(format!("there is no {other:?}").into()),
        };
        println!("{told}");
    }
    Ok(())
}
