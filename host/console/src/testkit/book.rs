//! Where verdicts are written down.

use std::time::Instant;

use super::{
    report::{Clause, Fault, Finding},
    rules::Rule,
};

/// The verdicts so far, and who hears of them.
pub struct Book<'a> {
    tell: &'a mut dyn FnMut(&Clause),
    clauses: Vec<Clause>,
    since: Instant,
}

impl<'a> Book<'a> {
    /// An empty one.
    pub fn new(tell: &'a mut dyn FnMut(&Clause)) -> Self {
        Self { tell, clauses: Vec::new(), since: Instant::now() }
    }

    /// Writes down what was found since the last verdict.
    pub fn add(&mut self, rule: &Rule, finding: Finding) {
        let took_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let clause = Clause::new(rule, finding, took_ms);
        (self.tell)(&clause);
        self.clauses.push(clause);
        self.since = Instant::now();
    }

    /// Writes the same down for several clauses that cannot be tried.
    pub fn skip(&mut self, rules: &[&Rule], fault: &Fault) {
        for rule in rules {
            self.add(rule, Err(fault.clone()));
        }
    }

    /// All verdicts.
    pub fn clauses(self) -> Vec<Clause> {
        self.clauses
    }
}
