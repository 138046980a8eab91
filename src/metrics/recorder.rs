//! Through the facade: whoever installed a recorder gets it.

use crate::{constraint::Constraint, error::Error, sql::Sql, violation::Violation};
use metrics::{counter, describe_counter, describe_histogram, histogram};
use std::time::Instant;
use tokio_postgres::Row;

const DECISIONS: &str = "slotkeeper_decisions_total";
const VIOLATIONS: &str = "slotkeeper_violations_total";
const LOST_RACES: &str = "slotkeeper_lost_races_total";
const PASSES: &str = "slotkeeper_passes_total";
const DURATION: &str = "slotkeeper_write_duration_seconds";

/// Tells the recorder what each metric means. Call it once, after the recorder was installed.
pub fn describe_metrics() {
    describe_counter!(DECISIONS, "writes by their outcome");
    describe_counter!(VIOLATIONS, "refusals by the constraint behind them");
    describe_counter!(
        LOST_RACES,
        "statements followed by another because another call, or an expired hold, came first"
    );
    describe_counter!(PASSES, "statements sent to write");
    describe_histogram!(DURATION, metrics::Unit::Seconds, "how long a write took, repeats included");
}

/// One write, from the call to its answer. A call that is dropped on the way is not counted.
pub(crate) struct WriteMetrics {
    operation: &'static str,
    started: Instant,
}

impl WriteMetrics {
    pub(crate) fn start(sql: Sql) -> Self {
        Self { operation: sql.operation(), started: Instant::now() }
    }

    /// A statement is sent.
    pub(crate) fn pass(&self) {
        counter!(PASSES, "operation" => self.operation).increment(1);
    }

    /// It met a row its snapshot could not see, or one that another statement has to take over.
    pub(crate) fn lost_race(&self) {
        counter!(LOST_RACES, "operation" => self.operation).increment(1);
    }

    /// The server raised it.
    pub(crate) fn violation(violation: &Violation) {
        refused_by(violation.known().map_or("other", Constraint::name));
    }

    pub(crate) fn end(self, result: &Result<Row, Error>) {
        let outcome = match result {
            Ok(row) => outcome(row),
            Err(error) => error.code().to_owned(),
        };
        match outcome.as_str() {
            "conflict" => refused_by(Constraint::AllocationsResourceDuringExcl.name()),
            "key_reused" => refused_by(Constraint::ConfirmationsKeyKey.name()),
            _ => {}
        }
        counter!(DECISIONS, "operation" => self.operation, "outcome" => outcome).increment(1);
        histogram!(DURATION, "operation" => self.operation).record(self.started.elapsed());
    }
}

/// What a row says of itself: a recorded decision has its outcome in a column of its own.
fn outcome(row: &Row) -> String {
    let said: &str = row.get("outcome");
    let recorded =
        if said == "recorded" { row.try_get::<_, Option<&str>>("recorded").ok().flatten() } else { None };
    recorded.unwrap_or(said).to_owned()
}

fn refused_by(constraint: &'static str) {
    counter!(VIOLATIONS, "constraint" => constraint).increment(1);
}
