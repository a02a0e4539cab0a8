//! Rounds in, a table of medians and ratios out.

use super::pipeline::Measured;

/// All rounds of all rows, in the order they first came.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<(String, Vec<Measured>)>,
}

impl Table {
    /// Adds one round.
    pub(crate) fn add(&mut self, name: &str, measured: Measured) {
        match self.rows.iter_mut().find(|(known, _)| known == name) {
            Some((_, rounds)) => rounds.push(measured),
            None => self.rows.push((name.to_owned(), vec![measured])),
        }
    }

    fn wall(rounds: &[Measured]) -> f64 {
        Measured::median(rounds.iter().map(|round| round.wall)).unwrap_or_default()
    }

    /// Prints it, with every ratio to the named row.
    pub(crate) fn print(&self, base: &str) {
        let base = self.rows.iter().find(|(name, _)| name == base);
        let base = base.map_or(1.0, |(_, rounds)| Self::wall(rounds));
        println!(
            "| {:24} | {:>7} | {:>5} | {:>13} | {:>6} | {:>8} |",
            "", "wall s", "ratio", "from – to s", "CPU s", "file MB"
        );
        println!("|{:-<26}|{:->9}|{:->7}|{:->15}|{:->8}|{:->10}|", "", ":", ":", ":", ":", ":");
        for (name, rounds) in &self.rows {
            let wall = Self::wall(rounds);
            let cpu = Measured::median(rounds.iter().map(|round| round.cpu)).unwrap_or_default();
            let size =
                Measured::median(rounds.iter().map(|r| r.bytes as f64)).unwrap_or_default() / 1e6;
            let least = rounds.iter().map(|round| round.wall).fold(f64::INFINITY, f64::min);
            let most = rounds.iter().map(|round| round.wall).fold(0.0, f64::max);
            let size = if size > 0.0 { format!("{size:.1}") } else { "–".to_owned() };
            println!(
                "| {name:24} | {wall:7.2} | {:5.2} | {least:5.2} – {most:5.2} | {cpu:6.2} | {size:>8} |",
                wall / base
            );
        }
    }

    /// Prints it by speed, with every ratio to that of the named row.
    pub(crate) fn print_speed(&self, base: &str) {
        let speed = |rounds: &[Measured]| {
            let bytes = rounds.first().map_or(0, |round| round.bytes);
            bytes as f64 / 1e6 / Self::wall(rounds)
        };
        let base = self.rows.iter().find(|(name, _)| name == base);
        let base = base.map_or(1.0, |(_, rounds)| speed(rounds));
        println!(
            "| {:24} | {:>6} | {:>5} | {:>13} | {:>6} |",
            "", "MB/s", "ratio", "from – to s", "CPU s"
        );
        println!("|{:-<26}|{:->8}|{:->7}|{:->15}|{:->8}|", "", ":", ":", ":", ":");
        for (name, rounds) in &self.rows {
            let now = speed(rounds);
            let cpu = Measured::median(rounds.iter().map(|round| round.cpu)).unwrap_or_default();
            let least = rounds.iter().map(|round| round.wall).fold(f64::INFINITY, f64::min);
            let most = rounds.iter().map(|round| round.wall).fold(0.0, f64::max);
            println!(
                "| {name:24} | {now:6.0} | {:5.2} | {least:5.2} – {most:5.2} | {cpu:6.2} |",
                now / base
            );
        }
    }
}
