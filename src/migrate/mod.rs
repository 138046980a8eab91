//! Creating the library's tables in a database, checking them, and dropping them again.
//!
//! The library never migrates on its own: the host calls [`Migrator::up`] when it deploys.
//!
//! ```text
//! up ──► status ──► verify ──► audit ──► (a newer release) up ──► …            down: one step back
//! ```
//!
//! | step | does | writes | needs |
//! |---|---|---|---|
//! | [`up`](Migrator::up) | applies what is pending, each migration in its own transaction | only if something is pending | to own the schema |
//! | [`down`](Migrator::down) | takes back the last migration; refuses to destroy rows unless allowed | yes | to own the tables |
//! | [`status`](Migrator::status) | lists applied, pending and unknown migrations | no | `SELECT` on `migrations` |
//! | [`preflight`](Migrator::preflight) | reports obstacles, and which rows break which rule | no | `SELECT` on the tables |
//! | [`verify`](Migrator::verify) | compares the database's definitions with those of this release | no | nothing |
//! | [`grants`](Migrator::grants) | says what the application's role needs, as SQL | no | nothing |
//! | [`audit`](Migrator::audit) | compares the rows with what the library promises of them | no | `SELECT` on all tables |
//! | [`repair`](Migrator::repair) | restores definitions that differ, on request | on request | to own the tables |
//! | [`quarantine`](Migrator::quarantine), [`dedupe`](Migrator::dedupe) | mark or remove rows that break a constraint that was lost, on request | on request | `SELECT`, `UPDATE`, `DELETE` |
//! | [`restore`](Migrator::restore) | puts back the rows that those or [`Down::export`] wrote | yes | `SELECT`, `INSERT`, `UPDATE` |
//! | [`ceremony`](Migrator::ceremony) | all of it in order, with a drill on a copy, and a report | as `up` | to own the schema, `CREATE` on the database |
//! | [`plan`](Migrator::plan), [`losses`](Migrator::losses) | say what `up` would do, and what `down` would destroy | no | as `up`; `SELECT` |
//!
//! Everything lives in one schema, `slotkeeper` unless [`Migrator::in_schema`] says otherwise. The history is the table
//! `migrations` in that schema, so the host's own migration tool and this one never meet. `up` also creates the
//! schema and the extension `btree_gist` where they are missing; a role that may do neither asks its administrator for
//! both and switches them off with [`Migrator::create_schema`] and [`Migrator::create_extension`]. `down` leaves the
//! schema, the extension and the empty history in place.
//!
//! Two processes that migrate at once are safe: one does the work, the other waits for it and finds nothing to do.
//! They meet in an advisory lock that belongs to the transaction and is polled, never waited for, so that it cannot
//! deadlock with an index being built; offending the connection frees it.
//!
//! A migration that has been released never changes. Its checksum is kept with the history, and a database that was
//! migrated with another text is refused.

mod audit;
mod catalog;
mod ceremony;
mod cleanup;
mod drift;
mod export;
mod grants;
mod guards;
mod history;
mod losses;
mod migration;
mod notes;
mod plan;
mod preflight;
mod repair;
mod runner;
mod step;
mod verify;

pub use crate::ops::{OpsError, OpsErrorKind};
pub use crate::schema::SCHEMA_VERSION;
pub use audit::{Audit, AuditCheck, AuditTenant};
pub use ceremony::{Ceremony, CeremonyOptions, CeremonyStep, Drill};
pub use drift::{Drift, DriftKind};
pub use grants::{Duty, Grant, Grants, Privilege, Role};
pub use history::{MigrationStatus, Status};
pub use losses::{Loss, Losses};
pub use migration::Migration;
pub use notes::Note;
pub use plan::{Plan, PlannedLock, PlannedStep};
pub use repair::{Repair, Repaired, RepairedObject, Skipped};
pub use runner::{Applied, Down, Exported, Migrator};
pub use verify::Verification;
