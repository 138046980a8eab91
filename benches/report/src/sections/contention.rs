use crate::{measured::Measured, page::Page};
use anyhow::Result;

pub fn section(page: &mut Page, measured: &Measured) -> Result<()> {
    let _ = (page, measured);
    Ok(())
}
