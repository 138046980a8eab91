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

pub(crate) mod artifact;
pub(crate) mod build;
pub(crate) mod canary;
mod clearing;
mod ddl;
mod dedupe;
mod down;
mod estimate;
pub(crate) mod find;
pub(crate) mod finding;
mod guard;
mod ident;
pub(crate) mod lock;
pub(crate) mod own;
mod pace;
mod plan;
pub(crate) mod preflight;
mod prepare;
pub(crate) mod probe;
mod quarantine;
mod restore;
mod rule;
pub(crate) mod shadow;
mod stage;
mod state;
pub(crate) mod step;
mod table;
mod up;
mod verify;

pub use artifact::ArtifactError;
pub use build::{Built, Lock, Work};
pub use canary::{Mode, WouldRefuse};
pub use clearing::{Cleared, ClearedRule, Clearing, TenantRows};
pub use ddl::ObjectKind;
pub use dedupe::{Dedupe, Deduped};
pub use down::{Down, Dropped, TakenBack};
pub use finding::{Finding, FindingKind, RowKey, Sample, TenantFinding};
pub use guard::{Guard, GuardBuilder, InvalidGuard, SHADOW};
pub use ident::{Ident, InvalidIdent, MAX_IDENT, TableName};
pub use pace::Pace;
pub use plan::{Plan, Planned};
pub use preflight::{
    Activity, Extension, Obstacle, Preflight, PreflightOptions, ServerFacts, Session, TableFacts, TableLock,
};
pub use quarantine::{Quarantine, Quarantined};
pub use restore::Restored;
pub(crate) use restore::put_back;
pub use rule::{Check, Index, NoOverlap, Reference, Rule, Unique, WindowColumns};
pub use stage::Stage;
pub use state::State;
pub(crate) use table::TableInfo;
pub use up::{RolledOut, Up};
pub use verify::{Flaw, Verification};
