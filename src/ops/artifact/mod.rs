//! Files that hold rows whole, written before anything is done to them.
//!
//! One JSON document a line:
//!
//! ```text
//! {"format":"slotkeeper rows","version":1,"id":…,"purpose":"dedupe","database":{…},"tables":[{"schema":…,"table":…,
//!  "columns":[{"name":"id","type":"bigint"},…],"key":["id"]}],"created_at":…,"library":"0.1.0"}
//! {"table":0,"action":"remove","rule":"visits_number_key","reason":"duplicate","key":["7"],"row":{"id":"7","note":null}}
//! {"rows":1,"sha256":"…"}                                                        of every byte before this line
//! ```
//!
//! A value is the server's own text for it, as `COPY` would write it, under settings that make the text lossless and the
//! same in every session ([`text_form`](crate::ops::rows::text_form)); read back with a cast it is the same value. `null` is NULL; a JSON null is
//! `"null"`. Generated columns are left out. Tables come in an order in which rows can be inserted: parents first.
//!
//! # A database's identity
//!
//! An artifact goes back only into the database it came from: the same `oid` of the same cluster
//! (`pg_control_system().system_identifier`), so a renamed database is itself and a dumped and restored one is another.
//! Where that function is closed to the role, `oid` and name must do. A physical copy of a cluster has the identity of
//! the original: no catalog tells them apart.
//!
//! # On disk
//!
//! Written as `<path>.part`, readable by its owner only (it holds personal data), synced, then given its name, and the
//! folder synced. So a file of that name is whole, and what a killed process leaves is only a `.part`. A file that is
//! there is never written over. Memory does not grow with the rows. Reading and writing block the calling thread.

mod error;
mod header;
mod read;
mod record;
mod write;

pub use error::ArtifactError;
pub(crate) use header::{Header, Purpose, Section};
pub(crate) use read::Reader;
pub(crate) use record::{Action, Cause, Record, Row};
pub(crate) use write::{Writer, Written, part_of};
