//! One line of the results.

use crate::cell::{Cell, Tally};
use serde::Serialize;
use std::fmt;

#[derive(Serialize)]
pub struct Row {
    pub scenario: &'static str,
    pub recipe: &'static str,
    pub tasks: usize,
    /// That one round is about.
    pub windows: usize,
    pub synchronous_commit: &'static str,
    /// 0 where callers did not wait for each other.
    pub rounds: usize,
    pub decisions: usize,
    pub seconds: f64,
    pub decisions_per_s: f64,
    pub p50_us: u64,
    pub p95_us: u64,
    pub p99_us: u64,
    pub max_us: u64,
    pub won: usize,
    pub refused: usize,
    /// Told to come back later.
    pub busy: usize,
    /// Told of a deadlock.
    pub failed: usize,
    /// Broken by the server, by its own count.
    pub deadlocks: i64,
    /// Live rows that overlap an earlier one: double bookings.
    pub overlaps: i64,
}

impl Row {
    pub fn new(
        Cell { scenario, recipe, tasks }: Cell,
        synchronous_commit: &'static str,
        total: &Tally,
        deadlocks: i64,
        overlaps: i64,
    ) -> Self {
        let (decisions, seconds) = (total.decisions(), total.elapsed.as_secs_f64());
        let at = |quantile| total.micros.value_at_quantile(quantile);
        Self {
            scenario: scenario.name(),
            recipe: recipe.name(),
            tasks,
            windows: scenario.windows(tasks),
            synchronous_commit,
            rounds: if scenario.in_rounds() { total.rounds } else { 0 },
            decisions,
            seconds,
            decisions_per_s: decisions as f64 / seconds,
            p50_us: at(0.5),
            p95_us: at(0.95),
            p99_us: at(0.99),
            max_us: total.micros.max(),
            won: total.won,
            refused: total.refused,
            busy: total.busy,
            failed: total.failed,
            deadlocks,
            overlaps,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, recipe, tasks, decisions, .. } = self;
        write!(f, "{scenario:<20} {tasks:>5} {recipe:<17} {:>8.0}", self.decisions_per_s)?;
        for micros in [self.p50_us, self.p95_us, self.p99_us, self.max_us] {
            write!(f, " {:>9.1}", micros as f64 / 1_000.0)?;
        }
        let Self { won, busy, failed, deadlocks, overlaps, .. } = self;
        write!(f, " {decisions:>9} {won:>7} {busy:>5} {failed:>6} {deadlocks:>9} {overlaps:>8}")
    }
}

/// Times in ms, where the ids of the file are in µs.
pub fn head() {
    println!(
        "{:<20} {:>5} {:<17} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>5} {:>6} {:>9} {:>8}",
        "scenario",
        "tasks",
        "recipe",
        "per s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "decisions",
        "won",
        "busy",
        "failed",
        "deadlocks",
        "overlaps"
    );
}
