//! Reads over the claim space, and blackouts.

use super::{Allocation, Block};
use crate::{
    error::{Cause, Error, Result},
    executor::Executor,
    sql::Sql,
    value::{AllocationKind, BlackoutId, Blocker, BookingId, Claim, EventId, ResourceId, TenantId, Window},
    write::{Call, Savepoint, conflict, missing},
};
use tokio_postgres::Row;

/// The most rows one list returns.
const MOST_ROWS: i64 = 10_000;

crate::handle::repository! {
    /// Occupied and free time. Obtained from [`Slotkeeper::allocations`](crate::Slotkeeper::allocations).
    AllocationRepository, allocations: "Occupied and free time, and blackouts."
}

impl AllocationRepository<'_> {
    /// Whether nothing occupies the resource within the window: the cheapest question, one b-tree probe.
    ///
    /// # Errors
    /// [`Error::ResourceNotFound`] if the resource is unknown to the tenant or inactive; infrastructure errors.
    pub async fn is_free(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        resource: ResourceId,
        window: Window,
    ) -> Result<bool> {
        let rows =
            self.keeper.read(db, Sql::AllocationIsFree, tenant, &[&tenant, &resource, &window]).await?;
        let free: Option<Option<bool>> = rows.first().map(|row| row.get("free"));
        free.flatten().ok_or_else(|| Error::ResourceNotFound { resources: vec![resource] })
    }

    /// What stands in a claim's way now, buffers included: at most 64 rows, by resource and time. Resources that are
    /// unknown or inactive have no blockers; the write refuses them.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn blockers(self, db: &dyn Executor, tenant: TenantId, claim: &Claim) -> Result<Vec<Blocker>> {
        let columns = claim.columns();
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&tenant, &columns.resources, &columns.blocked];
        let rows = self.keeper.read(db, Sql::AllocationBlockers, tenant, &params).await?;
        let blocker = |row: &Row| Blocker {
            allocation: row.get("allocation"),
            resource: row.get("resource"),
            kind: Some(AllocationKind::parse(row.get("kind"))),
            overlap: row.get("overlap"),
        };
        Ok(rows.iter().map(blocker).collect())
    }

    /// The places a booking holds now, by resource and time; none once it is cancelled.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn list_by_booking(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        booking: BookingId,
    ) -> Result<Vec<Allocation>> {
        let rows = self.keeper.read(db, Sql::AllocationListByBooking, tenant, &[&tenant, &booking]).await?;
        Ok(rows.iter().map(Allocation::from_row).collect())
    }

    /// What occupies a resource within a window, in time order; expired holds do not. At most 10,000 rows.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn list_by_resource(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        resource: ResourceId,
        window: Window,
    ) -> Result<Vec<Allocation>> {
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&tenant, &resource, &window, &MOST_ROWS];
        let rows = self.keeper.read(db, Sql::AllocationListByResource, tenant, &params).await?;
        Ok(rows.iter().map(Allocation::from_row).collect())
    }

    /// The parts of a range that nothing occupies, in time order: none if the resource is unknown or inactive.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn free_windows(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        resource: ResourceId,
        range: Window,
    ) -> Result<Vec<Window>> {
        let rows =
            self.keeper.read(db, Sql::AllocationFreeWindows, tenant, &[&tenant, &resource, &range]).await?;
        Ok(rows.iter().map(|row| row.get("free")).collect())
    }

    /// Closes resources for a time, all or nothing. Expired holds give way; bookings and live holds refuse it.
    /// Repeating the request with the same id changes nothing; a blackout that was opened again stays open.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::ResourceNotFound`], [`Error::KeyReused`] if the id was used for other places, or
    /// for a hold or a booking; infrastructure errors. After a lost race, expired holds that were in the way [may have
    /// been swept](crate::hold#what-a-refused-claim-leaves-behind).
    ///
    /// # Transactions
    /// One statement, one event in the outbox. In the caller's READ COMMITTED transaction it runs under a savepoint
    /// and leaves the transaction usable after every refusal. Stricter levels may answer [`Error::Busy`].
    pub async fn block(self, db: &dyn Executor, block: &Block) -> Result<BlackoutId> {
        let columns = block.claim.columns_of(block.id.as_uuid());
        let event = EventId::generate();
        let call = Call {
            sql: Sql::AllocationBlock,
            tenant: block.tenant,
            savepoint: Savepoint::Needed,
            params: &[
                &block.tenant,
                &block.id,
                /* resources */ &columns.resources,
                /* windows */ &columns.blocked,
                /* allocations */ &columns.ids,
                &event,
            ],
        };
        let row = self.keeper.write(db, &call).await?;
        match row.get("outcome") {
            "blocked" | "replayed" => Ok(block.id),
            "other_operation" => Err(Error::KeyReused { field: "operation" }),
            "key_reused" => Err(Error::KeyReused { field: "resources" }),
            "not_found" => Err(missing(&row)),
            "conflict" => Err(conflict(&row)),
            _ => Err(Error::Internal(Cause::NONE)),
        }
    }

    /// Opens a blackout again. Idempotent.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the tenant never had this blackout; infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint, and the caller's transaction stays usable.
    pub async fn unblock(self, db: &dyn Executor, tenant: TenantId, blackout: BlackoutId) -> Result<()> {
        let event = EventId::generate();
        let call = Call {
            sql: Sql::AllocationUnblock,
            tenant,
            savepoint: Savepoint::Never,
            params: &[&tenant, &blackout, &event],
        };
        match self.keeper.write(db, &call).await?.get("outcome") {
            "unblocked" => Ok(()),
            _ => Err(Error::NotFound { what: "blackout" }),
        }
    }
}
