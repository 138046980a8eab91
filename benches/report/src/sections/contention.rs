//! Many callers who want the same places.

use crate::{
    cell::cell,
    measured::Measured,
    page::{Page, number, text},
};
use anyhow::Result;
use serde_json::Value;

/// Scenario, what happens in it.
const SCENARIOS: [(&str, &str); 5] = [
    ("one_window", "Everybody wants the same fresh window of the same table, round after round."),
    ("one_window_over_link", "The same over a link with 0.5 ms each way: a server in another room."),
    ("eight_windows", "One window of each of eight tables, evenly: 8 callers do not meet, 32 meet in fours."),
    (
        "multi_random",
        "Everybody wants 4 of 8 tables for the same window, all or nothing, named in random order.",
    ),
    ("disjoint", "Everybody a table alone, and no waiting for each other: throughput without contention."),
];

/// Scenario, tasks, recipe to compare with, what the ratio should be.
const AIMS: [(&str, u64, &str, f64); 4] = [
    ("one_window", 8, "locked_look", 2.5),
    ("one_window_over_link", 8, "locked_look", 2.5),
    ("one_window", 32, "insert_catch", 10.0),
    ("disjoint", 8, "bare_insert", 0.45),
];

pub fn section(page: &mut Page, measured: &Measured) -> Result<()> {
    page.say("## Many callers (`contention`)");
    let Some(recorded) = super::rows(page, measured, "contention") else { return Ok(()) };
    page.say(
        "Decisions a second, wins and refusals alike, and how long one caller waits. `deadlocks` is the server's own count, \
         `overlaps` counts double bookings found afterwards without any index; `look_only` is the control that must show \
         some. The recipes written by hand keep no hold, name no blocker and take nothing over: they do less.",
    );
    for commit in ["on", "off"] {
        let rows: Vec<&Value> =
            recorded.rows.iter().filter(|row| text(row, "synchronous_commit") == commit).collect();
        if rows.is_empty() {
            continue;
        }
        page.say(&format!("### `synchronous_commit = {commit}`"));
        aims(page, &rows);
        for (scenario, what) in SCENARIOS {
            let rows: Vec<&Value> =
                rows.iter().copied().filter(|row| text(row, "scenario") == scenario).collect();
            if rows.is_empty() {
                continue;
            }
            page.say(&format!("**{scenario}.** {what}"));
            table(page, &rows);
            if scenario.starts_with("one_window") {
                let at_32 = rows.iter().filter(|row| row["tasks"] == 32);
                let items: Vec<_> = at_32
                    .filter_map(|row| Some((text(row, "recipe"), number(row, "decisions_per_s")?)))
                    .collect();
                let name = format!("contention_{scenario}_{commit}");
                page.bars(&name, &format!("32 callers, {scenario}"), "decisions a second", &items)?;
            }
        }
    }
    Ok(())
}

fn aims(page: &mut Page, rows: &[&Value]) {
    let rate = |scenario: &str, tasks: u64, recipe: &str| {
        let wanted = |row: &&&Value| {
            text(row, "scenario") == scenario && row["tasks"] == tasks && text(row, "recipe") == recipe
        };
        rows.iter().find(wanted).and_then(|row| number(row, "decisions_per_s"))
    };
    let line = |&(scenario, tasks, other, aim): &(&str, u64, &str, f64)| {
        let ratio = rate(scenario, tasks, "library").zip(rate(scenario, tasks, other));
        let what = format!("`library` over `{other}`, {scenario}, {tasks} callers");
        vec![what, cell(ratio.map(|(ours, theirs)| ours / theirs)), format!("≥ {aim}")]
    };
    page.table(&["decisions a second", "ratio", "aim"], &AIMS.iter().map(line).collect::<Vec<_>>());
    let ours = || rows.iter().filter(|row| text(row, "recipe").starts_with("library"));
    let sum = |name| ours().filter_map(|row| row[name].as_i64()).sum::<i64>();
    page.say(&format!("The library: {} deadlocks in {} decisions.", sum("deadlocks"), sum("decisions")));
}

fn table(page: &mut Page, rows: &[&Value]) {
    let head = [
        "recipe",
        "callers",
        "decisions/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "busy",
        "failed",
        "deadlocks",
        "overlaps",
    ];
    let line = |row: &&Value| {
        let time = |name| cell(number(row, name).map(|micros| micros / 1_000.0));
        let count = |name| text(row, name);
        let mut cells =
            vec![format!("`{}`", text(row, "recipe")), count("tasks"), cell(number(row, "decisions_per_s"))];
        cells.extend(["p50_us", "p95_us", "p99_us", "max_us"].map(time));
        cells.extend(["busy", "failed", "deadlocks", "overlaps"].map(count));
        cells
    };
    page.table(&head, &rows.iter().map(line).collect::<Vec<_>>());
}
