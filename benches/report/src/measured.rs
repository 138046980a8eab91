//! What the benches left behind: Criterion's estimates, and the JSON of what Criterion cannot hold.

use anyhow::{Context, Result};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Everything measured so far; what was not is simply absent.
#[derive(Debug, Default)]
pub struct Measured {
    /// Medians in ns, by the id as Criterion prints it: `writes/place_1`.
    medians: BTreeMap<String, f64>,
    /// By bench.
    recorded: BTreeMap<String, Recorded>,
}

/// What one bench wrote itself.
#[derive(Debug, Default)]
pub struct Recorded {
    pub server: String,
    pub machine: String,
    pub rows: Vec<Value>,
}

impl Measured {
    /// Reads the target folder.
    pub fn read() -> Result<Self> {
        let mut measured = Self::default();
        let criterion = target().join("criterion");
        if criterion.exists() {
            measured.walk(&criterion)?;
        }
        // Several files of one bench are several runs of it, `growth.json` and `growth-large.json` say; in that order.
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in target().join("slotkeeper-bench").read_dir().into_iter().flatten() {
            files.push(entry?.path());
        }
        files.sort_by_key(|path| path.with_extension(""));
        for path in files {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let file = json(&path)?;
            let rows = file["results"].as_array().cloned().unwrap_or_default();
            let recorded = measured.recorded.entry(text(&file["bench"])).or_default();
            recorded.server = text(&file["server"]);
            recorded.machine = text(&file["machine"]);
            recorded.rows.extend(rows);
        }
        Ok(measured)
    }

    /// Criterion keeps the last run of each benchmark in a folder `new`; of an interrupted one, part of it.
    fn walk(&mut self, folder: &Path) -> Result<()> {
        for entry in folder.read_dir()? {
            let path = entry?.path();
            let whole = ["benchmark.json", "estimates.json"].iter().all(|file| path.join(file).exists());
            if path.ends_with("new") && whole {
                let id =
                    json(&path.join("benchmark.json"))?["full_id"].as_str().unwrap_or_default().to_owned();
                let median = json(&path.join("estimates.json"))?["median"]["point_estimate"].as_f64();
                self.medians.insert(id, median.context("an estimate without a median")?);
            } else if path.is_dir() {
                self.walk(&path)?;
            }
        }
        Ok(())
    }

    /// In ns.
    pub fn median(&self, id: &str) -> Option<f64> {
        self.medians.get(id).copied()
    }

    /// Ids with that prefix, without it, and their medians in ns.
    pub fn medians<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.medians.iter().filter_map(move |(id, median)| Some((id.strip_prefix(prefix)?, *median)))
    }

    pub fn recorded(&self, bench: &str) -> Option<&Recorded> {
        self.recorded.get(bench)
    }
}

/// Where cargo builds, and so where the benches leave their figures.
fn target() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from)
}

fn json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}
