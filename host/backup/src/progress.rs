//! Percent, rate and time left, from what the run knows at each moment.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use cofferdam_model::{Format, Phase, Progress};

use crate::engine::Survey;

/// Rates are taken over this long.
const WINDOW: Duration = Duration::from_secs(5);
/// Within a table whose length was guessed too short, this much is never passed.
const NEARLY: f64 = 0.98;

/// What is known at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) phase: Phase,
    /// The table that streams by, by either of its names.
    pub(crate) table: Option<String>,
    /// Its bytes so far, where they are counted.
    pub(crate) table_bytes: Option<u64>,
    pub(crate) tables_done: u64,
    pub(crate) raw_bytes: u64,
    pub(crate) written_bytes: u64,
    /// Of the check of a finished file: bytes through, of how many.
    pub(crate) checked: (u64, u64),
}

/// Turns samples into progress whose percent never falls.
#[derive(Debug)]
pub(crate) struct Estimator {
    /// Where each table stands in the dump's order.
    places: HashMap<String, usize>,
    /// Weight of all tables before each, and of all tables at the end.
    before: Vec<f64>,
    /// Weight of everything.
    whole: f64,
    /// Where in 0–100 the dump ends and its check begins.
    dump_ends: f64,
    /// The current table's place, and the raw bytes when it was first seen.
    current: Option<(usize, u64)>,
    percent: f64,
    window: VecDeque<(Instant, u64, f64)>,
    tables_total: Option<u64>,
    /// The dump's length, where the tables' own sizes are not known.
    expected_raw: Option<u64>,
}

impl Estimator {
    /// Before anything is known of the database.
    pub(crate) fn new(format: Format) -> Self {
        Self {
            places: HashMap::new(),
            before: vec![0.0],
            whole: 0.0,
            // An archive is read a second time to check it.
            dump_ends: if format == Format::Custom { 80.0 } else { 97.0 },
            current: None,
            percent: 0.0,
            window: VecDeque::new(),
            tables_total: None,
            expected_raw: None,
        }
    }

    /// Whether the tables are known.
    pub(crate) fn knows(&self) -> bool {
        self.tables_total.is_some()
    }

    /// Takes over the tables, in the dump's order, and their weights. A small
    /// table takes time too: each counts for a page more than it has.
    pub(crate) fn know(&mut self, survey: &Survey) {
        const PAGE: f64 = 8192.0;
        let mut sum = 0.0;
        self.before.clear();
        for (place, table) in survey.tables.iter().enumerate() {
            self.places.insert(table.name.clone(), place);
            self.places.entry(table.plain.clone()).or_insert(place);
            self.before.push(sum);
            sum += table.bytes as f64 + PAGE;
        }
        self.before.push(sum);
        self.whole = sum + survey.other_bytes as f64 + PAGE;
        self.tables_total = Some(survey.tables.len() as u64);
        self.expected_raw = survey.expected_raw;
    }

    /// The progress at this moment.
    pub(crate) fn advance(&mut self, sample: Sample, now: Instant) -> Progress {
        let fraction = self.fraction(&sample);
        let percent = match sample.phase {
            Phase::Waiting | Phase::Preparing => 0.0,
            Phase::Dumping => 1.0 + (self.dump_ends - 1.0) * fraction,
            Phase::Checking => {
                let (through, of) = sample.checked;
                let part = if of == 0 { 0.0 } else { (through as f64 / of as f64).min(1.0) };
                self.dump_ends + (98.0 - self.dump_ends) * part
            }
            Phase::Publishing => 99.0,
            Phase::Done => 100.0,
        };
        self.percent = self.percent.max(percent);
        let (bytes_per_second, percent_per_second) = self.rates(now, sample.raw_bytes);
        let left = (100.0 - self.percent) / percent_per_second;
        Progress {
            phase: sample.phase,
            table: sample.table,
            tables_done: sample.tables_done,
            tables_total: self.tables_total,
            raw_bytes: sample.raw_bytes,
            written_bytes: sample.written_bytes,
            bytes_per_second,
            percent: self.tables_total.map(|_| self.percent),
            seconds_left: seconds(left),
        }
    }

