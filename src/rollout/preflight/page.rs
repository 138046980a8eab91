//! A preflight as a page to read.

use std::fmt;

use crate::ops::Extension;
use crate::rollout::preflight::report::{Preflight, TableFacts};
use crate::rollout::rows::{Finding, Sample};

/// How many tenants and examples of a finding are worth a line; the report itself has them all.
const LINES: usize = 5;

impl fmt::Display for Preflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = &self.server;
        let writes = match (server.standby, server.read_only) {
            (true, _) => "a standby",
            (_, true) => "read only",
            _ => "takes writes",
        };
        let extension = match server.extension {
            Extension::Installed => "is installed",
            Extension::Creatable => "can be created by this role",
            Extension::Available => "must be created by another role",
            Extension::Unavailable => "is not on the server",
        };
        writeln!(f, "server {} as {}: {writes}; btree_gist {extension}", server.version, server.role)?;
        for table in &self.tables {
            write!(f, "{table}")?;
        }
        for session in &self.sessions {
            writeln!(f, "session: {session}")?;
        }
        if !server.sees_sessions {
            writeln!(f, "session: transactions of other roles are not visible to this role")?;
        }
        for obstacle in &self.obstacles {
            writeln!(f, "obstacle: {obstacle}")?;
        }
        let verdict = match (self.blocks(), self.is_clean()) {
            (true, _) => "there are obstacles",
            (_, true) => "clean",
            _ => "rows break rules",
        };
        write!(f, "{verdict}, after {} ms", self.took_ms)
    }
}

impl fmt::Display for TableFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.exists {
            return writeln!(f, "table {}: does not exist", self.table);
        }
        let mib = self.bytes.div_ceil(1 << 20);
        match self.rows {
            Some(rows) => writeln!(f, "table {}: {rows} rows, {mib} MiB", self.table)?,
            None => writeln!(f, "table {}: {mib} MiB", self.table)?,
        }
        for finding in &self.findings {
            lines(f, finding)?;
        }
        for rule in &self.unchecked {
            writeln!(f, "  not checked: {rule}")?;
        }
        Ok(())
    }
}

fn lines(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    writeln!(f, "  {finding}")?;
    for tenant in finding.tenants.iter().take(LINES) {
        writeln!(f, "    tenant {}: {}", tenant.tenant.as_deref().unwrap_or("none"), tenant.count)?;
    }
    if finding.tenants.len() > LINES {
        writeln!(f, "    and {} more tenants", finding.tenants.len() - LINES)?;
    }
    for Sample { row, against, .. } in finding.samples.iter().take(LINES) {
        match against {
            Some(against) => writeln!(f, "    row {row} against {against}")?,
            None => writeln!(f, "    row {row}")?,
        }
    }
    Ok(())
}
