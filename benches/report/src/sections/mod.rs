//! The page, section by section. A section whose bench was not run says so.

mod contention;
mod growth;
mod instructions;
mod latency;
mod mapping;
mod overlap;
mod writes;

use super::{
    measured::{Measured, Recorded},
    page::Page,
};
use anyhow::Result;
use std::collections::BTreeSet;

pub fn all(page: &mut Page, measured: &Measured) -> Result<()> {
    page.say("# What it costs");
    page.say(
        "Written by `cargo run -p report` from what `cargo bench` measured. **Read the ratios**: they compare figures of one \
         run on one machine. Times are of this machine alone: two cores shared by the client and the server.",
    );
    conditions(page, measured);
    overlap::section(page, measured)?;
    writes::section(page, measured)?;
    instructions::section(page, measured);
    contention::section(page, measured)?;
    latency::section(page, measured)?;
    growth::section(page, measured)?;
    mapping::section(page, measured)?;
    page.say(include_str!("../../tried.md"));
    Ok(())
}

fn conditions(page: &mut Page, measured: &Measured) {
    let benches = ["overlap_check", "writes", "instructions", "contention", "latency_link", "growth"];
    let told: BTreeSet<String> = benches
        .iter()
        .filter_map(|bench| measured.recorded(bench))
        .map(|Recorded { machine, server, .. }| format!("- {machine}; {server}"))
        .collect();
    page.say(&told.into_iter().collect::<Vec<_>>().join("\n"));
}

/// The rows of a bench, or a line that says there are none.
fn rows<'a>(page: &mut Page, measured: &'a Measured, bench: &str) -> Option<&'a Recorded> {
    let recorded = measured.recorded(bench);
    if recorded.is_none() {
        page.say(&format!("Not measured: `cargo bench --bench {bench}`."));
    }
    recorded
}
