//! The statements that bring an object into its state, to run them or to show them first.

use std::fmt;

use serde::Serialize;

use crate::constraint::NEW;
use crate::ops::Ident;
use crate::ops::object::{Ddl, ObjectKind, State};

/// What was done about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Work {
    /// Nothing.
    AlreadyThere,
    /// The constraint held for new rows only; now old ones are checked too.
    Validated,
    /// The object was missing.
    Built,
    /// A failed build had left an invalid index, which was dropped first.
    Rebuilt,
    /// The object had another definition, or was deferrable or disabled.
    Replaced,
}

impl Work {
    /// As it is called in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyThere => "already there",
            Self::Validated => "validated",
            Self::Built => "built",
            Self::Rebuilt => "rebuilt after a failed build",
            Self::Replaced => "replaced",
        }
    }
}

/// The lock a statement takes on the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Lock {
    /// No other session can read or write.
    AccessExclusive,
    /// No other session can write, to this table or to the one a foreign key refers to.
    ShareRowExclusive,
    /// Other sessions can read and write; only changes of the table itself, and `VACUUM`, wait.
    ShareUpdateExclusive,
}

impl Lock {
    /// As `LOCK TABLE` wants it.
    #[must_use]
    pub const fn as_sql(self) -> &'static str {
        match self {
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
        }
    }

    /// Which other sessions have to wait.
    #[must_use]
    pub const fn blocks(self) -> &'static str {
        match self {
            Self::AccessExclusive => "readers and writers",
            Self::ShareRowExclusive => "writers",
            Self::ShareUpdateExclusive => "nobody",
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_sql())
    }
}

/// One step: a transaction, or a statement outside of any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) lock: Lock,
    pub(crate) concurrently: bool,
    pub(crate) sql: String,
    /// Whether the step reads the table; otherwise it only writes the catalog.
    pub(crate) reads: bool,
    /// What is done if the step fails, so that nothing useless stays behind.
    pub(crate) undo: Option<Box<Action>>,
}

/// What is done about `ddl` in this state. `constraint`: there is a constraint of that name, not only an index.
pub(crate) fn script(ddl: &Ddl, state: &State, constraint: bool) -> (Work, Vec<Action>) {
    match (ddl.kind, state) {
        (_, State::Valid) => (Work::AlreadyThere, Vec::new()),
        (ObjectKind::Check | ObjectKind::Reference, _) => validated(ddl, state),
        (ObjectKind::Exclusion, State::Missing) => {
            let add = Action { reads: true, ..locked(Lock::AccessExclusive, ddl.add(&ddl.name)) };
            (Work::Built, vec![add])
        }
        (ObjectKind::Exclusion, _) => {
            // In one transaction, so that no session sees the table without one of the two.
            let sql = format!("{}; {}", drop_constraint(ddl, &ddl.name), ddl.add(&ddl.name));
            (Work::Replaced, vec![Action { reads: true, ..locked(Lock::AccessExclusive, sql) }])
        }
        _ => index(ddl, state, constraint),
    }
}

/// A check or foreign key.
fn validated(ddl: &Ddl, state: &State) -> (Work, Vec<Action>) {
    let adding = match ddl.kind {
        ObjectKind::Reference => Lock::ShareRowExclusive,
        _ => Lock::AccessExclusive,
    };
    let add = |name: &Ident| locked(adding, format!("{} NOT VALID", ddl.add(name)));
    let validate = |name: &Ident| {
        let sql = format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", ddl.table.quoted(), name.quoted());
        Action { reads: true, ..locked(Lock::ShareUpdateExclusive, sql) }
    };
    let name = &ddl.name;
    match state {
        State::NotValid => (Work::Validated, vec![validate(name)]),
        State::Missing => (Work::Built, vec![add(name), validate(name)]),
        _ => {
            let new = name.with_suffix(NEW);
            // If the new constraint fails, the old one stays, so the new one is dropped.
            let undo = Some(Box::new(locked(Lock::AccessExclusive, drop_constraint(ddl, &new))));
            let swap = format!(
                "{}; ALTER TABLE {} RENAME CONSTRAINT {} TO {}",
                drop_constraint(ddl, name),
                ddl.table.quoted(),
                new.quoted(),
                name.quoted()
            );
            let swap = Action { undo: undo.clone(), ..locked(Lock::AccessExclusive, swap) };
            (Work::Replaced, vec![add(&new), Action { undo, ..validate(&new) }, swap])
        }
    }
}

/// A unique key or an index.
fn index(ddl: &Ddl, state: &State, constraint: bool) -> (Work, Vec<Action>) {
    let (name, new) = (&ddl.name, ddl.name.with_suffix(NEW));
    let unique = ddl.kind == ObjectKind::Unique;
    // The index has been built, so attaching it is quick.
    let attach = unique.then(|| locked(Lock::AccessExclusive, ddl.attach(name)));
    match state {
        State::IndexOnly => (Work::Built, attach.into_iter().collect()),
        State::Missing => (Work::Built, [create(ddl, name)].into_iter().chain(attach).collect()),
        State::InvalidIndex if !constraint => {
            let steps = [drop_index(ddl, name), create(ddl, name)];
            (Work::Rebuilt, steps.into_iter().chain(attach).collect())
        }
        _ => {
            // In one transaction, as above.
            let swap = if unique {
                format!("{}; {}", drop_constraint(ddl, name), ddl.attach(&new))
            } else {
                let (old, new) = (index_name(ddl, name), index_name(ddl, &new));
                format!("DROP INDEX {old}; ALTER INDEX {new} RENAME TO {}", name.quoted())
            };
            let undo = Some(Box::new(drop_index(ddl, &new)));
            let swap = Action { undo, ..locked(Lock::AccessExclusive, swap) };
            (Work::Replaced, vec![create(ddl, &new), swap])
        }
    }
}

/// The step that drops an object.
pub(crate) fn removal(ddl: &Ddl, name: &Ident, is_constraint: bool) -> Action {
    if is_constraint {
        locked(Lock::AccessExclusive, drop_constraint(ddl, name))
    } else {
        drop_index(ddl, name)
    }
}

/// A failed build leaves an invalid index, which writers would keep up to date for nothing.
fn create(ddl: &Ddl, name: &Ident) -> Action {
    let undo = Some(Box::new(drop_index(ddl, name)));
    Action { reads: true, undo, ..concurrent(ddl.create_index(name, "CONCURRENTLY ")) }
}

fn drop_index(ddl: &Ddl, name: &Ident) -> Action {
    concurrent(format!("DROP INDEX CONCURRENTLY IF EXISTS {}", index_name(ddl, name)))
}

fn drop_constraint(ddl: &Ddl, name: &Ident) -> String {
    format!("ALTER TABLE {} DROP CONSTRAINT {}", ddl.table.quoted(), name.quoted())
}

fn index_name(ddl: &Ddl, name: &Ident) -> String {
    format!("{}.{}", ddl.table.schema.quoted(), name.quoted())
}

const fn locked(lock: Lock, sql: String) -> Action {
    Action { lock, concurrently: false, sql, reads: false, undo: None }
}

const fn concurrent(sql: String) -> Action {
    Action { lock: Lock::ShareUpdateExclusive, concurrently: true, sql, reads: false, undo: None }
}
