//! What the catalog has under the name of an object, and how that differs from what should be there.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use crate::ops::object::{Ddl, ObjectKind, State};
use crate::ops::transaction::{PRINTED, Transaction};
use crate::ops::{DriverResult, Ident, OpsError, Pace, TableName, session};

/// A definition as the server prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    /// Of the constraint, or of the index where it is none.
    pub(crate) definition: String,
    /// Of the index that keeps the constraint.
    pub(crate) index: Option<String>,
}

/// What the catalog has under one name.
#[derive(Debug, Default)]
pub(crate) struct Found {
    constraint: Option<FoundConstraint>,
    relation: Option<FoundRelation>,
}

#[derive(Debug)]
struct FoundConstraint {
    /// `contype`: c, f, u, p, x …
    kind: char,
    definition: String,
    deferrable: bool,
    validated: bool,
    disabled: bool,
}

#[derive(Debug)]
struct FoundRelation {
    /// None unless it is an index of the table.
    index: Option<String>,
    unique: bool,
    valid: bool,
}

const CONSTRAINT: &str = "SELECT contype::text,
        regexp_replace(pg_get_constraintdef(c.oid), '( DEFERRABLE)?( INITIALLY DEFERRED)?( NOT VALID)?$', ''),
        condeferrable, convalidated,
        EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgconstraint = c.oid AND t.tgenabled NOT IN ('O', 'A'))
    FROM pg_constraint AS c WHERE c.conrelid = $1::int8::oid AND c.conname = $2 AND c.contype NOT IN ('n', 't')";

/// Of an index only what follows `ON table`, so that two tables can be compared.
const RELATION: &str = r#"SELECT
        CASE WHEN i.indrelid = t.oid THEN CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
            || regexp_replace(pg_get_indexdef(x.oid),
                '^CREATE (UNIQUE )?INDEX ("([^"]|"")+"|[^ ".(]+) ON (ONLY )?("([^"]|"")+"|[^ ".(]+)(\.("([^"]|"")+"|[^ ".(]+))? ',
                '') END,
        coalesce(i.indisunique, false),
        coalesce(i.indisvalid AND i.indisready AND i.indislive, true)
    FROM pg_class AS t JOIN pg_class AS x ON x.relnamespace = t.relnamespace AND x.relname = $2
    LEFT JOIN pg_index AS i ON i.indexrelid = x.oid
    WHERE t.oid = $1::int8::oid"#;

impl Found {
    /// What the catalog has now under a name of a table.
    pub(crate) async fn look_up(
        client: &mut Client,
        pace: &Pace,
        table: &TableName,
        name: &Ident,
    ) -> Result<Self, OpsError> {
        let tx = session::begin(client, pace.lock_timeout).await?;
        tx.batch_execute(PRINTED).await.driver()?;
        let sql = "SELECT c.oid::int8 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";
        let params = [(&table.schema.as_str() as _, Type::TEXT), (&table.name.as_str() as _, Type::TEXT)];
        let row = tx.query_typed_opt(sql, &params).await.driver()?;
        let missing = || OpsError::MissingTable { table: table.to_string() };
        let found = Self::read(&tx, row.ok_or_else(missing)?.get(0), name).await?;
        tx.rollback().await.driver()?;
        Ok(found)
    }

    /// Reads what `tx` sees; it prints as [`PRINTED`](crate::ops::transaction::PRINTED) says.
    pub(crate) async fn read(tx: &Transaction<'_>, table: i64, name: &Ident) -> Result<Self, OpsError> {
        let name = name.as_str();
        let params = [(&table as _, Type::INT8), (&name as _, Type::NAME)];
        let constraint = tx.query_typed_opt(CONSTRAINT, &params).await.driver()?;
        let relation = tx.query_typed_opt(RELATION, &params).await.driver()?;
        let constraint = constraint.map(|row| FoundConstraint::of(&row));
        Ok(Self { constraint, relation: relation.map(|row| FoundRelation::of(&row)) })
    }

    /// The definition as the server prints it; `None` if there is no object of that kind.
    pub(crate) fn printed(&self, kind: ObjectKind) -> Option<Printed> {
        let index = self.relation.as_ref().and_then(|relation| relation.index.clone());
        match &self.constraint {
            Some(constraint) if constraint.is(kind) => {
                Some(Printed { definition: constraint.definition.clone(), index })
            }
            None if !kind.is_constraint() => Some(Printed { definition: index?, index: None }),
            _ => None,
        }
    }

    /// Whether there is a constraint of that name, of whatever kind.
    pub(crate) const fn is_constraint(&self) -> bool {
        self.constraint.is_some()
    }

    /// Whether there is an index of the table of that name.
    pub(crate) fn is_index(&self) -> bool {
        self.relation.as_ref().is_some_and(|relation| relation.index.is_some())
    }

