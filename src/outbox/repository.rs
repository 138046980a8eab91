//! Reading and removing events. The statements that change something write them.

use super::Event;
use crate::{
    error::Result,
    executor::Executor,
    sql::Sql,
    value::{EventId, TenantId},
    write::{Call, Savepoint},
};

crate::handle::repository! {
    /// Events for other systems. Obtained from [`Slotkeeper::outbox`](crate::Slotkeeper::outbox).
    OutboxRepository, outbox: "Events for other systems."
}

impl OutboxRepository<'_> {
    /// The oldest events by id, at most `limit`. An event of a transaction that is still open is not among them, and
    /// may sort before one that is: read from the start each time, and delete what was published.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn list(self, db: &dyn Executor, tenant: TenantId, limit: u32) -> Result<Vec<Event>> {
        let rows = self.keeper.read(db, Sql::OutboxList, tenant, &[&tenant, &i64::from(limit)]).await?;
        Ok(rows.iter().map(Event::from_row).collect())
    }

    /// Removes published events and returns how many there were. Idempotent.
    ///
    /// # Errors
    /// Infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint.
    pub async fn delete(self, db: &dyn Executor, tenant: TenantId, events: &[EventId]) -> Result<u64> {
        let call =
            Call { sql: Sql::OutboxDelete, tenant, savepoint: Savepoint::Never, params: &[&tenant, &events] };
        let row = self.keeper.write(db, &call).await?;
        Ok(u64::try_from(row.get::<_, i64>("deleted")).unwrap_or_default())
    }
}
