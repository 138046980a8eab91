//! Places are claimed and confirmed at once.

use super::BookingRepository;
use crate::{
    booking::{BookPlaces, request::Target},
    confirmation::{Decision, Identity, MissingNoun, decision_from_row},
    error::Error,
    executor::Executor,
    sql::Sql,
    value::{BookingId, ClaimId, ConfirmationId, Window},
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
    /// under one sent in the same flight. If an expired row is in the way of one resource, or the race was lost, that
    /// statement writes nothing and a second one follows, in another round trip and under a savepoint. The transaction
    /// stays usable after every outcome (the one exception: two calls under one key, at the same moment, without a savepoint,
    /// where the second claims a place that the first did not: it gets [`Error::Busy`] and its transaction must be
    /// repeated).
    pub async fn book(self, db: &dyn Executor, book: &BookPlaces) -> Result<Decision, Error> {
        let identity = book.identity();
        if matches!(book.target, Target::Minted) && book.claim.is_one() {
            if let Some(row) = self.claim_single(db, book, &identity).await? {
                return decision_from_row(&row, &identity, MissingNoun::ResourceOr("booking"));
            }
        }
        let row = self.claim(db, book, &identity).await?;
        decision_from_row(&row, &identity, MissingNoun::ResourceOr("booking"))
    }

    /// The form for one resource takes scalars.
    async fn claim_single(
        self,
        db: &dyn Executor,
        book: &BookPlaces,
        identity: &Identity,
    ) -> Result<Option<Row>, Error> {
        let (terms, details) = (Terms::of(book), book.details.columns());
        let columns = book.claim.columns_of(terms.claim.as_uuid());
        let mut params: Vec<Param<'_>> = vec![&book.tenant, &terms.claim];
        params.extend(columns.one());
        params.extend(terms.params(book, identity));
        params.extend(details.params());
        let (sql, savepoint) = (Sql::BookingBookSingle, book.details.savepoint());
        self.keeper.attempt(db, &Call { sql, tenant: book.tenant, savepoint, params: &params }).await
    }

    /// The form for any number takes arrays, and what the booking must be.
    async fn claim(self, db: &dyn Executor, book: &BookPlaces, identity: &Identity) -> Result<Row, Error> {
        let (terms, details) = (Terms::of(book), book.details.columns());
        let columns = book.claim.columns_of(terms.claim.as_uuid());
        let must_be_pending = matches!(book.target, Target::Pending(_));
        let mut params: Vec<Param<'_>> = vec![&book.tenant, &terms.claim];
        params.extend(columns.many());
        params.extend(terms.params(book, identity));
        params.extend(details.params());
        params.push(&must_be_pending);
        let (sql, savepoint) = (Sql::BookingBook, Savepoint::Needed);
        self.keeper.write(db, &Call { sql, tenant: book.tenant, savepoint, params: &params }).await
    }
}

/// What a booking is written with besides its places and details. Ids are minted once a statement.
struct Terms {
    claim: ClaimId,
    booking: BookingId,
    confirmation: ConfirmationId,
    visible_window: Window,
    buffers: (i32, i32),
}

impl Terms {
    fn of(book: &BookPlaces) -> Self {
        Self {
            claim: ClaimId::generate(),
            booking: book.target.id(),
            confirmation: ConfirmationId::generate(),
            visible_window: book.claim.window(),
            buffers: book.claim.buffers().seconds(),
        }
    }

    fn params<'a>(&'a self, book: &'a BookPlaces, identity: &'a Identity) -> [Param<'a>; 8] {
        [
            &self.visible_window,
            &self.buffers.0,
            &self.buffers.1,
            &self.booking,
            &self.confirmation,
            &book.key,
            &identity.checksum,
            &identity.record,
        ]
    }
}
