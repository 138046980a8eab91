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

mod partition;

pub use partition::PartitionNames;

use crate::{
    constraint::{Constraint, ConstraintKind},
    schema::SchemaName,
};
use std::{borrow::Cow, fmt};
use tokio_postgres::{
    Error,
    error::{DbError, SqlState},
};

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
        let kind = match kind_of(code) {
            Some(ConstraintKind::Check) if error.datatype().is_some() => Some(ConstraintKind::Domain),
            kind => kind,
        };
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
            kind: known.map(Constraint::kind).or(kind),
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
            Some(known) => (known.kind() != ConstraintKind::Domain).then(|| known.table()),
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
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Some(ConstraintKind::Unique) => "unique constraint violated",
            Some(ConstraintKind::Exclusion) => "exclusion constraint violated",
            Some(ConstraintKind::ForeignKey) => "foreign key violated",
            Some(ConstraintKind::Check) => "check constraint violated",
            Some(ConstraintKind::Domain) => "rule of a domain violated",
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
    Constraint::lookup(name).filter(|known| kind.is_none_or(|kind| agree(kind, known.kind())))
}

/// A domain's rule has the code of a check, and what stands in between may not tell that it is one.
fn agree(told: ConstraintKind, known: ConstraintKind) -> bool {
    told == known || (told == ConstraintKind::Check && known == ConstraintKind::Domain)
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
