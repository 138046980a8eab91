//! One privilege on one table.

use std::fmt;

use serde::Serialize;

/// What a statement does to a table, as the server checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Privilege {
    /// Reads columns.
    Select,
    /// Adds rows.
    Insert,
    /// Changes rows, or locks them.
    Update,
    /// Removes rows.
    Delete,
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        })
    }
}

/// A privilege that a role needs on a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Grant {
    /// The table, without the schema.
    pub table: String,
    /// The privilege.
    pub privilege: Privilege,
    /// On this column only: the rows are locked and never changed, for which the server asks the right to update any one
    /// column.
    pub column: Option<&'static str>,
}

impl Grant {
    /// As it stands in a `GRANT`: `UPDATE (rows)`.
    pub(crate) fn clause(&self) -> String {
        match self.column {
            Some(column) => format!("{} ({column})", self.privilege),
            None => self.privilege.to_string(),
        }
    }
}
