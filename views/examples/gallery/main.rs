//! Writes every page in every state as HTML, with the assets beside it:
//!
//! ```sh
//! cargo run -p cofferdam-views --example gallery -- target/gallery
//! python3 -m http.server -d target/gallery
//! ```
//!
//! `/index.html` leads to all of them.

mod data;
mod outside;
mod states;

use std::{fs, path::Path};

use cofferdam_views::{assets::ASSETS, content_security_policy};

fn main() -> std::io::Result<()> {
    let target = std::env::args().nth(1).unwrap_or_else(|| "target/gallery".to_owned());
    let target = Path::new(&target);
    let assets = target.join("assets");
    fs::create_dir_all(&assets)?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    for asset in ASSETS {
        fs::copy(source.join(asset.path), assets.join(asset.name))?;
    }
    let mut index = String::from("<!doctype html><title>Gallery</title><ul>");
    for (name, page) in states::all() {
        fs::write(target.join(format!("{name}.html")), page.into_string())?;
        for part in ["<li><a href=\"", &name, ".html\">", &name, "</a>"] {
            index.push_str(part);
        }
    }
    fs::write(target.join("index.html"), index)?;
    // For whoever serves the folder with the policy of the console.
    fs::write(target.join("policy.txt"), content_security_policy(data::NONCE))
}
