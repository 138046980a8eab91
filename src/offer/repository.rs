//! The writes and reads of offers.

use super::{ListOffers, OfferedSlot, PruneOffers, RecordOffers};
use crate::{
    error::Result,
    executor::Executor,
    sql::Sql,
    write::{Call, Savepoint},
};

crate::handle::repository! {
    /// Offers. Obtained from [`Slotkeeper::offers`](crate::Slotkeeper::offers).
    OfferRepository, offers: "The ledger of slots shown to customers."
}

impl OfferRepository<'_> {
    /// Counts every slot of the request, in one statement. Returns how many different slots there were.
    ///
    /// Not idempotent: repeated after [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown), a batch may count twice.
    /// Leave it out rather than repeat it, if offers must not be counted too often.
    ///
    /// # Errors
    /// Infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint. Two calls never deadlock. Two *transactions* that
    /// each record several times may: record once in each, or as the last thing they do.
    pub async fn record(self, db: &dyn Executor, record: &RecordOffers) -> Result<u64> {
        let call = Call {
            sql: Sql::OfferRecord,
            tenant: record.tenant,
            savepoint: Savepoint::Never,
            params: &[&record.tenant, &record.source, &record.slots, &record.offered],
        };
        let row = self.keeper.write(db, &call).await?;
        Ok(row.get::<_, i64>("slots").unsigned_abs())
    }

    /// Slots that were offered, in time order.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn list(self, db: &dyn Executor, list: &ListOffers) -> Result<Vec<OfferedSlot>> {
        let (start, end) = (list.window.start(), list.window.end());
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&list.tenant, &list.source, &start, &end, &list.limit];
        let rows = self.keeper.read(db, Sql::OfferList, list.tenant, &params).await?;
        Ok(rows.iter().map(OfferedSlot::from_row).collect())
    }

    /// Forgets slots that have begun, oldest first, and returns how many. Call again while that equals the limit. A
    /// slot that is being counted at this moment is left for the next call.
    ///
    /// # Errors
    /// Infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal and waits for nobody: no savepoint.
    pub async fn prune(self, db: &dyn Executor, prune: &PruneOffers) -> Result<u64> {
        let call = Call {
            sql: Sql::OfferPrune,
            tenant: prune.tenant,
            savepoint: Savepoint::Never,
            params: &[&prune.tenant, &prune.before, &prune.limit],
        };
        let row = self.keeper.write(db, &call).await?;
        Ok(row.get::<_, i64>("rows").unsigned_abs())
    }
}
