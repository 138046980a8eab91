//! Safe constraints on tables that already hold rows: the host's own, and ours after a constraint was lost.
//!
//! A [`Guard`] says what shall hold on one table: no overlap, unique keys, existing parents, checks. Everything else
//! follows from it, step by step, and each step is a call that returns data:
//!
//! ```text
//! preflight ──► quarantine / dedupe ──► enforce one tenant ──► up ──► verify            down, restore: the way back
//! ```
//!
//! | call | writes | others can meanwhile | needs |
//! |---|---|---|---|
//! | [`preflight`](Guard::preflight), [`would_refuse`](Guard::would_refuse) | nothing | read and write | `SELECT`, of parents too |
//! | [`plan`](Guard::plan) | nothing that stays | read and write | `SELECT`, `TEMP`; without `btree_gist` also `CREATE` on the database |
//! | [`quarantine`](Guard::quarantine) | an artifact, marks | read and write; the column is added under a lock of milliseconds | `SELECT`, `UPDATE`; to own the table while the column is missing |
//! | [`dedupe`](Guard::dedupe) | an artifact; removes rows | read and write | `SELECT`, `UPDATE`, `DELETE`; `SELECT` on parents and on tables that refer to this one |
//! | [`up`](Guard::up) | constraints and indexes | read and write, but for short locks, and while an exclusion is built | to own the table, `TEMP`, `CREATE` on its schema; for foreign keys `REFERENCES` and `SELECT` on the parent |
//! | [`enforce`](Guard::enforce), [`release`](Guard::release) | the constraints of one tenant | as `up` | as `up` |
//! | [`verify`](Guard::verify), [`verify_rows`](Guard::verify_rows) | nothing that stays | read and write | `SELECT`, `TEMP`: no standby |
//! | [`restore`](Guard::restore) | rows as an artifact has them | read and write | `SELECT`, `INSERT` or `UPDATE` |
//! | [`down`](Guard::down) | drops what `up` built | read and write, but for short locks | to own the table |
//!
//! Each takes a connection of its own, to the server or through a pooler in *session* mode: steps outside of transactions
//! hold an advisory lock of the session. A future that is dropped leaves that lock with its connection, and the server at
//! work: cancel its statement ([`Client::cancel_token`](tokio_postgres::Client::cancel_token)) and close it. Nothing runs on
//! the server afterwards: no trigger, no function, no setting. Rows hidden by row level security are an error, not
//! overlooked.
//!
//! # Rows that break a rule
//!
//! `EXCLUDE` takes neither `NOT VALID` nor `USING INDEX`, so rows that overlap must not count for it before it is built:
//! they are marked in a column of their own ([`SHADOW`] unless named otherwise), never changed otherwise, and never deleted.
//! The constraint ignores a marked row, so another row may be booked over it: a person decides what becomes of it, with the
//! customer. Queries of the host's that look for what is free should go on counting it, and the host's code must never set
//! the mark: a row written with `true` escapes the guard. Marked rows still count for keys (unless live only), foreign keys
//! and the host's checks. To take a row back, make room for it and set its mark to `false`; the exclusion decides.
//! Marking is an UPDATE: triggers and change capture see it, and a subscriber of logical replication needs the column first.
//!
//! Rows that share a unique key, or refer to nothing, cannot be marked: they are removed, and kept whole in the artifact.
//! It holds personal data, can be read by the operating system's user only (on Unix), and is the only copy: keep it like a
//! backup.
//!
//! Of rows that exclude each other the earliest confirmed stays, then the earliest created, then the smallest key.

pub(crate) mod constraints;
pub(crate) mod guard;
mod objects;
pub(crate) mod preflight;
mod report;
pub(crate) mod rows;
pub(crate) mod rule;
mod shadow;
mod stage;
mod tenant;

pub use crate::ops::{
    Activity, ArtifactError, Built, Extension, FindingKind, Ident, InvalidIdent, Lock, MAX_IDENT, ObjectKind,
    Pace, Restored, RowKey, ServerFacts, Session, State, TableLock, TableName, Work,
};
pub(crate) use constraints::refuse_violated;
pub use constraints::{Difference, Down, Mode, Plan, RolledOut, Up, Verification, WouldRefuse};
pub use guard::{Guard, GuardBuilder, InvalidGuard, SHADOW};
pub use preflight::{Obstacle, Preflight, PreflightOptions, TableFacts};
pub use report::{Dropped, Planned, RolledBack};
pub use rows::{CleanedRule, Cleanup, CleanupReport, Finding, Sample, TenantFinding, TenantRows};
pub use rule::{Check, Index, NoOverlap, Reference, Rule, Unique, WindowColumns};
pub use stage::Stage;
