//! Rows of a table in use, each as an array of texts: looked up by key, marked, removed and put back, batch by batch.
//!
//! What is done to a row is written to an [artifact](crate::ops::artifact) first. A row's text is read and compared under
//! the settings of [`text_form`]; a row is changed under the settings of the session.

mod access;
mod batch;
mod export;
mod referencing;
mod restore;
mod restored;
mod sql;
mod table;
pub(crate) mod text_form;

pub(crate) use access::{Current, RowLock, params};
pub(crate) use batch::{Batch, Inspected, SAMPLES, Step, in_batches};
pub(crate) use export::export;
pub(crate) use referencing::refuse_referenced;
pub(crate) use restore::put_back;
pub use restored::Restored;
pub(crate) use table::{Mark, RowTable};
