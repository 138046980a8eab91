//! What a violated constraint told us, with nothing of the data that violated it.
//!
//! PostgreSQL names the constraint in a field of its own, except where something stands in between:
//!
//! | the error comes from | constraint field | where the name is found |
//! |---|---|---|
//! | a table | its name | the field |
//! | a partition | the partition's own name | the field, then [`Violation::resolve_partition`] |
//! | a worker of a sharded engine | its name and `_` and digits | the field |
//! | the coordinator of a sharded engine | none | a *known* name among the identifiers of the message |
//! | a NOT NULL column | none | [`Violation::table`] and [`Violation::column`] |
//!
//! DETAIL is never read: it holds the keys of other parties. Words and quotes of the message are never read either:
//! they depend on the language of the server.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, GenericClient};

use crate::constraint::{Constraint, ConstraintKind};
use crate::schema::SchemaName;

/// A constraint said no.
///
/// `Display` and `Debug` show the kind and the SQLSTATE only, so a violation may be logged; the accessors give the
/// names. Values, keys and SQL are not in here at all.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    sqlstate: SqlState,
    kind: Option<ConstraintKind>,
    known: Option<Constraint>,
    schema: Option<Cow<'static, str>>,
    /// Only of constraints that are not the library's: those have static names, and reading them allocates nothing.
    names: Option<Box<Names>>,
}

#[derive(Clone, Default, PartialEq, Eq)]
struct Names {
    table: Option<String>,
    column: Option<String>,
    constraint: Option<String>,
}

impl Violation {
    /// Reads a driver error; `None` if it is not the violation of a constraint.
    #[must_use]
    pub fn from_error(error: &Error) -> Option<Self> {
        error.as_db_error().and_then(Self::from_db_error)
    }

    /// Reads a server error; `None` if it is not the violation of a constraint.
    ///
    /// Every SQLSTATE of class 23 is one. XX000 is one where a sharding coordinator relayed it under that code and
    /// the message has a known name; a plain internal error that mentions an index is not.
    #[must_use]
    pub fn from_db_error(error: &DbError) -> Option<Self> {
        Self::read(error, |_| false)
    }

    /// As [`Self::from_db_error`], with more names that may be looked for in a message.
    pub(crate) fn read(error: &DbError, declared: impl Fn(&str) -> bool) -> Option<Self> {
        let code = error.code().code();
        let relayed = code == "XX000" && error.routine().is_some_and(relays);
        if !relayed && !code.starts_with("23") {
            return None;
        }
        let kind = kind_of(code);
        let wanted = |name: &str| ours(name, kind).is_some() || declared(name);
        let name = match error.constraint() {
            Some(name) => Some(name),
            // These messages name a column and a table, never a constraint.
            None if kind == Some(ConstraintKind::NotNull) => None,
            None => named_in(error.message(), wanted),
        };
        if relayed && !name.is_some_and(wanted) {
            return None;
        }
        let known = name.and_then(|name| ours(name, kind));
        Some(Self {
            sqlstate: error.code().clone(),
            kind: kind.or(known.map(Constraint::kind)),
            known,
            schema: error.schema().map(|schema| match schema {
                "slotkeeper" => Cow::Borrowed("slotkeeper"),
                other => Cow::Owned(other.to_owned()),
            }),
            names: match known {
                Some(_) => None,
                None => Some(Box::new(Names {
                    table: error.table().map(str::to_owned),
                    column: error.column().map(str::to_owned),
                    constraint: name.map(str::to_owned),
                })),
            },
        })
    }

    /// What kind of constraint it was; `None` if the SQLSTATE does not say (23000 from a trigger, for instance).
    ///
    /// An overlap in a temporal primary key (`WITHOUT OVERLAPS`) is [`ConstraintKind::Exclusion`]. A foreign key is
    /// one kind in both directions: "parent missing" and "still referenced" mostly share code and name, so the
    /// caller has to know whether it inserted or deleted.
    #[must_use]
    pub fn kind(&self) -> Option<ConstraintKind> {
        self.kind
    }

    /// The code the server gave.
    #[must_use]
    pub fn sqlstate(&self) -> &SqlState {
        &self.sqlstate
    }

    /// The constraint, if its name and kind are those of one of the library's.
    #[must_use]
    pub fn known(&self) -> Option<Constraint> {
        self.known
    }

    /// As [`known`](Self::known), but `None` if the server says that it lies in another schema.
    #[must_use]
    pub fn known_in(&self, schema: &SchemaName) -> Option<Constraint> {
        self.known.filter(|_| self.schema().is_none_or(|reported| reported == schema.as_str()))
    }

