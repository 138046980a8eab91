//! Rows that break a rule.

use std::fmt;

use serde::{Deserialize, Serialize};

/// In which way rows break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// Live rows of one resource overlap.
    Overlap,
    /// Rows have the same key.
    Duplicate,
    /// The row referred to does not exist.
    Orphan,
    /// A window lacks a finite bound, ends before it starts, or is empty.
    InvalidWindow,
    /// A check is not satisfied.
    InvalidRow,
}

/// The primary key of a row: its values as text, in the key's order.
///
/// Of a table without a primary key it holds the row's place (`ctid`), which is good for looking at the row now and for
/// nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowKey(pub Vec<String>);

/// An example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sample {
    /// Whose row it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The row. Of a pair, the one with less right to stay; it does stay if the other has to leave for a third.
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
    /// Overlaps: pairs of rows. Otherwise rows, as in `leaving`.
    pub count: u64,
    /// How many rows would have to leave so that the rule holds.
    pub leaving: u64,
    /// The same by tenant, the worst first; empty if the guard names no tenant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<TenantFinding>,
    /// The first that were met, as many as were asked for.
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
pub(crate) struct Loser {
    pub(crate) key: RowKey,
    pub(crate) tenant: Option<String>,
    pub(crate) kind: FindingKind,
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overlap => "overlap",
            Self::Duplicate => "duplicate",
            Self::Orphan => "orphan",
            Self::InvalidWindow => "invalid window",
            Self::InvalidRow => "invalid row",
        })
    }
}

/// `(a, b)`, as PostgreSQL writes a row.
impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", self.0.join(", "))
    }
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
