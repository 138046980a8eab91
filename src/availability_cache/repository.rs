//! The writes and the read of the cache.

use super::{Availability, FailureCode, MaxAge, RefreshAvailability};
use crate::{
    error::{Cause, Error, Result},
    executor::Executor,
    offer::OfferSource,
    sql::Sql,
    value::{TenantId, policy::micros},
    write::{Call, Savepoint},
};

crate::handle::repository! {
    /// The cache. Obtained from [`Slotkeeper::availability_cache`](crate::Slotkeeper::availability_cache).
    AvailabilityCacheRepository, availability_cache: "The last computed availability."
}

impl AvailabilityCacheRepository<'_> {
    /// What is kept for a source, and whether it is fresh: begun within `max_age` before now, by the database's clock,
    /// and not invalidated since.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn find(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        source: OfferSource,
        max_age: MaxAge,
    ) -> Result<Availability> {
        let age = micros(max_age.length());
        let rows =
            self.keeper.read(db, Sql::AvailabilityCacheFind, tenant, &[&tenant, &source, &age]).await?;
        rows.first().map(Availability::from_row).ok_or(Error::Internal(Cause::NONE))
    }

    /// Keeps what was computed and clears the count of errors. `false` if something begun later is kept already:
    /// nothing changed then, and the caller has lost nothing but its work. Repeating the call is harmless.
    ///
    /// # Errors
    /// Infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint. Nobody else can refresh this source before the
    /// transaction ends.
    pub async fn refresh(self, db: &dyn Executor, refresh: &RefreshAvailability) -> Result<bool> {
        let call = Call {
            sql: Sql::AvailabilityCacheRefresh,
            tenant: refresh.tenant,
            savepoint: Savepoint::Never,
            params: &[&refresh.tenant, &refresh.source, &refresh.began, refresh.body.as_value()],
        };
        let row = self.keeper.write(db, &call).await?;
        Ok(row.get::<_, &str>("outcome") == "refreshed")
    }

    /// Counts a failed computation and returns how many there have been since the last success. What is kept stays, and
    /// is no fresher for it. Repeated after a lost reply, the failure may count twice.
    ///
    /// # Errors
    /// Infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint.
    pub async fn fail(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        source: OfferSource,
        code: &FailureCode,
    ) -> Result<u32> {
        let call = Call {
            sql: Sql::AvailabilityCacheFail,
            tenant,
            savepoint: Savepoint::Never,
            params: &[&tenant, &source, &code.as_str()],
        };
        let row = self.keeper.write(db, &call).await?;
        Ok(row.get::<_, i32>("error_count").unsigned_abs())
    }

    /// Makes stale whatever was begun before now for these sources, also what is still being computed. Idempotent.
    ///
    /// # Errors
    /// Infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint. Call it *after* the change it tells of has committed:
    /// "now" is when this statement begins, and what somebody computes from then on counts as fresh although an open
    /// transaction's changes are hidden from it.
    pub async fn invalidate(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        sources: &[OfferSource],
    ) -> Result<()> {
        let call = Call {
            sql: Sql::AvailabilityCacheInvalidate,
            tenant,
            savepoint: Savepoint::Never,
            params: &[&tenant, &sources],
        };
        self.keeper.write(db, &call).await.map(drop)
    }
}