    /// The schema of the table (of the type, for a domain), where the server told.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The table, where the server told. For a foreign key always the referencing one; none for a domain.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        match self.known {
            Some(known) => Some(known.table()),
            None => self.names.as_ref()?.table.as_deref(),
        }
    }

    /// The column that must not be NULL; no other kind has one.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        self.names.as_ref()?.column.as_deref()
    }

    /// The name of the constraint or unique index. A known one is given without the suffix of a shard.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self.known {
            Some(known) => Some(known.name()),
            None => self.names.as_ref()?.constraint.as_deref(),
        }
    }

    /// The same violation under the names of the partitioned table, if it happened in one of its partitions.
    ///
    /// One query on the system catalogs, none if the constraint is known or its table is not. A violation
    /// aborts the transaction it happens in: ask on another connection, or after the rollback. To ask once for each
    /// partition, go through [`PartitionNames`].
    ///
    /// # Errors
    /// What the driver says about that query.
    pub async fn resolve_partition(&self, client: &impl GenericClient) -> Result<Self, Error> {
        Ok(match self.place() {
            Some(place) => self.moved(&look_up(&place, client).await?),
            None => self.clone(),
        })
    }

    /// Where to look for the parent; `None` if there is nothing to look up.
    pub(crate) fn place(&self) -> Option<Place> {
        let names = self.names.as_ref()?;
        Some(Place {
            schema: self.schema.as_deref()?.to_owned(),
            table: names.table.clone()?,
            constraint: names.constraint.clone(),
        })
    }

    fn moved(&self, root: &Place) -> Self {
        let known = root.constraint.as_deref().and_then(|name| ours(name, self.kind));
        let names = match known {
            Some(_) => None,
            None => Some(Box::new(Names {
                table: Some(root.table.clone()),
                column: self.column().map(str::to_owned),
                constraint: root.constraint.clone(),
            })),
        };
        Self { known, names, schema: Some(Cow::Owned(root.schema.clone())), ..self.clone() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Some(ConstraintKind::Unique) => "unique constraint violated",
            Some(ConstraintKind::Exclusion) => "exclusion constraint violated",
            Some(ConstraintKind::ForeignKey) => "foreign key violated",
            Some(ConstraintKind::Check) => "check constraint violated",
            Some(ConstraintKind::NotNull) => "required column is null",
            None => "integrity constraint violated",
        })
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Violation")
            .field("kind", &self.kind)
            .field("sqlstate", &self.sqlstate.code())
            .field("known", &self.known.is_some())
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Violation {}

/// 23001 is a RESTRICT that refused a delete; 23P01 also the temporal primary key.
fn kind_of(code: &str) -> Option<ConstraintKind> {
    match code {
        "23505" => Some(ConstraintKind::Unique),
        "23P01" => Some(ConstraintKind::Exclusion),
        "23503" | "23001" => Some(ConstraintKind::ForeignKey),
        "23514" => Some(ConstraintKind::Check),
        "23502" => Some(ConstraintKind::NotNull),
        _ => None,
    }
}

/// The library's constraint of that name. A host may have one of the same name: then the kinds need to agree at least.
fn ours(name: &str, kind: Option<ConstraintKind>) -> Option<Constraint> {
    Constraint::lookup(name).filter(|known| kind.is_none_or(|kind| kind == known.kind()))
}

/// The two routines by which Citus passes on a worker's error, the first without its SQLSTATE.
fn relays(routine: &str) -> bool {
    matches!(routine, "ReportCopyError" | "ReportResultError")
}

/// The one identifier in a message that is wanted; `None` if two different ones are.
///
/// A name without an underscore is not looked for: it could be a word.
fn named_in(message: &str, wanted: impl Fn(&str) -> bool) -> Option<&str> {
    let mut found = None;
    for token in message.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        if !token.contains('_') || !wanted(token) {
            continue;
        }
        if found.is_some_and(|other| other != token) {
            return None;
        }
        found = Some(token);
    }
    found
}

/// Which constraint of which table.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    schema: String,
    table: String,
    /// None for a column that must not be NULL.
    constraint: Option<String>,
}

