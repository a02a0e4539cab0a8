//! One run of a shell pipeline: time, processor time, size.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

/// One measured run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Seconds of processor time of all its processes (not the database server's).
    pub(crate) cpu: f64,
    /// Size of what it wrote.
    pub(crate) bytes: u64,
}

impl Measured {
    /// The middle one of several values; the mean of the middle two where their number is even.
    pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        match values.len() {
            0 => None,
            n if n % 2 == 1 => values.get(middle).copied(),
            _ => Some(f64::midpoint(values[middle - 1], values[middle])),
        }
    }
}

/// Runs a script in bash, whose `time` knows the processor time of a whole
/// pipeline. What `$OUT` names is removed before, and after it was measured.
pub(crate) fn run(script: &str, out: &Path, environment: &[(&str, String)]) -> Result<Measured> {
    remove(out)?;
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(format!("set -eo pipefail; TIMEFORMAT='%3R %3U %3S'; time {{ {script}; }}"));
    bash.envs(environment.iter().map(|(name, value)| (name, value))).env("OUT", out);
    let output = bash.stdin(Stdio::null()).stdout(Stdio::null()).output().context("bash")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script}: {told}");
    let times: Vec<f64> = told
        .lines()
        .last()
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [wall, user, system] = times[..] else { anyhow::bail!("bash told no times: {told}") };
    let measured = Measured { wall, cpu: user + system, bytes: size(out)? };
    remove(out)?;
    Ok(measured)
}

fn size(path: &Path) -> Result<u64> {
    if !path.exists() {
        return Ok(0);
    }
    if path.is_file() {
        return Ok(fs::metadata(path)?.len());
    }
    fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}

fn remove(path: &Path) -> Result<()> {
    if path.is_dir() {
        fs::remove_dir_all(path)?;
    } else if path.exists() {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_is_timed_and_a_failure_in_its_middle_is_one() {
        let out = std::env::temp_dir().join(format!("xtask-pipeline-{}", std::process::id()));
        let measured = run("sleep 0.1; echo hello | cat > $OUT", &out, &[]).expect("it runs");
        assert!(measured.wall >= 0.1 && measured.bytes == 6, "{measured:?}");
        assert!(!out.exists());
        assert!(run("false | cat > $OUT", &out, &[]).is_err());
    }

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(Measured::median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(Measured::median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(Measured::median([]), None);
    }
}
