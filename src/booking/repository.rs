//! The writes and reads of bookings; those that make one stand in files of their own.

mod book;
mod confirm;

use super::{Booking, BookingRevision, CancelBooking, EraseCustomer, MoveBooking, RequestBooking};
use crate::{
    confirmation::{Decision, MissingNoun, decision_from_row},
    error::{Cause, Error, Result},
    executor::Executor,
    sql::Sql,
    value::{BookingId, ConfirmationId, TenantId},
    write::{Call, Param, Savepoint},
};
use serde::Deserialize;

crate::handle::repository! {
    /// Bookings. Obtained from [`Slotkeeper::bookings`](crate::Slotkeeper::bookings).
    BookingRepository, bookings: "Bookings: confirm, book, cancel, move."
}

impl BookingRepository<'_> {
    /// Writes a booking that waits for approval. It claims nothing: approve it with
    /// [`BookPlaces::for_pending`](super::BookPlaces::for_pending) or
    /// [`ConfirmHold::for_pending`](super::ConfirmHold::for_pending). Repeating the request with the same id changes
    /// nothing and answers the same, whatever became of the booking.
    ///
    /// # Errors
    /// [`Error::ReferenceTaken`], [`Error::KeyReused`] if the id was used for another window or other details, or for a
    /// booking that was never pending; infrastructure errors. Details that were changed since are not compared.
    ///
    /// # Transactions
    /// One statement; under a savepoint in the caller's transaction if it carries a reference. The transaction stays
    /// usable.
    pub async fn request(self, db: &dyn Executor, request: &RequestBooking) -> Result<BookingId> {
        let details = request.details.columns();
        let mut params: Vec<Param<'_>> = vec![&request.tenant, &request.id, &request.window];
        params.extend(details.params());
        let savepoint = request.details.savepoint();
        let call = Call { sql: Sql::BookingRequest, tenant: request.tenant, savepoint, params: &params };
        let field = match self.keeper.write(db, &call).await?.get("outcome") {
            "requested" | "replayed" => return Ok(request.id),
            "other_window" => "window",
            "other_details" => "details",
            _ => "booking",
        };
        Err(Error::KeyReused { field })
    }

    /// Gives up a booking's places: they are free for others at once. Cancelling a cancelled booking is recorded and
    /// changes nothing.
    ///
    /// # Errors
    /// [`Error::KeyReused`], [`Error::NotFound`]; [`Error::OutcomeUnknown`] if the connection broke: repeat the call;
    /// other infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint, and the caller's transaction stays usable.
    pub async fn cancel(self, db: &dyn Executor, cancel: &CancelBooking) -> Result<Decision> {
        let identity = cancel.identity();
        let call = Call {
            sql: Sql::BookingCancel,
            tenant: cancel.tenant,
            savepoint: Savepoint::Never,
            params: &[
                &cancel.tenant,
                &cancel.booking,
                /* confirmation */ &ConfirmationId::generate(),
                &cancel.key,
                &identity.checksum,
                &identity.record,
                /* expected revision */ &cancel.revision,
            ],
        };
        let row = self.keeper.write(db, &call).await?;
        decision_from_row(&row, &identity, MissingNoun::Is("booking"))
    }

    /// Exchanges a booking's places for others in one statement: the new ones are claimed and the old ones given up
    /// together, or neither. Its own places are never in the way.
    ///
    /// # Errors
    /// [`Error::KeyReused`], [`Error::NotFound`], [`Error::ResourceNotFound`]; [`Error::OutcomeUnknown`] if the
    /// connection broke: repeat the call; other infrastructure errors.
    ///
    /// # Transactions
    /// One statement, under a savepoint in the caller's transaction, which stays usable after every outcome.
    pub async fn move_to(self, db: &dyn Executor, request: &MoveBooking) -> Result<Decision> {
        let identity = request.identity();
        let claim = request.to.columns();
        let (before, after) = request.to.buffers().seconds();
        let call = Call {
            sql: Sql::BookingMove,
            tenant: request.tenant,
            savepoint: Savepoint::Needed,
            params: &[
                &request.tenant,
                &request.booking,
                /* resources */ &claim.resources,
                /* blocked windows */ &claim.blocked,
                /* allocations */ &claim.ids,
                /* visible window */ &request.to.window(),
                /* buffers, s */ &before,
                &after,
                /* expected revision */ &request.revision,
                /* confirmation */ &ConfirmationId::generate(),
                &request.key,
                &identity.checksum,
                &identity.record,
            ],
        };
        let row = self.keeper.write(db, &call).await?;
        decision_from_row(&row, &identity, MissingNoun::ResourceOr("booking"))
    }

    /// Clears a person: the customer reference and metadata of their bookings, and the actor of holds placed under the
    /// same text. Bookings, places and records stay. The record says how many rows were cleared, not whose.
    ///
    /// Records keep their idempotency keys and a digest of what each request carried, so that a repeated key is still
    /// replayed. The digest leads nowhere if the reference was a random id, but a guessable reference can be found by
    /// trying: see [`CustomerRef`](crate::CustomerRef). The host's own booking numbers and prices stay too.
    ///
    /// # Errors
    /// [`Error::KeyReused`]; [`Error::OutcomeUnknown`] if the connection broke: repeat the call; other infrastructure
    /// errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint, and the caller's transaction stays usable.
    pub async fn erase(self, db: &dyn Executor, erase: &EraseCustomer) -> Result<Decision> {
        let identity = erase.identity();
        let call = Call {
            sql: Sql::BookingErase,
            tenant: erase.tenant,
            savepoint: Savepoint::Never,
            params: &[
                &erase.tenant,
                &erase.customer,
                /* confirmation */ &ConfirmationId::generate(),
                &erase.key,
                &identity.checksum,
                &identity.record,
            ],
        };
        let row = self.keeper.write(db, &call).await?;
        decision_from_row(&row, &identity, MissingNoun::Is("customer"))
    }

    /// A booking as it is now.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn find(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        booking: BookingId,
    ) -> Result<Option<Booking>> {
        let rows = self.keeper.read(db, Sql::BookingFind, tenant, &[&tenant, &booking]).await?;
        Ok(rows.first().map(Booking::from_row))
    }

    /// Every revision of a booking, oldest first; none if it does not exist.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn history(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        booking: BookingId,
    ) -> Result<Vec<BookingRevision>> {
        let rows = self.keeper.read(db, Sql::BookingHistory, tenant, &[&tenant, &booking]).await?;
        let Some(row) = rows.first() else { return Ok(Vec::new()) };
        let json: serde_json::Value = row.get("history");
        Vec::deserialize(json).map_err(|_| Error::Internal(Cause::NONE))
    }
}
