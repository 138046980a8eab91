//! What it costs to turn a driver error into what it means: no server, no query, only the mapper.
//!
//! A driver error cannot be made by hand, so each is provoked once on a real server before anything is timed. Two
//! numbers an error: nanoseconds, and how often the mapper asked for memory. `host_…` is a host's `ConstraintMap` from the
//! driver error on, everything else `Violation::from_error`.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a bench, not an interface"
)]

#[path = "violation_mapping/provoke.rs"]
mod provoke;
mod support;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use provoke::Provoked;
use serde_json::json;
use slotkeeper::{constraint_map::ConstraintMap, violation::Violation};
use std::{hint::black_box, time::Duration};
use support::{median_ns, only_checking, record};
use tokio::runtime::Runtime;
use tokio_postgres::Error;

/// What mapping one of the library's constraints may take.
const GOAL_NS: f64 = 150.0;

/// One thing that is timed; `true` if there was something to map.
type Mapper = Box<dyn Fn(&Error) -> bool>;

struct Case<'a> {
    id: &'static str,
    error: &'a Error,
    mapper: Mapper,
    /// Whether it has to work without asking for memory.
    lean: bool,
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let runtime = Runtime::new().expect("a runtime");
    let db = runtime.block_on(kit::database()).expect("a database");
    println!("violation_mapping: errors of {}", db.server().describe());
    let provoked = runtime.block_on(provoke::all(&db));
    let cases = cases(&provoked);
    let mut group = criterion.benchmark_group("violation_mapping");
    group.throughput(Throughput::Elements(1));
    for case in &cases {
        measure(&mut group, case);
    }
    group.finish();
    criterion.final_summary();
    report(&db, &cases);
}

fn cases(provoked: &[Provoked]) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for Provoked { id, error, known } in provoked {
        let known = *known;
        let reads = move |error: &Error| Violation::from_error(error).is_some_and(|v| v.known() == known);
        let nothing = |error: &Error| Violation::from_error(error).is_none();
        let transient = error.code().is_some_and(|code| !code.code().starts_with("23"));
        let read: Mapper = if transient { Box::new(nothing) } else { Box::new(reads) };
        let lean = transient || known.is_some();
        cases.push(Case { id, error, mapper: read, lean });
    }
    let hosts = provoked.iter().find(|provoked| provoked.id == "unknown").expect("a host's constraint");
    for (id, map) in [("host_exact", exact()), ("host_prefix", prefix())] {
        let mapper: Mapper = Box::new(move |error| {
            Violation::from_error(error).and_then(|violation| map.map_violation(&violation)) == Some("party")
        });
        cases.push(Case { id, error: &hosts.error, mapper, lean: false });
    }
    cases
}

/// As many rules as a host of some size has; the one that applies is the last.
fn others() -> slotkeeper::constraint_map::ConstraintMapBuilder<&'static str> {
    let names = (0..20).map(|n| format!("app_table_{}_key", char::from(b'a' + n)));
    names.fold(ConstraintMap::builder().in_schema("app"), |map, name| map.exact(name, |_| "other"))
}

fn exact() -> ConstraintMap<&'static str> {
    others().exact("visits_party_check", |_| "party").build().expect("rules")
}

fn prefix() -> ConstraintMap<&'static str> {
    others().prefix("visits_", |_| "party").build().expect("rules")
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, case: &Case<'_>) {
    assert!((case.mapper)(case.error), "{}: mapped to what it means", case.id);
    let asked = allocations(case);
    assert!(!case.lean || asked == 0, "{}: {asked} allocations on the known path", case.id);
    group.bench_function(case.id, |b| b.iter(|| black_box((case.mapper)(black_box(case.error)))));
}

fn allocations(case: &Case<'_>) -> u64 {
    allocation_counter::measure(|| {
        black_box((case.mapper)(black_box(case.error)));
    })
    .count_total
}

fn report(db: &kit::Database, cases: &[Case<'_>]) {
    if only_checking() {
        return;
    }
    let mut results = Vec::new();
    println!(
        "{:<24} {:>8} {:>12}  goal for the library's own: {GOAL_NS} ns, 0",
        "error", "ns", "allocations"
    );
    for case in cases {
        let Some(ns) = median_ns("violation_mapping", case.id) else { continue };
        let asked = allocations(case);
        let met = if !case.lean || ns <= GOAL_NS { "" } else { "  missed" };
        println!("{:<24} {ns:>8.1} {asked:>12}{met}", case.id);
        results.push(json!({"error": case.id, "ns": ns, "allocations": asked, "has_goal": case.lean}));
    }
    record("violation_mapping", db, &results);
}
