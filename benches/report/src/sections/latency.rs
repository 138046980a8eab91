//! Round trips made visible: the same writes over a link that takes its time.

use crate::{
    cell::cell,
    measured::Measured,
    page::{Page, number, text},
};
use anyhow::Result;
use serde_json::Value;

pub fn section(page: &mut Page, measured: &Measured) -> Result<()> {
    page.say("## Over a slow link (`latency_link`)");
    let Some(recorded) = super::rows(page, measured, "latency_link") else { return Ok(()) };
    let mut writes: Vec<String> = Vec::new();
    let mut delays: Vec<String> = Vec::new();
    for row in &recorded.rows {
        for (seen, name) in [(&mut writes, "write"), (&mut delays, "each_way_ms")] {
            let value = text(row, name);
            if !seen.contains(&value) {
                seen.push(value);
            }
        }
    }
    page.say(
        "A proxy on the loopback interface holds everything back in each direction and counts round trips. Times are \
         medians in ms; in brackets over a bare INSERT through the same link.",
    );
    let heads: Vec<String> = delays.iter().map(|delay| format!("{delay} ms each way")).collect();
    let head: Vec<&str> =
        ["write", "round trips"].into_iter().chain(heads.iter().map(String::as_str)).collect();
    let line = |write: &String| {
        let of = || recorded.rows.iter().filter(|row| text(row, "write") == *write);
        let trips = of().next().map(|row| text(row, "round_trips")).unwrap_or_default();
        let time = |row: &Value| {
            let median = cell(number(row, "p50_us").map(|micros| micros / 1_000.0));
            format!("{median} ({} ×)", cell(number(row, "ratio_to_bare_insert")))
        };
        [format!("`{write}`"), trips].into_iter().chain(of().map(time)).collect()
    };
    page.table(&head, &writes.iter().map(line).collect::<Vec<_>>());
    Ok(())
}
