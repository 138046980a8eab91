//! A row of a table in use: its key, and in which way it breaks a rule.

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
