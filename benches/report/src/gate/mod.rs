//! Fails if a write has become dearer: in instructions, which hardly wobble, and in time against a bare insert.

mod instructions;
mod ratios;

use anyhow::{Result, ensure};
use std::{env, process::Command};

/// Measures and compares; with `renew`, measures and writes down.
pub fn run(renew: bool) -> Result<()> {
    instructions::run(renew)?;
    ratios::run(renew)
}

/// Runs one bench.
fn bench(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["bench", "--locked", "-p", "slotkeeper", "--bench", name, "--"])
        .args(arguments)
        .envs(variables.iter().copied())
        .status()?;
    ensure!(status.success(), "the bench {name} failed");
    Ok(())
}
