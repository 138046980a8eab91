//! The writes and reads of holds.

use super::{ExtendHold, Hold, HoldStatus, PlaceHold, ReleaseHold, ReplaceHold, SweepHolds, Swept};
use crate::{
    error::{Cause, Error, Result},
    executor::Executor,
    sql::Sql,
    value::{HoldId, InvalidInput, TenantId, Window, policy::micros},
    write::{Call, Param, Savepoint, conflict, missing},
};
use chrono::{DateTime, Utc};
use tokio_postgres::Row;

crate::handle::repository! {
    /// Holds. Obtained from [`Slotkeeper::holds`](crate::Slotkeeper::holds).
    HoldRepository, holds: "Claims with a TTL."
}

impl HoldRepository<'_> {
    /// Claims every place of the request, or none. Expired holds in the way are taken over. Repeating with the same id
    /// returns the first answer, whatever became of that hold; the TTL is not compared, because a retry's often shrinks
    /// with the basket's clock, and the hold stays as it is. To change it, [`extend`](Self::extend).
    ///
    /// # Errors
    /// [`Error::Conflict`] naming who is in the way, [`Error::ResourceNotFound`], [`Error::TooManyHolds`],
    /// [`Error::ReferenceTaken`], [`Error::KeyReused`] if the id was used with another request or for something else (a
    /// blackout, a booking's claim, also where [retention](crate::retention) has moved or forgotten it since),
    /// [`Error::InvalidInput`] if the TTL exceeds the policy's longest life; infrastructure errors. After a lost race, expired
    /// holds that were in the way [may have been swept](crate::hold#what-a-refused-claim-leaves-behind).
    ///
    /// # Transactions
    /// One statement. With one resource, no reference and no limit per actor it runs without a savepoint in the
    /// caller's READ COMMITTED transaction, because nothing in it can fail on a refusal; otherwise under one sent in the
    /// same flight. If an expired row is in the way of one resource, or the race was lost, that statement writes nothing and a
    /// second one follows, in another round trip and under a savepoint. Either way the transaction stays usable after every
    /// refusal (the one exception: two *different* requests under one hold id, at the same moment, without a savepoint).
    /// Stricter levels may answer [`Error::Busy`]: repeat the whole transaction.
    pub async fn place(self, db: &dyn Executor, new: &PlaceHold) -> Result<Hold> {
        self.within_life(new)?;
        let limit = new.actor.as_ref().and(self.keeper.policy().limit());
        if new.claim.is_one() && limit.is_none() && new.reference.is_none() {
            if let Some(row) = self.claim_single(db, new).await? {
                return self.settle(db, new, &row, limit).await;
            }
        }
        let row = self.claim(db, new, Sql::HoldPlace, &[&limit]).await?;
        self.settle(db, new, &row, limit).await
    }

    /// The form for one resource takes scalars.
    async fn claim_single(self, db: &dyn Executor, new: &PlaceHold) -> Result<Option<Row>> {
        let columns = new.claim.columns_of(new.id.as_uuid());
        let mut params: Vec<Param<'_>> = vec![&new.tenant, &new.id];
        params.extend(columns.one());
        let terms = Terms::of(self, new);
        params.extend(terms.params(new));
        let (sql, savepoint) = (Sql::HoldPlaceSingle, Savepoint::Never);
        self.keeper.attempt(db, &Call { sql, tenant: new.tenant, savepoint, params: &params }).await
    }

    /// The forms for any number take arrays, and more.
    async fn claim(self, db: &dyn Executor, new: &PlaceHold, sql: Sql, more: &[Param<'_>]) -> Result<Row> {
        let columns = new.claim.columns_of(new.id.as_uuid());
        let mut params: Vec<Param<'_>> = vec![&new.tenant, &new.id];
        params.extend(columns.many());
        let terms = Terms::of(self, new);
        params.extend(terms.params(new));
        params.extend(more);
        let savepoint = Savepoint::Needed;
        self.keeper.write(db, &Call { sql, tenant: new.tenant, savepoint, params: &params }).await
    }

    /// Exchanges the actor's own hold for another in one statement. The old hold's places count as free for the new
    /// one; if the new one cannot be had, the old one stays as it was.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the old hold does not exist or is another actor's, [`Error::HoldReleased`],
    /// [`Error::HoldConsumed`], and those of [`HoldRepository::place`].
    ///
    /// # Transactions
    /// One statement, under a savepoint in the caller's transaction, which stays usable after every refusal.
    pub async fn replace(self, db: &dyn Executor, replace: &ReplaceHold) -> Result<Hold> {
        let new = &replace.new;
        self.within_life(new)?;
        let limit = new.actor.as_ref().and(self.keeper.policy().limit());
        let row = self.claim(db, new, Sql::HoldReplace, &[&replace.old, &limit]).await?;
        self.settle(db, new, &row, limit).await
    }

    /// Moves the expiry to an absolute instant; never to an earlier one, so repeats in any order are harmless.
    ///
    /// Returns the expiry that now holds, by the database's clock.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the hold does not exist or is another actor's, [`Error::HoldExpired`],
    /// [`Error::HoldReleased`], [`Error::HoldConsumed`], [`Error::HoldTooLong`]; infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint, and the caller's transaction stays usable.
    pub async fn extend(self, db: &dyn Executor, extend: &ExtendHold) -> Result<DateTime<Utc>> {
        let call = Call {
            sql: Sql::HoldExtend,
            tenant: extend.tenant,
            savepoint: Savepoint::Never,
            params: &[&extend.tenant, &extend.hold, &extend.actor, &extend.until],
        };
        let row = self.keeper.write(db, &call).await?;
        match row.get("outcome") {
            "extended" => Ok(row.get("expires_at")),
            "hold_expired" => Err(Error::HoldExpired),
            "too_long" => Err(Error::HoldTooLong { latest: row.get("latest_expires_at") }),
            other => Err(not_active(other)),
        }
    }

    /// Frees the hold's own places. Idempotent: releasing a released or expired hold is no error. Never touches a
    /// booking, nor a place that somebody took over.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the hold does not exist or is another actor's, [`Error::HoldConsumed`] if it became a
    /// booking (cancel that); infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint, and the caller's transaction stays usable.
    pub async fn release(self, db: &dyn Executor, release: &ReleaseHold) -> Result<()> {
        let call = Call {
            sql: Sql::HoldRelease,
            tenant: release.tenant,
            savepoint: Savepoint::Never,
            params: &[&release.tenant, &release.hold, &release.actor],
        };
        match self.keeper.write(db, &call).await?.get("outcome") {
            "released" => Ok(()),
            other => Err(not_active(other)),
        }
    }

    /// A hold as it is now, with the places it was placed with.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn find(self, db: &dyn Executor, tenant: TenantId, hold: HoldId) -> Result<Option<Hold>> {
        let rows = self.keeper.read(db, Sql::HoldFind, tenant, &[&tenant, &hold]).await?;
        Ok(rows.first().map(Hold::from_row))
    }

    /// Releases the rows of expired holds, oldest first, in one batch. Hygiene: it shortens the lists and the index,
    /// and changes no answer. Skips holds that somebody is deciding on or taking over; the next sweep finds them again.
    ///
    /// # Errors
    /// Infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint.
    pub async fn sweep(self, db: &dyn Executor, sweep: &SweepHolds) -> Result<Swept> {
        let (limit, back) = (i64::from(sweep.limit), micros(sweep.looking_back));
        let call = Call {
            sql: Sql::HoldSweep,
            tenant: sweep.tenant,
            savepoint: Savepoint::Never,
            params: &[&sweep.tenant, &limit, &back],
        };
        let row = self.keeper.write(db, &call).await?;
        let count = |column| u64::try_from(row.get::<_, i64>(column)).unwrap_or_default();
        Ok(Swept { holds: count("holds"), allocations: count("allocations") })
    }

    fn within_life(self, new: &PlaceHold) -> Result<()> {
        if new.ttl.length() > self.keeper.policy().life() {
            return Err(InvalidInput::HoldLife.into());
        }
        Ok(())
    }

    /// What placing or replacing came to.
    async fn settle(self, db: &dyn Executor, new: &PlaceHold, row: &Row, limit: Option<i64>) -> Result<Hold> {
        match row.get("outcome") {
            "placed" => Ok(Hold {
                id: new.id,
                status: HoldStatus::Active,
                window: new.claim.window(),
                buffers: new.claim.buffers(),
                pairs: new.claim.as_pairs().to_vec(),
                placed_at: row.get("placed_at"),
                expires_at: row.get("expires_at"),
                actor: new.actor.clone(),
                reference: new.reference.clone(),
            }),
            "replayed" => self.first_answer(db, new).await,
            "key_reused" => Err(Error::KeyReused { field: "operation" }),
            "not_found" => Err(missing(row)),
            "conflict" => Err(conflict(row)),
            // The limit came from a u32.
            "too_many" => {
                Err(Error::TooManyHolds { limit: limit.and_then(|n| n.try_into().ok()).unwrap_or(u32::MAX) })
            }
            other => Err(not_active(other)),
        }
    }

    /// The hold an id was first used for, if it was for this request.
    async fn first_answer(self, db: &dyn Executor, new: &PlaceHold) -> Result<Hold> {
        let found = self.find(db, new.tenant, new.id).await?.ok_or(Error::Busy(Cause::NONE))?;
        let field = if found.actor != new.actor {
            "actor"
        } else if found.window != new.claim.window() {
            "window"
        } else if found.buffers != new.claim.buffers() {
            "buffers"
        } else if found.pairs != new.claim.as_pairs() {
            "resources"
        } else if found.reference != new.reference {
            "reference"
        } else {
            return Ok(found);
        };
        Err(Error::KeyReused { field })
    }
}

/// What a hold is placed with besides its places.
struct Terms {
    visible_window: Window,
    buffers: (i32, i32),
    ttl_micros: i64,
    longest_life_micros: i64,
}

impl Terms {
    fn of(holds: HoldRepository<'_>, new: &PlaceHold) -> Self {
        Self {
            visible_window: new.claim.window(),
            buffers: new.claim.buffers().seconds(),
            ttl_micros: micros(new.ttl.length()),
            longest_life_micros: micros(holds.keeper.policy().life()),
        }
    }

    fn params<'a>(&'a self, new: &'a PlaceHold) -> [Param<'a>; 7] {
        [
            &self.visible_window,
            &self.buffers.0,
            &self.buffers.1,
            &self.ttl_micros,
            &self.longest_life_micros,
            &new.actor,
            &new.reference,
        ]
    }
}

/// A hold that cannot be worked with any more.
fn not_active(outcome: &str) -> Error {
    match outcome {
        "no_hold" => Error::NotFound { what: "hold" },
        "hold_consumed" => Error::HoldConsumed,
        "hold_released" => Error::HoldReleased,
        "unknown_hold" => Error::UnknownState { what: "hold" },
        _ => Error::Internal(Cause::NONE),
    }
}