    /// Compares what is there with what should be.
    pub(crate) fn compare(&self, ddl: &Ddl, expected: &Printed) -> State {
        match (&self.constraint, &self.relation) {
            (Some(found), relation) if found.is(ddl.kind) => {
                let valid_index = relation.as_ref().is_none_or(|relation| relation.valid);
                found.compare(ddl.kind, &expected.definition, valid_index)
            }
            (Some(found), _) => State::NameTaken { by: found.kind_text().into() },
            (None, None) => State::Missing,
            // A check or a foreign key needs no relation, so another one may have the name.
            (None, Some(_)) if matches!(ddl.kind, ObjectKind::Check | ObjectKind::Reference) => {
                State::Missing
            }
            (None, Some(relation)) => relation.compare(ddl.kind, expected),
        }
    }
}

impl FoundConstraint {
    fn of(row: &Row) -> Self {
        let kind = row.get::<_, &str>(0).chars().next().unwrap_or(' ');
        let (definition, deferrable) = (row.get(1), row.get(2));
        Self { kind, definition, deferrable, validated: row.get(3), disabled: row.get(4) }
    }

    fn is(&self, kind: ObjectKind) -> bool {
        match kind {
            ObjectKind::Check => self.kind == 'c',
            ObjectKind::Reference => self.kind == 'f',
            ObjectKind::Unique => self.kind == 'u' || self.kind == 'p',
            ObjectKind::Exclusion => self.kind == 'x',
            _ => false,
        }
    }

    fn kind_text(&self) -> &'static str {
        match self.kind {
            'c' => "check",
            'f' => "foreign key",
            'u' | 'p' => "unique key",
            'x' => "exclusion",
            _ => "another constraint",
        }
    }

    fn compare(&self, kind: ObjectKind, expected: &str, valid_index: bool) -> State {
        let same = match kind {
            // A foreign key cannot be tried on a temporary table, so `expected` is not as the server prints it.
            ObjectKind::Reference => tokens(&self.definition) == tokens(expected),
            _ => self.definition == expected,
        };
        if !same {
            return State::Changed { expected: expected.to_owned(), found: self.definition.clone() };
        }
        match self {
            Self { deferrable: true, .. } => State::Deferrable,
            Self { disabled: true, .. } => State::Disabled,
            _ if !valid_index => State::InvalidIndex,
            Self { validated: false, .. } => State::NotValid,
            _ => State::Valid,
        }
    }
}

impl FoundRelation {
    fn of(row: &Row) -> Self {
        Self { index: row.get(0), unique: row.get(1), valid: row.get(2) }
    }

    /// Compares an index without a constraint: right for an index, half of a unique key, wrong for an exclusion.
    fn compare(&self, kind: ObjectKind, expected: &Printed) -> State {
        let Some(found) = &self.index else { return State::NameTaken { by: "another relation".into() } };
        let taken = State::NameTaken { by: if self.unique { "unique index" } else { "index" }.into() };
        match kind {
            ObjectKind::Exclusion => taken,
            // An invalid index is of no use, whatever it was to be.
            _ if !self.valid => State::InvalidIndex,
            ObjectKind::Unique if expected.index.as_ref() == Some(found) => State::IndexOnly,
            ObjectKind::Unique => taken,
            _ if *found == expected.definition => State::Valid,
            // A unique index keeps a promise: it is not replaced by an index for speed.
            ObjectKind::Index if self.unique => taken,
            _ => State::Changed { expected: expected.definition.clone(), found: found.clone() },
        }
    }
}

/// Words, names and punctuation; a name is the same with needless quotes and without, and spaces mean nothing.
fn tokens(sql: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '"' {
            let mut name = String::from("name ");
            while let Some(c) = rest.next() {
                match c {
                    '"' if rest.peek() == Some(&'"') => name.extend(rest.next()),
                    '"' => break,
                    c => name.push(c),
                }
            }
            tokens.push(name);
        } else if c.is_alphanumeric() || c == '_' {
            let mut name = format!("name {c}");
            while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
                name.push(c);
            }
            tokens.push(name);
        } else if !c.is_whitespace() {
            tokens.push(c.to_string());
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_spaces_make_no_difference_names_and_brackets_do() {
        let same = |a, b| tokens(a) == tokens(b);
        let ours = r#"FOREIGN KEY ("a", "Tisch ""1""") REFERENCES "app"."t" ("id", "Nr")"#;
        assert!(same(ours, r#"FOREIGN KEY (a, "Tisch ""1""") REFERENCES app.t(id, "Nr")"#));
        assert!(!same(ours, r#"FOREIGN KEY (a, "Tisch ""1""") REFERENCES app.t(id, nr)"#));
        assert!(!same(
            ours,
            r#"FOREIGN KEY (a, "Tisch ""1""") REFERENCES app.t(id, "Nr") ON DELETE CASCADE"#
        ));
        assert!(!same(r#"("(")"#, "(()"));
    }
}
