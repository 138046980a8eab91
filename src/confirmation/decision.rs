//! What a recorded call answers.

use super::{Identity, Outcome, RecordedRequest, Snapshot};
use crate::{
    error::{Cause, Error, Result},
    value::{BookingId, ConfirmationId},
    write::missing,
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::Row;

/// A recorded answer.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a decision may be a refusal"]
#[non_exhaustive]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// The record's id.
    pub confirmation: ConfirmationId,
    /// The booking that was made, changed or looked at.
    pub booking: Option<BookingId>,
    /// When, by the database's clock.
    pub decided_at: DateTime<Utc>,
    /// What the decision saw and did.
    pub snapshot: Snapshot,
    replay: bool,
}

impl Decision {
    /// Whether this is the record of an earlier call with the same key.
    #[must_use]
    pub const fn is_replay(&self) -> bool {
        self.replay
    }

    /// The booking if the call did what was asked, else the outcome.
    ///
    /// # Errors
    /// The outcome, if it is a refusal or has no booking.
    pub fn into_result(self) -> Result<BookingId, Outcome> {
        match (self.outcome.is_success(), self.booking) {
            (true, Some(booking)) => Ok(booking),
            _ => Err(self.outcome),
        }
    }
}

/// Which noun [`Error::NotFound`] names when a statement answers `not_found`.
#[derive(Clone, Copy)]
pub(crate) enum MissingNoun {
    /// A noun of this name.
    Is(&'static str),
    /// A resource, or, if all of those are there, the noun.
    ResourceOr(&'static str),
}

/// Reads the row every recorded statement answers with.
pub(crate) fn decision_from_row(row: &Row, identity: &Identity, not_found: MissingNoun) -> Result<Decision> {
    let replay = match row.get("outcome") {
        "recorded" => false,
        "replayed" => true,
        "key_reused" => return Err(Error::KeyReused { field: reused(row, identity) }),
        "unknown_hold" => return Err(Error::UnknownState { what: "hold" }),
        "unknown_booking" => return Err(Error::UnknownState { what: "booking" }),
        _ => return Err(absent(row, not_found)),
    };
    let defect = || Error::Internal(Cause::NONE);
    let snapshot = Snapshot::read(row.get("snapshot")).map_err(|_| defect())?;
    let outcome = Outcome::read(row.get("recorded"), &snapshot).ok_or_else(defect)?;
    Ok(Decision {
        outcome,
        confirmation: row.get("id"),
        booking: row.get("booking_id"),
        decided_at: row.get("decided_at"),
        snapshot,
        replay,
    })
}

fn reused(row: &Row, identity: &Identity) -> &'static str {
    let raw: Value = row.get("snapshot");
    let first = raw.get("request").and_then(|request| RecordedRequest::deserialize(request).ok());
    first.map_or("request", |first| identity.request.first_difference(&first))
}

fn absent(row: &Row, not_found: MissingNoun) -> Error {
    match not_found {
        MissingNoun::Is(what) => Error::NotFound { what },
        MissingNoun::ResourceOr(what) => match missing(row) {
            Error::ResourceNotFound { resources } if resources.is_empty() => Error::NotFound { what },
            error => error,
        },
    }
}