/// Up to the root: a foreign key through its parent constraints, a unique or exclusion constraint (and a bare unique
/// index, which `pg_constraint` does not have) through its index, a check and a NOT NULL column by the table alone, for
/// they keep their names.
const RESOLVE_PARTITION: &str = "\
-- violation.resolve_partition
WITH RECURSIVE place AS (
    SELECT t.oid FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = $1::text::name AND t.relname = $2::text::name
), constraints (oid, parent, name, relid) AS (
    SELECT c.oid, c.conparentid, c.conname, c.conrelid
    FROM place JOIN pg_catalog.pg_constraint c ON c.conrelid = place.oid
    WHERE c.conname = $3::text::name
    UNION ALL
    SELECT p.oid, p.conparentid, p.conname, p.conrelid
    FROM constraints JOIN pg_catalog.pg_constraint p ON p.oid = constraints.parent
), roots (name, relid) AS (
    SELECT name, relid FROM constraints WHERE parent = 0 UNION ALL
    SELECT root.relname, top.indrelid
    FROM place JOIN pg_catalog.pg_index i ON i.indrelid = place.oid
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid AND x.relname = $3::text::name
    JOIN pg_catalog.pg_index top
        ON top.indexrelid = coalesce(pg_catalog.pg_partition_root(i.indexrelid), i.indexrelid)
    JOIN pg_catalog.pg_class root ON root.oid = top.indexrelid
    UNION ALL SELECT NULL, oid FROM place WHERE $3::text IS NULL
)
SELECT n.nspname::text, t.relname::text, roots.name::text FROM roots
JOIN pg_catalog.pg_class t ON t.oid = coalesce(pg_catalog.pg_partition_root(roots.relid), roots.relid)
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
LIMIT 1";

/// Unnamed statement and built-in types, so it passes a transaction-mode pooler.
async fn look_up(place: &Place, client: &impl GenericClient) -> Result<Place, Error> {
    let values: [&(dyn ToSql + Sync); 3] = [&place.schema, &place.table, &place.constraint];
    let parameters = values.map(|value| (value, Type::TEXT));
    Ok(match client.query_typed_opt(RESOLVE_PARTITION, &parameters).await? {
        Some(row) => Place { schema: row.try_get(0)?, table: row.try_get(1)?, constraint: row.try_get(2)? },
        // Dropped in the meantime.
        None => place.clone(),
    })
}

/// Remembers what the constraints of partitions are called at the root, so that each is asked for once.
///
/// It holds up to 4,096 names and starts anew when full. A name that changes its meaning while the process runs
/// (a partition dropped, another created with its name under another parent) needs a new `PartitionNames`.
#[derive(Default)]
pub struct PartitionNames {
    roots: RwLock<HashMap<Place, Place>>,
}

/// 64 partitions of 64 constraints: at twice three names of at most 63 bytes, about 2 MiB.
const MAX_PARTITION_NAMES: usize = 4096;

impl PartitionNames {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The violation under the names of the partitioned table, if they have been asked for before. No query.
    #[must_use]
    pub fn cached(&self, violation: &Violation) -> Option<Violation> {
        let roots = self.roots.read().unwrap_or_else(PoisonError::into_inner);
        // Most hosts have no partitions: nothing is copied to look into nothing.
        if roots.is_empty() {
            return None;
        }
        roots.get(&violation.place()?).map(|root| violation.moved(root))
    }

    /// As [`Violation::resolve_partition`], with a query only for names not seen before.
    ///
    /// # Errors
    /// What the driver says about that query; nothing is remembered then.
    pub async fn resolve(
        &self,
        violation: &Violation,
        client: &impl GenericClient,
    ) -> Result<Violation, Error> {
        if let Some(cached) = self.cached(violation) {
            return Ok(cached);
        }
        let Some(place) = violation.place() else { return Ok(violation.clone()) };
        let root = look_up(&place, client).await?;
        let resolved = violation.moved(&root);
        let mut roots = self.roots.write().unwrap_or_else(PoisonError::into_inner);
        if roots.len() >= MAX_PARTITION_NAMES {
            roots.clear();
        }
        roots.insert(place, root);
        Ok(resolved)
    }
}

impl fmt::Debug for PartitionNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartitionNames").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_message_is_an_identifier_and_the_only_one() {
        let wanted = |token: &str| token == "a_key" || token == "b_key" || token == "key";
        assert_eq!(named_in("violates unique constraint \"a_key\"", wanted), Some("a_key"));
        assert_eq!(named_in("verletzt «a_key», noch einmal a_key", wanted), Some("a_key"));
        assert_eq!(named_in("both a_key and b_key", wanted), None, "two names are no name");
        assert_eq!(named_in("duplicate key value", wanted), None, "a word is no name");
        assert_eq!(named_in("xa_key a_key2 a_key_x", wanted), None, "part of an identifier is no name");
    }
}
