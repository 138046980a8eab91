//! Which object of a schema a definition belongs to.

use std::error::Error as StdError;
use std::fmt;

use tokio_postgres::types::{FromSql, Type};

/// What kind of object it is, in the order of the catalog's query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CatalogKind {
    Column,
    Constraint,
    Index,
    Rule,
    Table,
    Trigger,
}

/// One object of the schema. Displayed, it is `column holds.during` or `table holds`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectId {
    pub(crate) kind: CatalogKind,
    pub(crate) table: String,
    /// Empty if the object is the table itself.
    pub(crate) name: String,
}

impl CatalogKind {
    const ALL: [Self; 6] =
        [Self::Column, Self::Constraint, Self::Index, Self::Rule, Self::Table, Self::Trigger];

    /// As `catalog.sql` calls it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Column => "column",
            Self::Constraint => "constraint",
            Self::Index => "index",
            Self::Rule => "rule",
            Self::Table => "table",
            Self::Trigger => "trigger",
        }
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl ObjectId {
    pub(crate) fn new(kind: CatalogKind, table: &str, name: &str) -> Self {
        Self { kind, table: table.to_owned(), name: name.to_owned() }
    }

    /// The object of another kind with the same name: the index of a constraint, the constraint of an index.
    pub(crate) fn as_kind(&self, kind: CatalogKind) -> Self {
        Self { kind, ..self.clone() }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = if self.name.is_empty() { "" } else { "." };
        write!(f, "{} {}{dot}{}", self.kind.as_str(), self.table, self.name)
    }
}

impl<'a> FromSql<'a> for CatalogKind {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        let word = <&str>::from_sql(ty, raw)?;
        Self::named(word).ok_or_else(|| format!("{word} is no kind of object").into())
    }

    fn accepts(ty: &Type) -> bool {
        <&str as FromSql>::accepts(ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_knows_the_same_kinds() {
        let query = include_str!("../catalog.sql");
        for kind in CatalogKind::ALL {
            let selected = format!("SELECT '{}', t.relname,", kind.as_str());
            assert_eq!(query.matches(&selected).count(), 1, "{kind:?}");
        }
        assert_eq!(query.matches("', t.relname,").count(), CatalogKind::ALL.len());
        assert!(CatalogKind::ALL.is_sorted_by_key(|kind| kind.as_str()), "drift is listed in this order");
    }
}