    /// How much of the dump is through, 0 to 1.
    fn fraction(&mut self, sample: &Sample) -> f64 {
        if let Some(expected) = self.expected_raw {
            return (sample.raw_bytes as f64 / expected.max(1) as f64).min(NEARLY);
        }
        if self.whole <= 0.0 {
            return 0.0;
        }
        let total = self.before.len() - 1;
        let place = sample.table.as_ref().and_then(|table| self.places.get(table)).copied();
        let place = match place {
            Some(place) => place,
            // All tables are through; large objects may follow.
            None if sample.tables_done >= total as u64 => total,
            None => return 0.0,
        };
        if self.current.is_none_or(|(current, _)| current != place) {
            self.current = Some((place, sample.raw_bytes));
        }
        let began = self.current.map_or(0, |(_, raw)| raw);
        let done = self.before[place];
        let end = self.before.get(place + 1).copied().unwrap_or(self.whole);
        // Text is longer or shorter than what the server stores; the tables
        // that are through say by how much.
        let ratio = if done > 1_000_000.0 { (began as f64 / done).max(0.01) } else { 1.0 };
        let expected = ((end - done) * ratio).max(1.0);
        let through = sample.table_bytes.unwrap_or(sample.raw_bytes.saturating_sub(began));
        let part = (through as f64 / expected).min(NEARLY);
        ((done + (end - done) * part) / self.whole).min(1.0)
    }

    /// Raw bytes and percent per second over the window.
    fn rates(&mut self, now: Instant, raw: u64) -> (u64, f64) {
        self.window.push_back((now, raw, self.percent));
        while self.window.len() > 2
            && self.window.get(1).is_some_and(|(at, _, _)| now.duration_since(*at) >= WINDOW)
        {
            self.window.pop_front();
        }
        let Some(&(at, raw_then, percent_then)) = self.window.front() else { return (0, 0.0) };
        let time = now.duration_since(at).as_secs_f64();
        if time < 0.2 {
            return (0, 0.0);
        }
        let bytes = raw.saturating_sub(raw_then) as f64 / time;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate of bytes fits"
        )]
        (bytes as u64, (self.percent - percent_then) / time)
    }
}

/// A time that is worth showing: known, and below a year.
fn seconds(left: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked"
    )]
    (left.is_finite() && (0.0..31_536_000.0).contains(&left)).then_some(left.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::TableSize;

    fn survey(sizes: &[u64]) -> Survey {
        let table = |(n, &bytes): (usize, &u64)| TableSize {
            name: format!("public.\"T{n}\""),
            plain: format!("public.T{n}"),
            bytes,
        };
        Survey { tables: sizes.iter().enumerate().map(table).collect(), ..Survey::default() }
    }

    fn at(table: Option<&str>, tables_done: u64, raw_bytes: u64) -> Sample {
        let table = table.map(str::to_owned);
        Sample { phase: Phase::Dumping, table, tables_done, raw_bytes, ..Sample::default() }
    }

    #[test]
    fn percent_is_weighted_by_size_and_never_falls() {
        let mut estimator = Estimator::new(Format::Plain);
        estimator.know(&survey(&[100 << 20, 800 << 20, 100 << 20]));
        let begin = Instant::now();
        let mut last = 0.0;
        for (second, (sample, least, most)) in [
            (at(None, 0, 1000), 0.0, 2.0),
            (at(Some("public.\"T0\""), 0, 1000), 0.5, 2.0),
            (at(Some("public.\"T1\""), 1, 100 << 20), 10.0, 12.0),
            (at(Some("public.T1"), 1, 500 << 20), 45.0, 52.0),
            // An unknown name, and an earlier one, do not turn it back.
            (at(Some("other"), 1, 500 << 20), 45.0, 52.0),
            (at(Some("public.T0"), 1, 500 << 20), 45.0, 52.0),
            (at(None, 3, 1000 << 20), 96.0, 98.0),
        ]
        .into_iter()
        .enumerate()
        {
            let now = begin + Duration::from_secs(second as u64);
            let percent = estimator.advance(sample, now).percent.expect("the tables are known");
            assert!((least..most).contains(&percent), "{percent} at {second}");
            assert!(percent >= last);
            last = percent;
        }
        let sample = Sample { phase: Phase::Publishing, ..Sample::default() };
        assert!(estimator.advance(sample, begin).percent.is_some_and(|p| p < 100.0));
    }

    #[test]
    fn rate_and_time_left_follow_the_last_seconds() {
        let mut estimator = Estimator::new(Format::Plain);
        estimator.know(&survey(&[1000 << 20]));
        let begin = Instant::now();
        let mut progress = Progress::default();
        for second in 0..=10 {
            let sample = at(Some("public.T0"), 0, second * (50 << 20));
            progress = estimator.advance(sample, begin + Duration::from_secs(second));
        }
        let rate = progress.bytes_per_second >> 20;
        assert!((45..=55).contains(&rate), "{rate}");
        let left = progress.seconds_left.expect("the rate is steady");
        assert!((8..=13).contains(&left), "{left}");
    }

    #[test]
    fn before_the_tables_are_known_there_is_no_percent() {
        let progress = Estimator::new(Format::Plain).advance(Sample::default(), Instant::now());
        assert_eq!((progress.percent, progress.seconds_left), (None, None));
    }
}
