//! Reads over the records. Only the statements that decide write them.

use super::{Confirmation, Operation};
use crate::{
    error::Result,
    executor::Executor,
    sql::Sql,
    value::{BookingId, IdempotencyKey, TenantId},
};

crate::handle::repository! {
    /// The records of decisions. Obtained from [`Slotkeeper::confirmations`](crate::Slotkeeper::confirmations).
    ConfirmationRepository, confirmations: "The records of decisions."
}

impl ConfirmationRepository<'_> {
    /// The record of a key. To settle an unknown outcome, repeat the call instead: a decision may still be under way
    /// that no read can see.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn find_by_key(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        operation: Operation,
        key: &IdempotencyKey,
    ) -> Result<Option<Confirmation>> {
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&tenant, &operation.as_str(), key];
        let rows = self.keeper.read(db, Sql::ConfirmationFindByKey, tenant, &params).await?;
        rows.first().map(Confirmation::from_row).transpose()
    }

    /// Every decision about a booking, oldest first.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn list_by_booking(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        booking: BookingId,
    ) -> Result<Vec<Confirmation>> {
        let rows = self.keeper.read(db, Sql::ConfirmationListByBooking, tenant, &[&tenant, &booking]).await?;
        rows.iter().map(Confirmation::from_row).collect()
    }
}
