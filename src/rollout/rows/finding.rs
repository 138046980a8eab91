//! Rows that break a rule.

use std::fmt;

use serde::Serialize;

use crate::ops::{FindingKind, RowKey};

/// An example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sample {
    /// Whose row it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The row. Of a pair, the one that comes later in precedence; it stays if the other has to leave for a third row.
    pub row: RowKey,
    /// The row it overlaps, or repeats the key of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<RowKey>,
}

/// How one rule is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The rule, by the name of the constraint or index that would keep it.
    pub rule: String,
    /// In which way.
    pub kind: FindingKind,
    /// Of overlaps the pairs of rows, of other kinds the rows, as in `leaving`.
    pub count: u64,
    /// How many rows would have to leave so that the rule holds.
    pub leaving: u64,
    /// The same by tenant, the worst first; empty if the guard names no tenant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<TenantFinding>,
    /// The first examples, as many as were asked for.
    pub samples: Vec<Sample>,
}

/// A tenant's part of a [`Finding`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TenantFinding {
    /// The tenant, as text; none where the column is NULL.
    pub tenant: Option<String>,
    /// As [`Finding::count`].
    pub count: u64,
    /// As [`Finding::leaving`].
    pub leaving: u64,
}

/// A row that must leave so that a rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offender {
    pub(crate) key: RowKey,
    pub(crate) tenant: Option<String>,
    pub(crate) kind: FindingKind,
}

/// `7 overlaps of visits_table_window_excl, 5 rows would leave`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, kind, count, leaving, .. } = self;
        let s = if *count == 1 { "" } else { "s" };
        write!(f, "{count} {kind}{s} of {rule}")?;
        if *kind == FindingKind::Overlap { write!(f, ", {leaving} rows would leave") } else { Ok(()) }
    }
}
