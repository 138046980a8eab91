//! A hold becomes a booking.

use super::BookingRepository;
use crate::{
    booking::{ConfirmHold, request::Target},
    confirmation::{Decision, MissingNoun, decision_from_row},
    error::Error,
    executor::Executor,
    sql::Sql,
    value::ConfirmationId,
    write::{Call, Param, Savepoint},
};

impl BookingRepository<'_> {
    /// Turns a hold into a booking. The outcome is recorded under the request's key; see [`crate::confirmation`] for
    /// all of them.
    ///
    /// # Errors
    /// [`Error::KeyReused`], [`Error::NotFound`], [`Error::ReferenceTaken`]; [`Error::ResourceNotFound`] if the hold
    /// has expired, is to be confirmed [if still free](ConfirmHold::if_still_free) and a resource was deactivated
    /// meanwhile; [`Error::OutcomeUnknown`] if the connection broke: repeat the call; other infrastructure errors.
    ///
    /// A hold is expired if it was when the statement began: waiting for a lock costs it nothing, [unless somebody took
    /// a place of it over meanwhile](crate::hold).
    ///
    /// # Transactions
    /// One statement. Without [`ConfirmHold::if_still_free`], a reference or a booking id of the caller's it cannot
    /// fail on a refusal and runs without a savepoint in the caller's READ COMMITTED transaction; otherwise under one
    /// sent in the same flight. The transaction stays usable after every outcome. Stricter levels may answer
    /// [`Error::Busy`]: repeat the whole transaction.
    pub async fn confirm(self, db: &dyn Executor, confirm: &ConfirmHold) -> Result<Decision, Error> {
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
}
