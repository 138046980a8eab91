//! The batches.

use super::{Age, Retained, RetentionBatch, RetentionPolicy, RetentionReport};
use crate::{
    error::{Error, Result},
    executor::Executor,
    offer::PruneOffers,
    sql::Sql,
    value::{TenantId, policy::micros},
    write::{Call, Savepoint},
};
use chrono::{SubsecRound, Utc};
use uuid::Uuid;

crate::handle::repository! {
    /// Retention. Obtained from [`Slotkeeper::retention`](crate::Slotkeeper::retention).
    RetentionRepository, retention: "What is over, taken out of the way."
}

/// Which rows of a batch a statement is about: those after one id and up to another.
#[derive(Clone, Copy)]
struct Part {
    after: Option<Uuid>,
    up_to: Option<Uuid>,
}

/// What a statement did.
struct Done {
    rows: u64,
    /// The rows it was about.
    ids: Vec<Uuid>,
    /// Those of them whose id the archive has already.
    taken: Vec<Uuid>,
}

impl RetentionRepository<'_> {
    /// Moves one batch of past allocations into `allocations_archive`: released ones, and booked or closed time that is
    /// over together with everything its claim occupies.
    ///
    /// # Errors
    /// Infrastructure errors. Rows that somebody refers to are no error, but [set aside](Retained::set_aside).
    ///
    /// # Transactions
    /// One statement, under a savepoint in the caller's transaction; several if rows have to be set aside. Better on a
    /// pool, where each commits at once.
    pub async fn archive_allocations(self, db: &dyn Executor, batch: &RetentionBatch) -> Result<Retained> {
        self.batch(db, Sql::RetentionArchiveAllocations, batch).await
    }

    /// Forgets one batch of decisions and their keys. One that the history of a kept booking cites stays with the
    /// booking.
    ///
    /// # Errors
    /// As [`archive_allocations`](Self::archive_allocations).
    ///
    /// # Transactions
    /// As [`archive_allocations`](Self::archive_allocations).
    pub async fn prune_confirmations(self, db: &dyn Executor, batch: &RetentionBatch) -> Result<Retained> {
        self.batch(db, Sql::RetentionPruneConfirmations, batch).await
    }

    /// Forgets one batch of holds that expired, or would have, and occupy nothing.
    ///
    /// # Errors
    /// As [`archive_allocations`](Self::archive_allocations).
    ///
    /// # Transactions
    /// As [`archive_allocations`](Self::archive_allocations).
    pub async fn prune_holds(self, db: &dyn Executor, batch: &RetentionBatch) -> Result<Retained> {
        self.batch(db, Sql::RetentionPruneHolds, batch).await
    }

    /// Forgets one batch of bookings that ended, were not touched since, and whose allocations are all archived.
    ///
    /// # Errors
    /// As [`archive_allocations`](Self::archive_allocations).
    ///
    /// # Transactions
    /// As [`archive_allocations`](Self::archive_allocations).
    pub async fn prune_bookings(self, db: &dyn Executor, batch: &RetentionBatch) -> Result<Retained> {
        self.batch(db, Sql::RetentionPruneBookings, batch).await
    }

    /// Everything the policy says about one tenant, batch after batch to the end. May be dropped at any await and
    /// called again: each batch is whole, and what is done is done.
    ///
    /// # Errors
    /// Infrastructure errors; the batches before are done then.
    ///
    /// # Transactions
    /// Meant for a pool or a client: in the caller's transaction all batches would be one.
    pub async fn run(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        policy: &RetentionPolicy,
    ) -> Result<RetentionReport> {
        let size = policy.batch;
        let all = async |sql, age| self.all(db, sql, tenant, age, size).await;
        let holds = all(Sql::RetentionPruneHolds, policy.holds).await?;
        let allocations = all(Sql::RetentionArchiveAllocations, policy.allocations).await?;
        let bookings = match policy.bookings {
            Some(age) => all(Sql::RetentionPruneBookings, age).await?,
            None => Retained::default(),
        };
        let confirmations = all(Sql::RetentionPruneConfirmations, policy.confirmations).await?;
        let offers = self.offers(db, tenant, policy).await?;
        Ok(RetentionReport { holds, allocations, bookings, confirmations, offers })
    }

    /// Batches of one kind to the end.
    async fn all(
        self,
        db: &dyn Executor,
        sql: Sql,
        tenant: TenantId,
        older_than: Age,
        limit: i64,
    ) -> Result<Retained> {
        let mut batch = RetentionBatch { tenant, older_than, after: None, limit };
        let mut all = Retained::default();
        loop {
            all.add(self.batch(db, sql, &batch).await?);
            if all.next.is_none() {
                return Ok(all);
            }
            batch.after = all.next;
        }
    }

    async fn offers(self, db: &dyn Executor, tenant: TenantId, policy: &RetentionPolicy) -> Result<u64> {
        // The host's clock will do: days are meant, and the statement never goes beyond the database's.
        let before = (Utc::now() - policy.offers.length()).trunc_subsecs(6);
        let mut prune = PruneOffers::new(tenant, before)?;
        prune.limit = policy.batch;
        let mut all = 0;
        loop {
            let rows = self.keeper.offers().prune(db, &prune).await?;
            all += rows;
            if rows < policy.batch.unsigned_abs() {
                return Ok(all);
            }
        }
    }

    /// One batch: whole, or where a row of it is referred to, in halves until that row stands alone.
    async fn batch(self, db: &dyn Executor, sql: Sql, batch: &RetentionBatch) -> Result<Retained> {
        let whole = Part { after: batch.after, up_to: None };
        match self.send(db, sql, batch, whole, false).await {
            Err(error) if is_referred_to(&error) => {}
            done => {
                let done = done?;
                let next = next(&done.ids, batch.limit);
                return Ok(Retained { rows: done.rows, set_aside: done.taken, next });
            }
        }
        let ids = self.send(db, sql, batch, whole, true).await?.ids;
        let mut retained = Retained { next: next(&ids, batch.limit), ..Retained::default() };
        let mut open: Vec<_> = std::iter::once(0..ids.len()).collect();
        while let Some(rows) = open.pop() {
            let Some(last) = ids[rows.clone()].last() else { continue };
            let after = rows.start.checked_sub(1).map_or(batch.after, |before| Some(ids[before]));
            match self.send(db, sql, batch, Part { after, up_to: Some(*last) }, false).await {
                Err(error) if !is_referred_to(&error) => return Err(error),
                Err(_) if rows.len() == 1 => retained.set_aside.push(*last),
                Err(_) => {
                    let middle = rows.start + rows.len() / 2;
                    open.push(middle..rows.end);
                    open.push(rows.start..middle);
                }
                Ok(done) => {
                    retained.rows += done.rows;
                    retained.set_aside.extend(done.taken);
                }
            }
        }
        Ok(retained)
    }

    async fn send(
        self,
        db: &dyn Executor,
        sql: Sql,
        batch: &RetentionBatch,
        part: Part,
        only_look: bool,
    ) -> Result<Done> {
        let age = micros(batch.older_than.length());
        let call = Call {
            sql,
            tenant: batch.tenant,
            savepoint: Savepoint::Needed,
            params: &[&batch.tenant, &age, &batch.limit, &part.after, &part.up_to, &only_look],
        };
        let row = self.keeper.write(db, &call).await?;
        let rows = row.get::<_, i64>("rows").unsigned_abs();
        Ok(Done { rows, ids: row.get("ids"), taken: row.get("taken") })
    }
}

/// A full batch may not be the last.
fn next(ids: &[Uuid], limit: i64) -> Option<Uuid> {
    let full = i64::try_from(ids.len()).is_ok_and(|rows| rows >= limit);
    ids.last().copied().filter(|_| full)
}

/// The statement deletes only, and no constraint of ours keeps a row from that: it is the host's, be it a foreign key
/// that refuses or a rule of the row that a key makes give way.
const fn is_referred_to(error: &Error) -> bool {
    matches!(error, Error::UnknownConstraint(_))
}
