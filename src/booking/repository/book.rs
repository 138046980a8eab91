//! Places are claimed and confirmed at once.

use super::BookingRepository;
use crate::{
    booking::{BookPlaces, request::Target},
    confirmation::{Decision, Identity, MissingNoun, decision_from_row},
    error::{Cause, Error},
    executor::Executor,
    sql::Sql,
    value::{ClaimId, ConfirmationId},
    write::{Call, Param, Savepoint},
};
use tokio_postgres::Row;

impl BookingRepository<'_> {
    /// Claims places and confirms them in one statement. Expired holds in the way are taken over; after a lost race
    /// they [may have been swept](crate::hold#what-a-refused-claim-leaves-behind) although the outcome is a refusal.
    /// The outcome is recorded under the request's key.
    ///
    /// # Errors
    /// [`Error::KeyReused`], [`Error::ResourceNotFound`], [`Error::NotFound`] for a pending booking,
    /// [`Error::ReferenceTaken`]; [`Error::OutcomeUnknown`] if the connection broke: repeat the call; other
    /// infrastructure errors.
    ///
    /// # Transactions
    /// One statement. With one resource, and neither a reference nor a booking id of the caller's, it runs without a
    /// savepoint in the caller's READ COMMITTED transaction, because nothing in it can fail on a refusal; otherwise
    /// under one sent in the same flight. If an expired row is in the way of one resource, or the race
    /// was lost, that statement writes nothing and a second one follows, in another round trip and under a savepoint. The transaction stays
    /// usable after every outcome (the one exception: two calls under one key, at the same moment, without a savepoint,
    /// where the second claims a place that the first did not: it gets [`Error::Busy`] and its transaction must be
    /// repeated).
    pub async fn book(self, db: &dyn Executor, book: &BookPlaces) -> Result<Decision, Error> {
        let identity = book.identity();
        if matches!(book.target, Target::Minted) && book.claim.is_one() {
            if let Some(row) = self.claim(db, book, &identity, Sql::BookingBookSingle).await? {
                return decision_from_row(&row, &identity, MissingNoun::ResourceOr("booking"));
            }
        }
        // The general form always answers.
        let row =
            self.claim(db, book, &identity, Sql::BookingBook).await?.ok_or(Error::Internal(Cause::NONE))?;
        decision_from_row(&row, &identity, MissingNoun::ResourceOr("booking"))
    }

    /// Sends one of the two statements that book: that of one resource takes scalars, that of several arrays.
    async fn claim(
        self,
        db: &dyn Executor,
        book: &BookPlaces,
        identity: &Identity,
        sql: Sql,
    ) -> Result<Option<Row>, Error> {
        let one = sql == Sql::BookingBookSingle;
        let (claim, booking, confirmation) =
            (ClaimId::generate(), book.target.id(), ConfirmationId::generate());
        let (columns, details) = (book.claim.columns_of(claim.as_uuid()), book.details.columns());
        let (window, (before, after)) = (book.claim.window(), book.claim.buffers().seconds());
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
        let call = Call { sql, tenant: book.tenant, savepoint, params: &params };
        if one { self.keeper.attempt(db, &call).await } else { self.keeper.write(db, &call).await.map(Some) }
    }
}
