//! Safe constraints on tables that already hold rows: the host's own, and after an accident ours.
//!
//! A [`Guard`] says what shall hold on one table: no overlap, unique keys, existing parents, checks. Everything else
//! follows from it, step by step, and each step is a call that returns data:
//!
//! ```text
//! preflight ──► quarantine / dedupe ──► up ──► verify ──► …            down, restore: the way back
//! ```
//!
//! `EXCLUDE` takes neither `NOT VALID` nor `USING INDEX`, so rows that overlap have to be out of its way before it is
//! built: they are marked in a column of their own (`shadow`), never changed otherwise, and never deleted.

#![allow(dead_code, reason = "the steps that use it come next")]

pub(crate) mod find;
pub(crate) mod finding;
mod guard;
mod ident;
pub(crate) mod own;
pub(crate) mod preflight;
mod rule;
mod table;

pub use finding::{Finding, FindingKind, RowKey, Sample, TenantFinding};
pub use guard::{Guard, GuardBuilder, InvalidGuard, SHADOW};
pub use ident::{Ident, InvalidIdent, MAX_IDENT, TableName};
pub use preflight::{
    Extension, Obstacle, Preflight, PreflightOptions, ServerFacts, Session, TableFacts, TableLock, Work,
};
pub use rule::{Check, Index, NoOverlap, Reference, Rule, Unique, WindowColumns};
