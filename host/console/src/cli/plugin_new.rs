//! `cofferdam plugin new`: a folder to begin with.

use std::{fs, path::Path};

use anyhow::Context as _;
use serde_json::json;

use super::{args::PluginNew, output, problem::Problem};
use crate::starter;

/// Writes it into a new folder with the plugin's name.
pub fn run(wish: &PluginNew, as_json: bool) -> anyhow::Result<()> {
    let folder = wish.name.to_string();
    let folder = Path::new(&folder);
    if let Err(error) = fs::create_dir(folder) {
        let text = format!("the folder {} cannot be made: {error}", folder.display());
        return Err(Problem::usage(&text).into());
    }
    let files = starter::files(&wish.name, wish.language, wish.role);
    for (path, content) in &files {
        let path = folder.join(path);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all);
        written
            .and_then(|()| fs::write(&path, content))
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    if as_json {
        let paths: Vec<_> = files.iter().map(|(path, _)| path).collect();
        return output::json(&json!({ "folder": folder, "files": paths }));
    }
    output::line(&format!(
        "{} is there. Its README.md says how to build it and to try it out.",
        folder.display()
    ))
}
