//! What Criterion cannot hold — percentiles of many callers, counts, sizes — as one JSON file a bench, for the report.

use serde_json::{Value, json};
use std::{fs, path::PathBuf};

/// Where benches leave what the report reads.
fn target() -> PathBuf {
    std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into()).into()
}

/// The median of this run as Criterion wrote it; `None` if it was not run or left nothing.
pub fn median_ns(group: &str, id: &str) -> Option<f64> {
    // Criterion keeps a parameter's folder; a slash within a plain name becomes an underscore.
    let folder = target().join("criterion").join(group);
    let file = |id: &str| folder.join(id).join("new/estimates.json");
    let text =
        fs::read_to_string(file(id)).or_else(|_| fs::read_to_string(file(&id.replace('/', "_")))).ok()?;
    serde_json::from_str::<Value>(&text).ok()?["median"]["point_estimate"].as_f64()
}

/// Writes `<target>/slotkeeper-bench/<bench>.json`. Figures without their conditions are worth nothing, so these go in.
pub fn record(bench: &str, db: &kit::Database, results: &[Value]) {
    let folder = target().join("slotkeeper-bench");
    fs::create_dir_all(&folder).expect("a folder for results");
    let text = serde_json::to_string_pretty(&json!({
        "bench": bench,
        "server": db.server().describe(),
        "machine": machine(),
        "results": results,
    }));
    fs::write(folder.join(format!("{bench}.json")), text.expect("plain JSON")).expect("results written");
}

/// Processor, its cores, memory: as Linux tells them.
fn machine() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned).unwrap_or_default();
        line.split_once(':').map_or("unknown", |(_, value)| value).trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kilobytes = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
    format!("{}, {cores} cores, {} GiB", field("/proc/cpuinfo", "model name"), kilobytes / 1_048_576)
}
