//! What a preflight reports.

use std::fmt;

use serde::Serialize;

use crate::ops::{ServerFacts, Session};
use crate::rollout::rows::Finding;

/// What stands between a table and its rules, all of it seen at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[must_use]
pub struct Preflight {
    /// The server and what the role may do there.
    pub server: ServerFacts,
    /// The tables; of a guard, the one.
    pub tables: Vec<TableFacts>,
    /// What others do with these tables, and who has a transaction open for long: a lock would wait for them, and later
    /// writers would queue behind it.
    pub sessions: Vec<Session>,
    /// What has to be solved before anything else can be done.
    pub obstacles: Vec<Obstacle>,
    /// How long it took.
    pub took_ms: u64,
}

/// A table and the rows that break its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableFacts {
    /// Its name, with the schema.
    pub table: String,
    /// Whether it is there.
    pub exists: bool,
    /// Counted; none if it is not there or may not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Table, indexes and TOAST.
    pub bytes: u64,
    /// The rules that rows break.
    pub findings: Vec<Finding>,
    /// The rules that could not be checked; [`Preflight::obstacles`] say why.
    pub unchecked: Vec<String>,
}

/// What prevents the rules from being built, whatever the rows are like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "obstacle")]
#[non_exhaustive]
pub enum Obstacle {
    /// The server is older than version 14.
    UnsupportedServer,
    /// The server is a standby, or the session is read only.
    ReadOnlyServer,
    /// `btree_gist` is missing, and this role may not create it or was not allowed to by the caller.
    MissingExtension,
    /// The schema is missing, and this role may not create it or was not allowed to by the caller.
    MissingSchema {
        /// The schema.
        schema: String,
    },
    /// A table does not exist.
    MissingTable {
        /// The table, with its schema.
        table: String,
    },
    /// A column that the guard names does not exist.
    MissingColumn {
        /// The table, with its schema.
        table: String,
        /// The column.
        column: String,
    },
    /// The table has no primary key, so that single rows could be neither marked, nor removed, nor brought back.
    NoPrimaryKey {
        /// The table, with its schema.
        table: String,
    },
    /// A foreign key needs a unique key on the columns it refers to.
    NoParentKey {
        /// The foreign key.
        rule: String,
        /// The table referred to, with its schema.
        table: String,
    },
    /// Only its owner may alter a table.
    NotOwner {
        /// The table, with its schema.
        table: String,
    },
    /// The role may not create objects in the schema, so no index either.
    MayNotCreate {
        /// The schema.
        schema: String,
    },
    /// The role may not create temporary tables: a guard's definitions cannot be tried.
    MayNotCreateTemp,
    /// The role lacks SELECT on the whole table, or a row level security policy hides rows from it.
    MayNotRead {
        /// The table, with its schema.
        table: String,
    },
    /// The role lacks REFERENCES on the table a foreign key refers to.
    MayNotReference {
        /// The table, with its schema.
        table: String,
    },
    /// Another session kept the table locked against reading for 5 seconds: [`Preflight::sessions`] say which.
    Locked {
        /// The table, with its schema.
        table: String,
    },
    /// The expression of a rule fails on some row, or names something that does not exist.
    Unevaluable {
        /// The table, with its schema.
        table: String,
        /// The rule.
        rule: String,
        /// The server's code.
        sqlstate: String,
    },
}

impl Preflight {
    /// Whether no row breaks a rule, every rule was checked, and there is no obstacle.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let clean = |table: &TableFacts| table.findings.is_empty() && table.unchecked.is_empty();
        !self.blocks() && self.tables.iter().all(clean)
    }

    /// Whether there is an obstacle, which neither quarantine nor dedupe can remove.
    #[must_use]
    pub fn blocks(&self) -> bool {
        !self.obstacles.is_empty()
    }

    /// The rules that rows break, of all tables.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.tables.iter().flat_map(|table| &table.findings)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedServer => write!(f, "the server is older than version 14"),
            Self::ReadOnlyServer => write!(f, "the server takes no writes"),
            Self::MissingExtension => write!(f, "extension btree_gist is missing and cannot be created"),
            Self::MissingSchema { schema } => write!(f, "schema {schema} is missing and cannot be created"),
            Self::MissingTable { table } => write!(f, "table {table} does not exist"),
            Self::MissingColumn { table, column } => write!(f, "table {table} has no column {column}"),
            Self::NoPrimaryKey { table } => write!(f, "table {table} has no primary key"),
            Self::NoParentKey { rule, table } => {
                write!(f, "table {table} has no unique key on the columns that {rule} refers to")
            }
            Self::NotOwner { table } => write!(f, "the role does not own table {table}"),
            Self::MayNotCreate { schema } => write!(f, "the role may not create objects in schema {schema}"),
            Self::MayNotCreateTemp => {
                write!(f, "the role may not create temporary tables (TEMP on the database)")
            }
            Self::MayNotRead { table } => write!(f, "the role may not read all of table {table}"),
            Self::MayNotReference { table } => write!(f, "the role may not refer to table {table}"),
            Self::Locked { table } => write!(f, "table {table} is locked by another session"),
            Self::Unevaluable { table, rule, sqlstate } => {
                write!(f, "rule {rule} of table {table} cannot be evaluated (SQLSTATE {sqlstate})")
            }
        }
    }
}
