//! What an audit found.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::migrate::audit::{SAMPLES, TENANTS};

/// What [`Migrator::audit`](crate::migrate::Migrator::audit) found: every check, those without a finding too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[must_use]
pub struct Audit {
    /// When it began, by the database's clock.
    pub at: DateTime<Utc>,
    /// How long it took.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub duration: Duration,
    /// The checks, in a fixed order.
    pub checks: Vec<AuditCheck>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditCheck {
    /// Its name: `allocation_overlap`, `rule.holds_expires_check`.
    pub name: String,
    /// How many rows it found.
    pub rows: u64,
    /// The tenants they belong to, those with most rows first; at most 100.
    pub tenants: Vec<AuditTenant>,
    /// Whether these rows only wait for somebody and are not damaged.
    pub waiting: bool,
    /// Rows were so damaged that the check could not be evaluated: the server's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// What a check found in one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditTenant {
    /// The tenant; `None` for what belongs to none.
    pub tenant: Option<String>,
    /// How many rows.
    pub rows: u64,
    /// The first ids, at most 5.
    pub samples: Vec<String>,
}

impl Audit {
    /// Whether no check found damage. Rows that only wait for repair are no damage.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damaged().next().is_none()
    }

    /// The checks that found damage.
    pub fn damaged(&self) -> impl Iterator<Item = &AuditCheck> {
        self.checks.iter().filter(|check| check.is_damage())
    }
}

impl AuditCheck {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rows: 0, tenants: Vec::new(), waiting: false, unreadable: None }
    }

    /// Whether it found damage.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        self.unreadable.is_some() || (self.rows > 0 && !self.waiting)
    }

    pub(super) fn add_tenant(&mut self, tenant: Option<String>, rows: u64, samples: Vec<String>) {
        self.rows += rows;
        if self.tenants.len() < TENANTS {
            self.tenants.push(AuditTenant { tenant, rows, samples });
        }
    }

    /// One more row, in no order.
    pub(super) fn add(&mut self, tenant: Option<String>, id: String) {
        match self.tenants.iter_mut().find(|known| known.tenant == tenant) {
            Some(known) => {
                self.rows += 1;
                known.rows += 1;
                if known.samples.len() < SAMPLES {
                    known.samples.push(id);
                }
            }
            None => self.add_tenant(tenant, 1, vec![id]),
        }
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let damaged = self.damaged().count();
        writeln!(f, "{} checks, {damaged} found damage", self.checks.len())?;
        let found = self.checks.iter().filter(|check| check.rows > 0 || check.is_damage());
        found.into_iter().try_for_each(|check| writeln!(f, "{check}"))
    }
}

impl fmt::Display for AuditCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sqlstate) = &self.unreadable {
            return write!(f, "{}: rows too damaged to be read (SQLSTATE {sqlstate})", self.name);
        }
        write!(f, "{}: {} rows{}", self.name, self.rows, if self.waiting { ", waiting" } else { "" })?;
        for found in &self.tenants {
            let tenant = found.tenant.as_deref().unwrap_or("no tenant");
            write!(f, "\n  {tenant}: {} rows, {}", found.rows, found.samples.join(" "))?;
        }
        Ok(())
    }
}
