//! What is printed, and the exit status it means.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::{FOUND, Failure};

/// One report in both forms.
pub(crate) struct Outcome {
    text: String,
    json: Value,
    /// Whether there is something to be dealt with.
    found: bool,
}

impl Outcome {
    /// Of a report that can be read and serialised.
    pub(crate) fn of(report: &(impl Serialize + Display), found: bool) -> Result<Self, Failure> {
        let text = report.to_string();
        let text = if text.trim().is_empty() { "nothing to do".to_owned() } else { text };
        Self::new(text, report, found)
    }

    /// Of a text and the figures behind it.
    pub(crate) fn new(text: String, figures: &impl Serialize, found: bool) -> Result<Self, Failure> {
        let json = serde_json::to_value(figures).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self { text, json, found })
    }
}

/// Each on a line of its own.
pub(crate) fn lines(items: &[impl Display]) -> String {
    items.iter().map(|item| format!("{}\n", item.to_string().trim_end())).collect()
}

/// Prints a result; a closed pipe is not an error.
pub(crate) fn print(result: Result<Outcome, Failure>, as_json: bool) -> ExitCode {
    match result {
        Ok(outcome) => {
            let text = if as_json { format!("{:#}", outcome.json) } else { outcome.text };
            let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
            if outcome.found { ExitCode::from(FOUND) } else { ExitCode::SUCCESS }
        }
        Err(failure) => {
            if as_json {
                let _ = writeln!(std::io::stdout(), "{:#}", json!({"error": failure.to_string()}));
            }
            let _ = writeln!(std::io::stderr(), "slotkeeper: {failure}");
            ExitCode::FAILURE
        }
    }
}
