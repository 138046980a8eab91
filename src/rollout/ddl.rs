//! What keeps a rule: one constraint or index, as SQL.

use serde::Serialize;

use super::ident::{self, Ident, TableName};
use super::table::TableInfo;
use super::{Guard, NoOverlap, Rule, WindowColumns};
use crate::migrate::MigrateError;

/// One constraint or index of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ddl {
    pub(crate) table: TableName,
    pub(crate) name: Ident,
    pub(crate) kind: ObjectKind,
    /// Of a constraint, what follows `ADD CONSTRAINT name`; of an index, what follows `ON table`.
    pub(crate) definition: String,
}

/// What kind of object keeps a rule.
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
    /// What keeps a rule.
    pub(crate) const fn of(rule: &Rule) -> Self {
        match rule {
            Rule::Check(_) => Self::Check,
            Rule::Reference(_) => Self::Reference,
            Rule::Unique(rule) if rule.live_only => Self::UniqueIndex,
            Rule::Unique(_) => Self::Unique,
            Rule::Index(_) => Self::Index,
            Rule::NoOverlap(_) => Self::Exclusion,
        }
    }

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
    /// The object that keeps a rule of a guard; the column types decide how a window is written.
    pub(crate) fn of(guard: &Guard, rule: &Rule, table: &TableInfo) -> Result<Self, MigrateError> {
        let definition = match rule {
            Rule::Check(rule) => format!("CHECK ({})", rule.expression),
            Rule::Reference(rule) => rule.definition(),
            Rule::Unique(rule) if rule.live_only => {
                format!("({}) WHERE ({})", ident::list(&rule.columns), guard.counted())
            }
            Rule::Unique(rule) => format!("UNIQUE ({})", ident::list(&rule.columns)),
            Rule::Index(rule) => index(guard, &rule.columns, rule.live_only),
            Rule::NoOverlap(rule) => exclusion(guard, rule, table, &guard.counted())?,
        };
        let (table, name) = (guard.table.clone(), rule.name().clone());
        Ok(Self { table, name, kind: ObjectKind::of(rule), definition })
    }

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

/// Quarantined rows are in it, too: it is for the host's queries, which do not know of any quarantine.
fn index(guard: &Guard, columns: &[Ident], live_only: bool) -> String {
    let columns = ident::list(columns);
    match &guard.live {
        Some(live) if live_only => format!("({columns}) WHERE ({live})"),
        _ => format!("({columns})"),
    }
}

/// The exclusion of a rule, for the rows that satisfy `condition`.
pub(crate) fn exclusion(
    guard: &Guard,
    rule: &NoOverlap,
    table: &TableInfo,
    condition: &str,
) -> Result<String, MigrateError> {
    let equal = |column: &Ident| format!("{} WITH =", column.quoted());
    let mut elements: Vec<String> = rule.resource.iter().map(equal).collect();
    elements.push(format!("{} WITH &&", window(&rule.window, table)?));
    // A resource that names its tenant already does not name it twice.
    elements.extend(guard.tenant.iter().filter(|tenant| !rule.resource.contains(tenant)).map(equal));
    Ok(format!("EXCLUDE USING gist ({}) WHERE ({condition})", elements.join(", ")))
}

/// The window as one range. Two bounds are made one by the constructor of their type.
pub(crate) fn window(columns: &WindowColumns, table: &TableInfo) -> Result<String, MigrateError> {
    let unsupported = |column: &Ident| MigrateError::UnsupportedType {
        table: table.name.to_string(),
        column: column.to_string(),
    };
    match columns {
        WindowColumns::Range(column) => {
            let ty = &table.expect_column(column)?.ty;
            if ty.ends_with("range") && !ty.ends_with("multirange") {
                Ok(column.quoted())
            } else {
                Err(unsupported(column))
            }
        }
        WindowColumns::Bounds { start, end } => {
            let constructor = |column: &Ident| match table.expect_column(column)?.ty.as_str() {
                "date" => Ok("daterange"),
                ty if !ty.starts_with("timestamp") => Err(unsupported(column)),
                ty if ty.ends_with("with time zone") => Ok("tstzrange"),
                ty if ty.ends_with("without time zone") => Ok("tsrange"),
                _ => Err(unsupported(column)),
            };
            let range = constructor(start)?;
            if constructor(end)? != range {
                return Err(unsupported(end));
            }
            Ok(format!("{range}({}, {})", start.quoted(), end.quoted()))
        }
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
