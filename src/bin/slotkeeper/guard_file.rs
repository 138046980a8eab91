//! A guard, as a file describes it.

use std::path::Path;

use serde::Deserialize;
use slotkeeper::rollout::{Guard, WindowColumns};

use crate::failure::Failure;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    schema: String,
    table: String,
    tenant: Option<String>,
    confirmed_at: Option<String>,
    created_at: Option<String>,
    live: Option<String>,
    shadow: Option<String>,
    #[serde(default)]
    no_overlap: Vec<NoOverlap>,
    #[serde(default)]
    unique: Vec<Key>,
    #[serde(default)]
    references: Vec<Reference>,
    #[serde(default)]
    checks: Vec<Check>,
    #[serde(default)]
    indexes: Vec<Key>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoOverlap {
    name: String,
    #[serde(default)]
    resource: Vec<String>,
    range: Option<String>,
    start: Option<String>,
    end: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    name: String,
    columns: Vec<String>,
    #[serde(default)]
    live_only: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    name: String,
    columns: Vec<String>,
    parent: (String, String),
    key: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    name: String,
    condition: String,
}

/// Reads it; what is wrong is named.
pub(crate) fn read(file: &Path) -> Result<Guard, Failure> {
    let wrong = |text: String| Failure::new(format!("{}: {text}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let description: Description = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    description.guard().map_err(wrong)
}

impl Description {
    fn guard(&self) -> Result<Guard, String> {
        let mut guard = Guard::on(&self.schema, &self.table);
        if let Some(column) = &self.tenant {
            guard = guard.tenant(column);
        }
        if let Some(column) = &self.confirmed_at {
            guard = guard.confirmed_at(column);
        }
        if let Some(column) = &self.created_at {
            guard = guard.created_at(column);
        }
        if let Some(condition) = &self.live {
            guard = guard.live(condition);
        }
        if let Some(column) = &self.shadow {
            guard = guard.shadow(column);
        }
        for rule in &self.no_overlap {
            guard = guard.no_overlap(&rule.name, &texts(&rule.resource), rule.window()?);
        }
        for rule in &self.unique {
            let columns = texts(&rule.columns);
            guard = if rule.live_only {
                guard.unique_live(&rule.name, &columns)
            } else {
                guard.unique(&rule.name, &columns)
            };
        }
        for rule in &self.references {
            let parent = (rule.parent.0.as_str(), rule.parent.1.as_str());
            guard = guard.reference(&rule.name, &texts(&rule.columns), parent, &texts(&rule.key));
        }
        for rule in &self.checks {
            guard = guard.check(&rule.name, &rule.condition);
        }
        for rule in &self.indexes {
            guard = guard.index(&rule.name, &texts(&rule.columns), rule.live_only);
        }
        guard.build().map_err(|error| error.to_string())
    }
}

impl NoOverlap {
    fn window(&self) -> Result<WindowColumns, String> {
        let window = match (&self.range, &self.start, &self.end) {
            (Some(column), None, None) => WindowColumns::range(column),
            (None, Some(start), Some(end)) => WindowColumns::bounds(start, end),
            _ => return Err(format!("rule {} needs either range, or start and end", self.name)),
        };
        window.map_err(|error| error.to_string())
    }
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}
