//! The rules of a guard.

use crate::ops::{Ident, InvalidIdent, TableName, ident};

/// One rule of a [`Guard`](crate::rollout::Guard). Its name is the name of the constraint or index that keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// Live rows of a resource do not overlap.
    NoOverlap(NoOverlap),
    /// No two rows, or no two live rows, share a key.
    Unique(Unique),
    /// The row referred to exists.
    Reference(Reference),
    /// Every row satisfies an expression.
    Check(Check),
    /// A plain index, for speed. It is built and verified like the other rules, and no row can break it.
    Index(Index),
}

/// `EXCLUDE USING gist (resource WITH =, window WITH &&, tenant WITH =) WHERE (live AND NOT shadow)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoOverlap {
    /// The constraint.
    pub name: Ident,
    /// What is booked; none if the whole tenant is.
    pub resource: Vec<Ident>,
    /// When it is booked.
    pub window: WindowColumns,
}

/// `UNIQUE (columns)`; over live rows only, a partial unique index.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unique {
    /// The constraint or index.
    pub name: Ident,
    /// The key, as the host wants it ordered. NULLs are distinct.
    pub columns: Vec<Ident>,
    /// Whether only live rows count.
    pub live_only: bool,
}

/// `FOREIGN KEY (columns) REFERENCES parent (parent_columns)`. A key with a NULL refers to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// The constraint.
    pub name: Ident,
    /// The columns that refer.
    pub columns: Vec<Ident>,
    /// The table referred to.
    pub parent: TableName,
    /// Its key.
    pub parent_columns: Vec<Ident>,
}

/// `CHECK (expression)`. As in the constraint, unknown (NULL) is satisfied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// The constraint.
    pub name: Ident,
    /// SQL over the table's columns, part of the host's code, never of its data.
    pub expression: String,
}

/// `CREATE INDEX name ON table (columns)`, over live rows only if so wished.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Index {
    /// The index.
    pub name: Ident,
    /// Its columns.
    pub columns: Vec<Ident>,
    /// Whether it holds only live rows.
    pub live_only: bool,
}

/// The column or columns that hold a window `[start, end)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowColumns {
    /// One column of a range type (`tstzrange`, `tsrange`, `daterange` …), whatever its bounds.
    Range(Ident),
    /// Two columns of one type: `timestamptz`, `timestamp` or `date`. The end is not part of the window.
    Bounds {
        /// The start.
        start: Ident,
        /// The end.
        end: Ident,
    },
}

impl Rule {
    /// The name of the constraint or index that keeps it.
    #[must_use]
    pub const fn name(&self) -> &Ident {
        match self {
            Self::NoOverlap(NoOverlap { name, .. })
            | Self::Unique(Unique { name, .. })
            | Self::Reference(Reference { name, .. })
            | Self::Check(Check { name, .. })
            | Self::Index(Index { name, .. }) => name,
        }
    }

    /// The columns the rule names itself; not those inside SQL expressions.
    pub(crate) fn columns(&self) -> Vec<&Ident> {
        match self {
            Self::NoOverlap(rule) => rule.resource.iter().chain(rule.window.columns()).collect(),
            Self::Unique(Unique { columns, .. })
            | Self::Reference(Reference { columns, .. })
            | Self::Index(Index { columns, .. }) => columns.iter().collect(),
            Self::Check(_) => Vec::new(),
        }
    }
}

impl WindowColumns {
    /// One column of a range type.
    ///
    /// # Errors
    /// [`InvalidIdent`] if it is not a valid name.
    pub fn range(column: &str) -> Result<Self, InvalidIdent> {
        Ok(Self::Range(Ident::new(column)?))
    }

    /// Two columns, the end exclusive.
    ///
    /// # Errors
    /// [`InvalidIdent`] if one is not a valid name.
    pub fn bounds(start: &str, end: &str) -> Result<Self, InvalidIdent> {
        Ok(Self::Bounds { start: Ident::new(start)?, end: Ident::new(end)? })
    }

    /// True of a window with both bounds, finite, and not empty; false, never unknown, of any other.
    pub(super) fn in_order(&self) -> String {
        match self {
            // `upper` and `lower` of an empty or unbounded range are NULL.
            Self::Range(column) => {
                let column = column.quoted();
                format!(
                    "coalesce(lower({column}) <= upper({column}) AND isfinite(lower({column})) \
                     AND isfinite(upper({column})), false)"
                )
            }
            Self::Bounds { start, end } => {
                let (start, end) = (start.quoted(), end.quoted());
                format!("coalesce({start} < {end} AND isfinite({start}) AND isfinite({end}), false)")
            }
        }
    }

    /// The column or both.
    pub(crate) fn columns(&self) -> Vec<&Ident> {
        match self {
            Self::Range(column) => vec![column],
            Self::Bounds { start, end } => vec![start, end],
        }
    }
}

impl Reference {
    /// As it stands after `ADD CONSTRAINT name`, and as the catalog prints it.
    pub(crate) fn definition(&self) -> String {
        let (columns, parent_columns) = (ident::list(&self.columns), ident::list(&self.parent_columns));
        format!("FOREIGN KEY ({columns}) REFERENCES {} ({parent_columns})", self.parent.quoted())
    }
}
