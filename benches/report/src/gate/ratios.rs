//! Guards the ratios: what each write costs against a bare insert may not grow by more than a quarter.
//!
//! Ratios taken by turns in one run carry from machine to machine far better than times, and without waiting for the disk
//! (`synchronous_commit = off`) they show the library's own cost. A busy moment can spoil a run, so one good run in three
//! is enough; a real regression spoils all three.

use crate::{
    measured::Measured,
    page::{number, text},
};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::{fs, path::Path};

const GROUP: &str = "writes_async_commit";
const IDS: [&str; 4] = ["place_1", "confirm_2", "book_1", "replay"];
const ALLOWED: f64 = 1.25;

/// Measures and compares; with `renew`, measures and writes down.
pub fn run(renew: bool) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gate.json");
    if renew {
        measure()?;
        fs::write(
            &file,
            serde_json::to_string_pretty(&Value::Object(ratios()?.into_iter().collect()))? + "\n",
        )?;
        return Ok(());
    }
    let known: Value =
        serde_json::from_str(&fs::read_to_string(&file).context("reading benches/gate.json")?)?;
    for attempt in 1..=3 {
        measure()?;
        let mut good = true;
        for (id, ratio) in ratios()? {
            let (ratio, known) = (
                ratio.as_f64().unwrap_or(f64::MAX),
                known[&id].as_f64().context("an id without a baseline")?,
            );
            let fine = ratio <= known * ALLOWED;
            println!(
                "gate: {id} {ratio:.2} x bare_insert, was {known:.2}{}",
                if fine { "" } else { ": too much" }
            );
            good &= fine;
        }
        if good {
            return Ok(());
        }
        println!("gate: attempt {attempt} of 3 failed");
    }
    bail!("a write costs over {ALLOWED} times what it did, against a bare insert of the same run");
}

/// By turns only: no benchmark of Criterion's has such a name.
fn measure() -> Result<()> {
    super::bench(
        "writes",
        &["^by turns only$"],
        &[("SLOTKEEPER_BENCH_ROWS", "20000"), ("SLOTKEEPER_BENCH_GROUPS", GROUP)],
    )
}

fn ratios() -> Result<Vec<(String, Value)>> {
    let measured = Measured::read()?;
    let rows = &measured.recorded("writes").context("nothing was measured")?.rows;
    let ratio = |id: &str| {
        let row = rows.iter().find(|row| text(row, "group") == GROUP && text(row, "id") == id);
        let ratio = row
            .and_then(|row| number(row, "over_bare_insert"))
            .with_context(|| format!("{id} was not measured"))?;
        Ok((id.to_owned(), json!((ratio * 100.0).round() / 100.0)))
    };
    IDS.into_iter().map(ratio).collect()
}
