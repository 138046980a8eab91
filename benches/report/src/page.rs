//! A page in the making: headings, words, tables, pictures.

use super::chart;
use anyhow::Result;
use serde_json::Value;
use std::{fmt::Write, fs, path::PathBuf};

/// `benches/`, with the page in it and the pictures in `plots/`.
#[derive(Debug)]
pub struct Page {
    folder: PathBuf,
    text: String,
}

impl Page {
    pub fn new(folder: PathBuf) -> Result<Self> {
        // Pictures of an earlier page may be of what this one does not show.
        let plots = folder.join("plots");
        if plots.exists() {
            fs::remove_dir_all(&plots)?;
        }
        fs::create_dir_all(plots)?;
        Ok(Self { folder, text: String::new() })
    }

    /// A heading starts with its `#`s; everything else is a paragraph.
    pub fn say(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push_str("\n\n");
    }

    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
        self.text.push_str(&line(&head));
        // Names to the left, figures to the right.
        let _ = writeln!(self.text, "|---|{}", "---:|".repeat(head.len() - 1));
        for row in rows {
            self.text.push_str(&line(row));
        }
        self.text.push('\n');
    }

    pub fn bars(&mut self, name: &str, title: &str, unit: &str, items: &[(String, f64)]) -> Result<()> {
        chart::bars(&self.folder.join(format!("plots/{name}.svg")), title, unit, items)?;
        self.say(&format!("![{title}](plots/{name}.svg)"));
        Ok(())
    }

    pub fn lines(
        &mut self,
        name: &str,
        title: &str,
        axes: [&str; 2],
        series: &[(String, Vec<(f64, f64)>)],
    ) -> Result<()> {
        chart::lines(&self.folder.join(format!("plots/{name}.svg")), title, axes, series)?;
        self.say(&format!("![{title}](plots/{name}.svg)"));
        Ok(())
    }

    pub fn write(self) -> Result<PathBuf> {
        let path = self.folder.join("RESULTS.md");
        fs::write(&path, self.text.trim_end().to_owned() + "\n")?;
        Ok(path)
    }
}

/// A number of a recorded row.
pub fn number(row: &Value, name: &str) -> Option<f64> {
    row[name].as_f64()
}

/// A text, or a number as text, of a recorded row.
pub fn text(row: &Value, name: &str) -> String {
    match &row[name] {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}
