//! Work on tables in use: what guards and the migrator share. It uses neither of them.
//!
//! | room | has |
//! |---|---|
//! | `error` | the one error of both |
//! | `ident`, `table`, `row` | names, a table as it is now, a row's key and in which way it breaks a rule |
//! | `transaction`, `session` | transactions and their settings, steps on a table in use |
//! | `lock`, `server`, `pace` | one run at a time, what the server has and allows, how gently a run works |
//! | `object` | one constraint or index: as SQL, as the catalog has it, compared, built, removed |
//! | `artifact` | files of rows |
//! | `rows` | rows by their key: looked up, marked, removed, put back, in batches |
//! | `activity` | what other sessions do with tables |
//! | `sweep` | which of a chain of windows overlap, and which have to leave |

pub(crate) mod activity;
pub(crate) mod artifact;
mod error;
pub(crate) mod ident;
pub(crate) mod lock;
pub(crate) mod object;
mod pace;
mod row;
pub(crate) mod rows;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod sweep;
mod table;
pub(crate) mod transaction;

pub use activity::{Activity, Session, TableLock};
pub use artifact::ArtifactError;
pub(crate) use error::DriverResult;
pub use error::{OpsError, OpsErrorKind};
pub use ident::{Ident, InvalidIdent, MAX_IDENT, TableName};
pub use object::{Built, Lock, ObjectKind, State, Work};
pub use pace::Pace;
pub use row::{FindingKind, RowKey};
pub use rows::Restored;
pub use server::{Extension, ServerFacts};
pub(crate) use table::TableInfo;
