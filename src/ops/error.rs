//! What can go wrong in work on tables in use, whether a guard or the migrator does it.

mod driver;
mod kind;

use std::time::Duration;

pub(crate) use driver::DriverResult;
pub use kind::OpsErrorKind;

use crate::schema::SchemaName;

/// Why a call of the migrator or of a guard failed.
///
/// Every step runs in its own transaction, so after an error the step it met is undone and the steps before it stay.
/// Calling again is always safe. No text of the server is kept: it may quote rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpsError {
    /// Another process migrates this schema and did not finish in time. Try again.
    #[error("another migration of this schema was still running after {waited:?}")]
    Locked {
        /// How long the lock was polled.
        waited: Duration,
    },
    /// Other sessions kept a table locked, or took part in a deadlock, in every attempt. Try again at a quieter time.
    #[error("tables stayed locked by other sessions in {attempts} attempts")]
    Contended {
        /// How often the step was tried.
        attempts: u32,
    },
    /// An applied migration has another text in this release. The database was migrated by a modified library.
    #[error("migration {version} was applied with another text")]
    ChecksumChanged {
        /// The migration that differs.
        version: i32,
    },
    /// A newer release migrated this database. Deploy that release, or step down with it.
    #[error("the schema is at version {found}, this release knows versions up to {known}")]
    NewerSchema {
        /// The newest version in the history.
        found: i32,
        /// The newest version of this release.
        known: i32,
    },
    /// The history misses a migration below an applied one. It was edited by hand.
    #[error("migration {version} is missing from the history below an applied one")]
    HistoryGap {
        /// The migration that is missing.
        version: i32,
    },
    /// Stepping down would drop a table that holds rows, and the caller did not allow that.
    #[error("table {table} holds rows that stepping down would destroy")]
    DataWouldBeLost {
        /// The first such table, without the schema.
        table: &'static str,
    },
    /// The schema does not exist, and the migrator was not allowed to create it.
    #[error("schema {schema} does not exist")]
    MissingSchema {
        /// The schema asked for.
        schema: SchemaName,
    },
    /// The extension `btree_gist` is missing, and cannot or may not be created.
    #[error("extension btree_gist is not installed in this database")]
    MissingExtension,
    /// The role may not do this.
    #[error("the database role lacks a privilege")]
    PermissionDenied,
    /// The server has no role of this name. Nothing was changed: create the role first, or correct the name.
    #[error("role {role} does not exist")]
    UnknownRole {
        /// The name asked for.
        role: String,
    },
    /// The server is a standby, or the session is read only.
    #[error("the server takes no writes")]
    ReadOnlyServer,
    /// A table that a guard or a check needs does not exist.
    #[error("table {table} does not exist")]
    MissingTable {
        /// The table, with its schema.
        table: String,
    },
    /// A column that a guard names does not exist.
    #[error("table {table} has no column {column}")]
    MissingColumn {
        /// The table, with its schema.
        table: String,
        /// The column.
        column: String,
    },
    /// Without a primary key, rows cannot be told apart, so none may be marked, removed or restored.
    #[error("table {table} has no primary key")]
    NoPrimaryKey {
        /// The table, with its schema.
        table: String,
    },
    /// A column's name is too long to be handled, see [`Ident`](crate::rollout::Ident).
    #[error("the name {name} is longer than 52 bytes")]
    UnsupportedName {
        /// The name.
        name: String,
    },
    /// Rows break the rule that was to be built. No row was changed; what was built before stays, and a new check or foreign
    /// key stays `NOT VALID`, so new rows obey it already. Overlaps and invalid windows are quarantined, shared keys and
    /// orphans deduped; rows that break a check of the host's only the host can correct.
    #[error("rows of table {table} break the rule {rule}")]
    StillViolated {
        /// The table, with its schema.
        table: String,
        /// The constraint or index.
        rule: String,
    },
    /// The expression of a rule fails on some row, or names something that does not exist. Only the host can correct it.
    #[error("rule {rule} of table {table} cannot be evaluated (SQLSTATE {sqlstate})")]
    Unevaluable {
        /// The table, with its schema.
        table: String,
        /// The constraint or index.
        rule: String,
        /// The server's code.
        sqlstate: String,
    },
    /// Another rollout works on the table and did not finish in time. Try again.
    #[error("another rollout of table {table} was still running after {waited:?}")]
    RolloutRunning {
        /// The table, with its schema.
        table: String,
        /// How long the lock was polled.
        waited: Duration,
    },
    /// Another object has the name of the constraint or index that was to be built. Nothing was changed: rename one.
    #[error("table {table} cannot have {rule}: another object has that name ({by})")]
    NameTaken {
        /// The table, with its schema.
        table: String,
        /// The constraint or index.
        rule: String,
        /// What has the name.
        by: String,
    },
    /// Another object depends on what was to be replaced or dropped. Nothing was changed.
    #[error("other objects depend on {object} of table {table}")]
    InUse {
        /// The table, with its schema.
        table: String,
        /// The constraint, index or column.
        object: String,
    },
    /// The server cannot build this on a partitioned table without locking it for long. Nothing was changed.
    #[error("the rule {rule} cannot be built on the partitioned table {table} while it is in use")]
    PartitionedTable {
        /// The table, with its schema.
        table: String,
        /// The constraint or index.
        rule: String,
    },
    /// A window's column has another type than a range, or than `timestamptz`, `timestamp` or `date` for both bounds.
    #[error("column {column} of table {table} is of a type that makes no window")]
    UnsupportedType {
        /// The table, with its schema.
        table: String,
        /// The column.
        column: String,
    },
    /// An artifact could not be written, or may not be used here.
    #[error(transparent)]
    Artifact(crate::ops::ArtifactError),
    /// A constraint did not let a row be marked, removed or put back; the batch with it was undone, those before stay.
    /// Drop the rule, or change the row that conflicts with this one, and call again.
    #[error("rule {rule} of table {table} refuses a row")]
    RowRefused {
        /// The table, with its schema.
        table: String,
        /// The constraint or index; for a missing value the column.
        rule: String,
    },
    /// A trigger or rule of the host's kept rows from being marked, removed or put back; the batch was undone.
    #[error("a trigger of table {table} kept rows as they were")]
    RowsKept {
        /// The table, with its schema.
        table: String,
    },
    /// Rows of another table refer to a row that was to be removed: they would be removed with it or prevent it.
    #[error("rows to be removed from {table} are referred to by {constraint} of {child}")]
    Referenced {
        /// The table with the rows to be removed.
        table: String,
        /// The table that refers to them.
        child: String,
        /// The foreign key.
        constraint: String,
    },
    /// Rows are marked as quarantined, and the column that says so was to be dropped. Nothing was changed by it.
    #[error("{rows} rows of table {table} are marked as quarantined")]
    RowsMarked {
        /// The table, with its schema.
        table: String,
        /// How many.
        rows: u64,
    },
    /// The guard names no tenant column, or the text given is not a value of its type.
    #[error("the guard of table {table} names no tenant column, or the text is no value of it")]
    NoTenant {
        /// The table, with its schema.
        table: String,
    },
    /// A schema with the drill's name exists, and no drill made it. Nothing was changed: rename it.
    #[error("schema {schema} is there, and is no scratch copy")]
    ScratchTaken {
        /// The schema.
        schema: SchemaName,
    },
    /// The server is too old.
    #[error("server version {version} is older than 14")]
    UnsupportedServer {
        /// The server's major version.
        version: i32,
    },
    /// The commit was acknowledged, but the history does not show the step: the server rolled it back.
    #[error("the server rolled migration {version} back")]
    RolledBack {
        /// The step that did not last.
        version: i32,
    },
    /// The connection is closed. If it broke during a commit, calling again finds out what happened.
    #[error("the connection to the database is lost")]
    Unavailable,
    /// Any other error of the server or the driver.
    #[error("the database refused a statement (SQLSTATE {})", .sqlstate.as_deref().unwrap_or("unknown"))]
    Database {
        /// The server's code, if it was the server that refused.
        sqlstate: Option<String>,
    },
}
