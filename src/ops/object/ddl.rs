//! One constraint or index, as SQL.

use serde::Serialize;

use crate::ops::{Ident, TableName};

/// One constraint or index of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ddl {
    pub(crate) table: TableName,
    pub(crate) name: Ident,
    pub(crate) kind: ObjectKind,
    /// Of a constraint, what follows `ADD CONSTRAINT name`; of an index, what follows `ON table`.
    pub(crate) definition: String,
}

/// What kind of object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ObjectKind {
    /// `CHECK`
    Check,
    /// `FOREIGN KEY`
    Reference,
    /// `UNIQUE` or `PRIMARY KEY`
    Unique,
    /// A unique index that is no constraint, because it has a condition.
    UniqueIndex,
    /// An index for speed.
    Index,
    /// `EXCLUDE`
    Exclusion,
    /// A column, such as the one that marks quarantined rows.
    Column,
    /// A setting of the server, a database or a role.
    Setting,
}

impl ObjectKind {
    /// Whether it stands in `pg_constraint`.
    pub(crate) const fn is_constraint(self) -> bool {
        matches!(self, Self::Check | Self::Reference | Self::Unique | Self::Exclusion)
    }

    /// As it is called in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Reference => "foreign key",
            Self::Unique => "unique key",
            Self::UniqueIndex => "unique index",
            Self::Index => "index",
            Self::Exclusion => "exclusion",
            Self::Column => "column",
            Self::Setting => "setting",
        }
    }
}

impl Ddl {
    /// `ALTER TABLE … ADD CONSTRAINT name …`
    pub(crate) fn add(&self, name: &Ident) -> String {
        format!("ALTER TABLE {} ADD CONSTRAINT {} {}", self.table.quoted(), name.quoted(), self.definition)
    }

    /// `CREATE [UNIQUE] INDEX [CONCURRENTLY] name ON …`; of a key, the index that will keep it.
    pub(crate) fn create_index(&self, name: &Ident, how: &str) -> String {
        let unique = if self.kind == ObjectKind::Index { "" } else { "UNIQUE " };
        let (_, columns) = self.key();
        format!("CREATE {unique}INDEX {how}{} ON {} {columns}", name.quoted(), self.table.quoted())
    }

    /// `ALTER TABLE … ADD CONSTRAINT name UNIQUE USING INDEX …`
    pub(crate) fn attach(&self, index: &Ident) -> String {
        let (word, _) = self.key();
        let (table, name, index) = (self.table.quoted(), self.name.quoted(), index.quoted());
        format!("ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {index}")
    }

    /// The table a foreign key refers to, as it stands in the definition.
    pub(crate) fn parent(&self) -> Option<&str> {
        if self.kind != ObjectKind::Reference {
            return None;
        }
        let mut quoted = false;
        let mut outside = self.definition.char_indices().filter(|(_, c)| {
            quoted ^= *c == '"';
            !quoted
        });
        // The second bracket outside of quotes that is opened; the first is around the columns that refer.
        let (end, _) = outside.by_ref().filter(|(_, c)| *c == '(').nth(1)?;
        let (start, _) = self.definition[..end]
            .char_indices()
            .filter(|(_, c)| *c == ')')
            .find(|(at, _)| self.definition[..*at].matches('"').count() % 2 == 0)?;
        self.definition[start + 1..end].trim().strip_prefix("REFERENCES").map(str::trim)
    }

    /// `UNIQUE (a, b)` in its two parts.
    fn key(&self) -> (&str, &str) {
        let split = |word| Some((word, self.definition.strip_prefix(word)?.trim_start()));
        split("UNIQUE").or_else(|| split("PRIMARY KEY")).unwrap_or(("", &self.definition))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn the_parent_of_a_foreign_key_is_found_whatever_its_name() {
        for (definition, parent) in [
            (
                r#"FOREIGN KEY ("a", "b)(") REFERENCES "app"."t (x) ""REFERENCES""" ("id")"#,
                r#""app"."t (x) ""REFERENCES""""#,
            ),
            ("FOREIGN KEY (a) REFERENCES slotkeeper.resources(tenant_id, id)", "slotkeeper.resources"),
        ] {
            let table = TableName::new("app", "c").unwrap();
            let (name, kind, definition) =
                (Ident::new("f").unwrap(), ObjectKind::Reference, definition.into());
            assert_eq!(Ddl { table, name, kind, definition }.parent(), Some(parent));
        }
    }
}
