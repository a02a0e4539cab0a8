//! How much is measured, as it is typed.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// How much is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Size {
    /// In the unit of the bench.
    pub(super) megabytes: u64,
    pub(super) rounds: usize,
    /// Another build than this checkout's.
    pub(super) program: Option<PathBuf>,
}

impl Size {
    /// Reads `--size` in this unit, `--rounds N` and `--program FILE` over the
    /// bench's own size.
    pub(super) fn parse(mut self, unit: &str, options: &[String]) -> Result<Self> {
        let mut words = options.iter();
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} takes a value"))?;
            let number = || {
                let number = value.parse().ok().filter(|number| (1..=100_000).contains(number));
                number.with_context(|| format!("{word} takes a number from 1 to 100000"))
            };
            match word.as_str() {
                "--size" => self.megabytes = number()?,
                "--rounds" => self.rounds = usize::try_from(number()?)?,
                "--program" => self.program = Some(PathBuf::from(value).canonicalize()?),
                _ => bail!("the options are --size {unit}, --rounds N and --program FILE"),
            }
        }
        Ok(self)
    }
}
