//! `cargo run -p report`: turns what the benches measured into `benches/RESULTS.md`.
//! `cargo run -p report -- gate`: fails if a write has become dearer; `-- gate --renew` writes the new ratios down.

#![forbid(unsafe_code)]

mod cell;
mod chart;
mod gate;
mod measured;
mod page;
mod sections;

use anyhow::{Result, bail};
use measured::Measured;
use page::Page;
use std::path::Path;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => report(),
        ["gate"] => gate::run(false),
        ["gate", "--renew"] => gate::run(true),
        _ => bail!("usage: report [gate [--renew]]"),
    }
}

fn report() -> Result<()> {
    let measured = Measured::read()?;
    let mut page = Page::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))?;
    sections::all(&mut page, &measured)?;
    println!("{}", page.write()?.display());
    Ok(())
}
