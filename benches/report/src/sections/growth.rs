//! Whether it stays as fast: with more rows, with a past, after a million changes.

use crate::{
    cell::cell,
    measured::{Measured, Recorded},
    page::{Page, number, text},
};
use anyhow::Result;
use serde_json::Value;
use std::collections::BTreeMap;

pub fn section(page: &mut Page, measured: &Measured) -> Result<()> {
    page.say("## As it grows (`growth`)");
    if let Some(recorded) = super::rows(page, measured, "growth") {
        times(page, recorded)?;
        sizes(page, recorded);
    }
    if let Some(recorded) = measured.recorded("churn") {
        churn(page, recorded);
    }
    Ok(())
}

fn of<'a>(recorded: &'a Recorded, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    recorded.rows.iter().filter(move |row| text(row, "kind") == kind)
}

fn times(page: &mut Page, recorded: &Recorded) -> Result<()> {
    page.say(
        "`over first` is the median over that of the smallest house, other things equal (aim at 10,000,000 rows over 10,000: \
         1.4). `control` is a trivial commit of the same moments; a ratio is bracketed where that moved by more than a fifth \
         as well, for then the machine did, or where it is most of the write, for then it hides the rest.",
    );
    let mut firsts: BTreeMap<(String, bool, bool), (f64, f64, f64)> = BTreeMap::new();
    let mut series: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let mut table = Vec::new();
    for row in of(recorded, "latency") {
        let (durable, past) = (row["durable"] == true, row["history_rows"] != 0);
        let median = number(row, "p50_us").unwrap_or_default();
        let control = number(row, "control_p50_us").unwrap_or_default();
        let live = number(row, "live_rows").unwrap_or_default();
        let kind = (text(row, "write"), durable, past);
        // A size as small as the first begins another run, which has its own first.
        if firsts.get(&kind).is_none_or(|first| live <= first.0) {
            firsts.insert(kind.clone(), (live, median, control));
        }
        let (_, first_median, first_control) = firsts[&kind];
        let name = format!("{}{}", text(row, "write"), if past { ", 90 % history" } else { "" });
        if !durable {
            series.entry(name).or_default().push((live, median));
        }
        let mut cells =
            vec![format!("`{}`", text(row, "write")), text(row, "live_rows"), text(row, "history_rows")];
        cells.push(if durable { "durable" } else { "async" }.to_owned());
        cells.push(over_first((median, control), (first_median, first_control)));
        cells.extend([Some(median), number(row, "p99_us"), Some(control)].map(cell));
        table.push(cells);
    }
    page.table(
        &["write", "live rows", "released rows", "commit", "over first", "p50 µs", "p99 µs", "control µs"],
        &table,
    );
    let series: Vec<_> = series.into_iter().filter(|one| one.1.len() > 1).collect();
    if !series.is_empty() {
        page.lines("growth", "Median of a write, asynchronous commit", ["live rows", "µs"], &series)?;
    }
    Ok(())
}

/// Median and control now, and of the first size.
fn over_first(now: (f64, f64), first: (f64, f64)) -> String {
    let ratio = cell(Some(now.0 / first.0));
    let moved = !(1.0 / 1.2..=1.2).contains(&(now.1 / first.1));
    let hidden = [now, first].iter().any(|(median, control)| *control > 0.8 * median);
    if moved || hidden { format!("({ratio})") } else { ratio }
}

fn sizes(page: &mut Page, recorded: &Recorded) {
    page.say("What `allocations` takes on disk, in MB:");
    let mut table: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut houses: Vec<String> = Vec::new();
    for row in of(recorded, "size") {
        let house = format!("{} + {}", text(row, "live_rows"), text(row, "history_rows"));
        if !houses.contains(&house) {
            houses.push(house.clone());
        }
        let megabytes = cell(number(row, "bytes").map(|bytes| bytes / 1_048_576.0));
        // The smallest house is measured in every run; of equals the first is as good as any.
        table.entry(text(row, "relation")).or_default().entry(house).or_insert(megabytes);
    }
    let head: Vec<&str> =
        std::iter::once("live + released rows").chain(houses.iter().map(String::as_str)).collect();
    let line = |(relation, sizes): (String, BTreeMap<String, String>)| {
        let sizes = houses.iter().map(|house| sizes.get(house).cloned().unwrap_or_default());
        std::iter::once(format!("`{relation}`")).chain(sizes).collect()
    };
    page.table(&head, &table.into_iter().map(line).collect::<Vec<_>>());
}

fn churn(page: &mut Page, recorded: &Recorded) {
    for row in of(recorded, "latency") {
        page.say(&format!(
            "**After {} cycles** of placing and giving up by {} callers, over and over the same {} windows, with autovacuum as \
             it comes: the median of a place in the last tenth was {} × that of the first.",
            text(row, "cycles"),
            text(row, "tasks"),
            text(row, "windows"),
            cell(number(row, "ratio"))
        ));
    }
    let line = |row: &Value| {
        let size = |name| cell(number(row, name).map(|bytes| bytes / 1_048_576.0));
        let mut cells = vec![format!("`{}`", text(row, "relation"))];
        cells.extend(["bytes_before", "bytes_after", "bytes_vacuumed", "bytes_rebuilt"].map(size));
        cells.push(cell(number(row, "bloat")));
        cells
    };
    let head = ["relation", "MB before", "after", "vacuumed", "rebuilt", "vacuumed / rebuilt"];
    page.table(&head, &of(recorded, "size").map(line).collect::<Vec<_>>());
}
