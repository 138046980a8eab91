//! A tenant in the storm: its resources, what its tasks have made so far, and how they call.

use super::{dice::Dice, figures::Figures};
use crate::support::*;
use chrono::TimeDelta;
use slotkeeper::{
    BlackoutId, BookingId, Buffers, Claim, Error, HoldId, ResourceId, Slotkeeper, TenantId, Ttl, Window,
    confirmation::Decision, hold::PlaceHold,
};
use std::{sync::Mutex, time::Instant};

/// What one tenant's tasks share.
pub struct Site {
    pub keeper: Slotkeeper,
    pub pool: deadpool_postgres::Pool,
    pub tenant: TenantId,
    pub resources: Vec<ResourceId>,
    pub holds: Latest<HoldId>,
    pub bookings: Latest<BookingId>,
    pub pending: Latest<(BookingId, Window)>,
    pub blackouts: Latest<BlackoutId>,
}

/// The last few of a kind: old ones are mostly over.
pub struct Latest<T>(Mutex<Vec<T>>);

impl<T: Copy> Latest<T> {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub fn add(&self, new: T) {
        let mut known = self.0.lock().unwrap();
        if known.len() == 12 {
            known.remove(0);
        }
        known.push(new);
    }

    pub fn pick(&self, dice: &mut Dice) -> Option<T> {
        let known = self.0.lock().unwrap();
        (!known.is_empty()).then(|| dice.pick(&known))
    }
}

impl Site {
    pub fn new(house: &House, tenant: TenantId, resources: Vec<ResourceId>) -> Self {
        let (keeper, pool) = (house.keeper.clone(), house.pool.clone());
        let (holds, bookings) = (Latest::new(), Latest::new());
        let (pending, blackouts) = (Latest::new(), Latest::new());
        Self { keeper, pool, tenant, resources, holds, bookings, pending, blackouts }
    }

    /// One to four of the resources in random order, within a day; sometimes with buffers.
    pub fn claim(&self, dice: &mut Dice, most: usize) -> Claim {
        let count = if dice.one_in(2) { 1 } else { 1 + dice.roll(most) };
        let from = dice.minutes(48) * 30;
        let window = window(from, from + 30 + dice.minutes(3) * 30);
        let claim = Claim::all(dice.some(&self.resources, count), window).unwrap();
        let after = TimeDelta::minutes(if dice.one_in(4) { 15 } else { 0 });
        claim.with_buffers(Buffers::new(TimeDelta::zero(), after).unwrap()).unwrap()
    }

    /// For one second, the shortest.
    pub fn place(&self, claim: Claim) -> PlaceHold {
        PlaceHold::new(self.tenant, claim).ttl(Ttl::new(TimeDelta::seconds(1)).unwrap())
    }

    /// Time passes for one hold, at one instant for all its rows. In the order in which every write takes its locks.
    pub async fn expire(&self, hold: HoldId) {
        let mut client = self.pool.get().await.unwrap();
        let tx = client.transaction().await.unwrap();
        for sql in [
            "UPDATE slotkeeper.holds SET expires_at = transaction_timestamp() - interval '1 ms'
              WHERE tenant_id = $1 AND id = $2 AND status = 'active'",
            "UPDATE slotkeeper.allocations x SET expires_at = transaction_timestamp() - interval '1 ms'
               FROM (SELECT a.id FROM slotkeeper.allocations a WHERE a.tenant_id = $1 AND a.claim_id = $2
                        AND a.kind = 'held' ORDER BY a.resource_id, a.during FOR UPDATE) a
              WHERE x.tenant_id = $1 AND x.id = a.id AND x.kind = 'held'",
        ] {
            let sql = tx.prepare_cached(sql).await.unwrap();
            tx.execute(&sql, &[&self.tenant, &hold]).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// A call with a key; one in six is sent twice at once, and then exactly one of the two is the replay.
    pub async fn decide<F: Future<Output = Result<Decision, Error>>>(
        &self,
        dice: &mut Dice,
        figures: &mut Figures,
        operation: &str,
        call: impl Fn() -> F,
    ) -> Option<Decision> {
        let start = Instant::now();
        if !dice.one_in(6) {
            let answer = call().await;
            figures.time(start);
            figures.decision(operation, &answer);
            return answer.ok();
        }
        let (one, other) = tokio::join!(call(), call());
        figures.time(start);
        figures.decision(operation, &one);
        figures.decision(operation, &other);
        if let (Ok(one), Ok(other)) = (&one, &other) {
            assert_eq!(one.confirmation, other.confirmation, "one key, one answer");
            assert_ne!(one.is_replay(), other.is_replay(), "one of the two decides");
        }
        one.ok()
    }
}
