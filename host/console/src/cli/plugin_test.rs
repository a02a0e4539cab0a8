//! `cofferdam plugin test`: the author's look at a component of theirs.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail};
use cofferdam_runtime::Runtime;
use serde_json::{Value, json};

use super::{
    args::PluginTest,
    destination::{read_json, read_settings},
    output,
    problem::Problem,
};
use crate::{
    config::Config,
    plugins::runtime_settings,
    testkit::{self, Clause, Report, Verdict, Wishes},
};

/// Tries it out, and fails if a clause is broken.
pub async fn run(wish: PluginTest, config: &Config, as_json: bool) -> anyhow::Result<()> {
    let component =
        fs::read(&wish.file).with_context(|| format!("{} cannot be read", wish.file.display()))?;
    let bad_settings = match wish.bad_settings.as_deref().map(read_json).transpose()? {
        None => Vec::new(),
        Some(Value::Array(list)) => list,
        Some(one) => vec![one],
    };
    if bad_settings.iter().any(|it| !it.is_object()) {
        return Err(Problem::usage(
            "the bad settings are neither a JSON object nor a list of them",
        )
        .into());
    }
    let settings = wish
        .settings
        .as_deref()
        .map(|file| read_settings(Some(file), &[], serde_json::Map::new()))
        .transpose()?;
    let wishes = Wishes {
        component: component.into(),
        settings,
        bad_settings,
        hosts: wish.hosts,
        private: wish.private,
        folder: wish.folder,
        size: wish.size,
    };
    // Where the account has no cache, one that ends with this command.
    let temporary = tempfile::tempdir()?;
    let cache = cache().unwrap_or_else(|| temporary.path().join("cache"));
    let runtime = Runtime::new(runtime_settings(config, cache))?;
    let mut lost = Ok(());
    let mut tell = |clause: &Clause| {
        if !as_json && lost.is_ok() {
            lost = show(clause);
        }
    };
    let report = testkit::run(&runtime, wishes, &mut tell).await?;
    lost?;
    let broken = report.count(Verdict::Broken);
    if as_json {
        output::json(&json!({
            "plugin": report.plugin, "settings": report.settings, "clauses": report.clauses,
            "kept": report.count(Verdict::Kept), "broken": broken,
            "not_applicable": report.count(Verdict::NotApplicable),
        }))?;
    } else {
        output::line(&summary(&report))?;
    }
    match broken {
        0 => Ok(()),
        1 => bail!("a clause of the contract is broken"),
        count => bail!("{count} clauses of the contract are broken"),
    }
}

fn show(clause: &Clause) -> anyhow::Result<()> {
    // Under the first column, what belongs to another line is not taken for a verdict.
    let found = clause.found.replace('\n', &format!("\n{:29}", ""));
    output::line(&format!("{:6}  {:20} {found}", clause.verdict, clause.name))?;
    if clause.verdict == Verdict::Broken {
        output::line(&format!("{:29}the contract asks: {}", "", clause.asks))?;
    }
    Ok(())
}

fn summary(report: &Report) -> String {
    let what = match &report.plugin {
        Some(it) => format!("{} {} ({}): ", it.id, it.version, it.roles.join(", ")),
        None => String::new(),
    };
    let [kept, broken, rest] = [Verdict::Kept, Verdict::Broken, Verdict::NotApplicable]
        .map(|verdict| report.count(verdict));
    format!("{what}{kept} kept, {broken} broken, {rest} not applicable")
}

/// The account's own folder for what can be made again.
fn cache() -> Option<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let base = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    base.is_absolute().then(|| base.join("cofferdam/plugins"))
}

/// A size as it is typed: `1GiB`, `64 MiB`, `500kB`, `1000`.
pub fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => 0,
    };
    let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    size.filter(|size| *size > 0).ok_or_else(|| "write it as 64MiB or 1GiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_type_them() {
        for (text, size) in
            [("1GiB", 1 << 30), ("64 MiB", 64 << 20), ("500kB", 500_000), ("1000", 1_000)]
        {
            assert_eq!(bytes(text), Ok(size));
        }
        for text in ["", "0", "GiB", "1 XiB", "-1", "99999999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
