//! The writes and reads of bookings.

use super::{
    BookPlaces, Booking, BookingRevision, CancelBooking, ConfirmHold, EraseCustomer, MoveBooking,
    RequestBooking, request::Target,
};
use crate::{
    confirmation::{Decision, Identity, MissingNoun, decision_from_row},
    error::{Cause, Error, Result},
    executor::Executor,
    sql::Sql,
    value::{BookingId, ClaimId, ConfirmationId, TenantId},
    write::{Call, Param, Savepoint},
};
use serde::Deserialize;
use tokio_postgres::Row;

crate::handle::repository! {
    /// Bookings. Obtained from [`Slotkeeper::bookings`](crate::Slotkeeper::bookings).
    BookingRepository, bookings: "Bookings: confirm, book, cancel, move."
}

impl BookingRepository<'_> {
    /// Writes a booking that waits for approval. It claims nothing: approve it with [`BookPlaces::for_pending`] or
    /// [`ConfirmHold::for_pending`]. Repeating the request with the same id changes nothing and answers the same,
    /// whatever became of the booking.
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

    /// Turns a hold into a booking. The outcome is recorded under the request's key; see [`crate::confirmation`] for
    /// all of them.
    ///
    /// # Errors
    /// [`Error::KeyReused`], [`Error::NotFound`], [`Error::ReferenceTaken`]; [`Error::ResourceNotFound`] if the hold has
    /// expired, is to be confirmed [if still free](ConfirmHold::if_still_free) and a resource was deactivated meanwhile;
    /// [`Error::OutcomeUnknown`] if the connection broke: repeat the call; other infrastructure errors.
    ///
    /// # Transactions
    /// One statement. Without [`ConfirmHold::if_still_free`], a reference or a booking id of the caller's it cannot fail
    /// on a refusal and runs without a savepoint in the caller's READ COMMITTED transaction; otherwise under one sent
    /// in the same flight. The transaction stays usable after every outcome. Stricter levels may answer
    /// [`Error::Busy`]: repeat the whole transaction.
    pub async fn confirm(self, db: &dyn Executor, confirm: &ConfirmHold) -> Result<Decision> {
        let identity = confirm.identity();
        let (booking, confirmation) = (confirm.target.id(), ConfirmationId::generate());
        let details = confirm.details.columns();
        let mut params: Vec<Param<'_>> = vec![
            &confirm.tenant,
            &confirm.hold,
            &booking,
            &confirmation,
            &confirm.key,
            &identity.checksum,
            &identity.record,
            /* expected window */ &confirm.window,
        ];
        let (expected, what) = match confirm.target {
            Target::Minted => (None, "hold"),
            Target::New(_) => (Some("new"), "hold"),
            Target::Pending(_) => (Some("pending"), "hold or pending booking"),
        };
        let any = expected.is_some() || confirm.if_still_free;
        if any {
            params.push(/* what the booking must be */ &expected);
        }
        params.extend(details.params());
        if any {
            params.push(&confirm.if_still_free);
        }
        let (sql, savepoint, ending) = if any {
            (Sql::BookingConfirm, Savepoint::Needed, MissingNoun::ResourceOr(what))
        } else {
            (Sql::BookingConfirmActive, confirm.details.savepoint(), MissingNoun::Is(what))
        };
        let call = Call { sql, tenant: confirm.tenant, savepoint, params: &params };
        let row = self.keeper.write(db, &call).await?;
        decision_from_row(&row, &identity, ending)
    }

    /// Claims places and confirms them in one statement. Expired holds in the way are taken over; after a lost race they
    /// [may have been swept](crate::hold#what-a-refused-claim-leaves-behind) although the outcome is a refusal. The
    /// outcome is recorded under the request's key.
    ///
    /// # Errors
    /// [`Error::KeyReused`], [`Error::ResourceNotFound`], [`Error::NotFound`] for a pending booking,
    /// [`Error::ReferenceTaken`]; [`Error::OutcomeUnknown`] if the connection broke: repeat the call; other
    /// infrastructure errors.
    ///
    /// # Transactions
    /// One statement. With one resource, and neither a reference nor a booking id of the caller's, it runs without a
    /// savepoint in the caller's READ COMMITTED transaction, because nothing in it can fail on a refusal; otherwise under
    /// one sent in the same flight. If more than one expired row is in the way of one resource, that statement writes
    /// nothing and a second one follows, in another round trip and under a savepoint. The transaction stays usable after
    /// every outcome (the one exception: two calls under one key, at the same moment, without a savepoint, where the
    /// second claims a place that the first did not: it gets [`Error::Busy`] and its transaction must be repeated).
    pub async fn book(self, db: &dyn Executor, book: &BookPlaces) -> Result<Decision> {
        let identity = book.identity();
        if matches!(book.target, Target::Minted) && book.claim.is_one() {
            let row = self.claim(db, book, &identity, Sql::BookingBookSingle).await?;
            if row.get::<_, &str>("outcome") != "use_many" {
                return decision_from_row(&row, &identity, MissingNoun::ResourceOr("booking"));
            }
        }
        let row = self.claim(db, book, &identity, Sql::BookingBook).await?;
        decision_from_row(&row, &identity, MissingNoun::ResourceOr("booking"))
    }

    /// Sends one of the two statements that book: that of one resource takes scalars, that of several arrays.
    async fn claim(self, db: &dyn Executor, book: &BookPlaces, identity: &Identity, sql: Sql) -> Result<Row> {
        let one = sql == Sql::BookingBookSingle;
        let (columns, details) = (book.claim.columns(), book.details.columns());
        let (window, (before, after)) = (book.claim.window(), book.claim.buffers().seconds());
        let (claim, booking, confirmation) =
            (ClaimId::generate(), book.target.id(), ConfirmationId::generate());
        let must_be_pending = matches!(book.target, Target::Pending(_));
        let mut params: Vec<Param<'_>> = vec![&book.tenant, &claim];
        params.extend(if one { columns.one() } else { columns.many() });
        let rest: [Param<'_>; 8] = [
            /* visible window */ &window,
            /* buffers, s */ &before,
            &after,
            &booking,
            &confirmation,
            &book.key,
            &identity.checksum,
            &identity.record,
        ];
        params.extend(rest);
        params.extend(details.params());
        if !one {
            params.push(&must_be_pending);
        }
        let savepoint = if one { book.details.savepoint() } else { Savepoint::Needed };
        self.keeper.write(db, &Call { sql, tenant: book.tenant, savepoint, params: &params }).await
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
    /// [`Error::KeyReused`]; [`Error::OutcomeUnknown`] if the connection broke: repeat the call; other infrastructure errors.
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
