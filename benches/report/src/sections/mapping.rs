//! What naming an error costs.

use crate::{cell::cell, measured::Measured, page::Page};
use anyhow::Result;

pub fn section(page: &mut Page, measured: &Measured) -> Result<()> {
    page.say("## Naming a violation (`violation_mapping`)");
    let table: Vec<Vec<String>> = measured
        .medians("violation_mapping/")
        .map(|(id, nanoseconds)| vec![format!("`{id}`"), cell(Some(nanoseconds))])
        .collect();
    if table.is_empty() {
        page.say("Not measured: `cargo bench --bench violation_mapping`.");
        return Ok(());
    }
    page.say("From the driver's error to a constraint of ours or the host's; the bench also asserts which of them allocate nothing.");
    page.table(&["error", "ns (aim: 150)"], &table);
    Ok(())
}
