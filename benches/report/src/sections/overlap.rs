//! Which index answers "is this window free", and what it costs to keep.

use crate::{
    cell::cell,
    measured::Measured,
    page::{Page, number, text},
};
use anyhow::Result;
use serde_json::Value;
use std::collections::BTreeSet;

const CASES: [&str; 6] =
    ["free", "one_blocker", "many_blockers", "expired_10", "expired_1000", "range_listing"];

pub fn section(page: &mut Page, measured: &Measured) -> Result<()> {
    page.say("## The overlap check, index by index (`overlap_check`)");
    let Some(recorded) = super::rows(page, measured, "overlap_check") else { return Ok(()) };
    let sizes: BTreeSet<u64> = recorded.rows.iter().filter_map(|row| row["rows"].as_u64()).collect();
    for size in sizes {
        let rows: Vec<&Value> =
            recorded.rows.iter().filter(|row| row["rows"].as_u64() == Some(size)).collect();
        page.say(&format!("### {size} live rows"));
        cost(page, &rows);
        let items: Vec<_> =
            rows.iter().filter_map(|row| Some((text(row, "layout"), number(row, "probe_us")?))).collect();
        page.bars(
            &format!("overlap_check_{size}"),
            "Server time of one free probe",
            "µs, plan made before",
            &items,
        )?;
        page.say("What a client waits for, in µs (medians; one connection, prepared, over a local socket):");
        let mut table = Vec::new();
        for row in &rows {
            let layout = text(row, "layout");
            let median = |case: &&str| {
                cell(measured.median(&format!("overlap_check/{layout}/{size}/{case}")).map(|ns| ns / 1_000.0))
            };
            table.push([layout.clone()].into_iter().chain(CASES.iter().map(median)).collect());
        }
        page.table(&[&["layout"][..], &CASES[..]].concat(), &table);
    }
    Ok(())
}

fn cost(page: &mut Page, rows: &[&Value]) {
    let source = rows.iter().find(|row| text(row, "layout") == "source_gist4");
    let source = source.and_then(|row| number(row, "probe_us"));
    page.say(
        "The probe is one free window looked for inside one long statement, so that neither the client nor the start of a \
         statement is in it; blocks are those of one statement; cold means PostgreSQL's buffers empty and the operating \
         system's cache warm; inserts are single prepared ones without waiting for the disk.",
    );
    let names = [
        "probe_us",
        "execution_us",
        "hit_blocks",
        "cold_us",
        "insert_us",
        "index_mb",
        "build_s",
        "load_rows_per_s",
    ];
    let head = [
        "layout",
        "probe / source_gist4",
        "probe µs",
        "statement µs",
        "blocks",
        "cold µs",
        "insert µs",
        "index MB",
        "build s",
        "load rows/s",
    ];
    let line = |row: &&Value| {
        let ratio = number(row, "probe_us").zip(source).map(|(probe, source)| probe / source);
        let figures = names.iter().map(|name| cell(number(row, name)));
        [text(row, "layout"), cell(ratio)].into_iter().chain(figures).collect()
    };
    page.table(&head, &rows.iter().map(line).collect::<Vec<_>>());
}
