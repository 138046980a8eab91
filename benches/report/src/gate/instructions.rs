//! Guards the instructions: no write may cost the server over three parts in a hundred more than is written down.
//!
//! They repeat to within two. On another build of PostgreSQL the same work takes another number, so there what is compared
//! is each write over the bare insert of the same run.

use crate::{
    measured::Measured,
    page::{number, text},
};
use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use std::{fs, path::Path};

const ALLOWED: f64 = 1.03;

pub fn run(renew: bool) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../instructions.json");
    super::bench("instructions", &[], &[])?;
    let (server, counts) = counted()?;
    if renew {
        let table = json!({ "server": server, "instructions": counts });
        return Ok(fs::write(&file, serde_json::to_string_pretty(&table)? + "\n")?);
    }
    let known: Value =
        serde_json::from_str(&fs::read_to_string(&file).context("reading benches/instructions.json")?)?;
    let before = known["instructions"].as_object().context("a table of instructions")?;
    let same_server = text(&known, "server") == server;
    let cost = |table: &Map<String, Value>, id: &str| -> Result<f64> {
        let count =
            |id: &str| table.get(id).and_then(Value::as_f64).with_context(|| format!("no figure for {id}"));
        Ok(if same_server { count(id)? } else { count(id)? / count("bare_insert")? })
    };
    let mut dearer = Vec::new();
    for id in counts.keys() {
        let change = cost(&counts, id)? / cost(before, id)?;
        println!("gate: {id} {:+.1} % {}", (change - 1.0) * 100.0, unit(same_server));
        if change > ALLOWED {
            dearer.push(id.as_str());
        }
    }
    ensure!(
        dearer.is_empty(),
        "over {ALLOWED} times the instructions written down: {}; if that is meant, `cargo run -p report -- gate --renew`",
        dearer.join(", ")
    );
    Ok(())
}

const fn unit(same_server: bool) -> &'static str {
    if same_server { "instructions" } else { "instructions over a bare insert's (another server)" }
}

/// The server, and the instructions by write.
fn counted() -> Result<(String, Map<String, Value>)> {
    let measured = Measured::read()?;
    let recorded = measured.recorded("instructions").context("nothing was counted")?;
    let count = |row: &Value| {
        let id = text(row, "id");
        let count = number(row, "instructions").with_context(|| format!("{id} was not counted"))?;
        Ok((id, json!(count)))
    };
    Ok((recorded.server.clone(), recorded.rows.iter().map(count).collect::<Result<_>>()?))
}
