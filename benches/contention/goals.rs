//! The project's goals, against what this run measured.

use crate::{row::Row, support::only_checking};

pub fn print(results: &[Row]) {
    if only_checking() {
        return;
    }
    for commit in ["on", "off"] {
        let rows: Vec<&Row> = results.iter().filter(|row| row.synchronous_commit == commit).collect();
        if !rows.is_empty() {
            println!("contention, synchronous_commit={commit}:");
            of(&rows);
        }
    }
}

fn of(rows: &[&Row]) {
    let find = |scenario, tasks, recipe| {
        let wanted = |row: &&&Row| (row.scenario, row.tasks, row.recipe) == (scenario, tasks, recipe);
        rows.iter().find(wanted)
    };
    let rate = |scenario, tasks, recipe| find(scenario, tasks, recipe).map(|row| row.decisions_per_s);
    for (scenario, tasks, other, goal) in [
        ("one_window", 8, "locked_look", "goal: at least 2.5"),
        ("one_window_over_link", 8, "locked_look", "goal: at least 2.5"),
        ("one_window", 32, "insert_catch", "goal: at least 10"),
        ("disjoint", 8, "bare_insert", "goal: at least 0.45"),
    ] {
        if let (Some(ours), Some(theirs)) = (rate(scenario, tasks, "library"), rate(scenario, tasks, other)) {
            println!(
                "  {:8.2}  library / {other}, decisions/s, {scenario}, {tasks} tasks ({goal})",
                ours / theirs
            );
        }
    }
    if let Some(row) = find("one_window", 32, "library") {
        let p99 = row.p99_us as f64 / 1_000.0;
        println!("  {p99:8.2}  ms, p99 of library, one_window, 32 tasks (goal: at most 25)");
    }
    let ours = rows.iter().filter(|row| row.recipe.starts_with("library"));
    let (deadlocks, decisions) = ours
        .fold((0, 0), |(deadlocks, decisions), row| (deadlocks + row.deadlocks, decisions + row.decisions));
    println!("  {deadlocks:8}  deadlocks in {decisions} decisions of the library (goal: 0)");
}
