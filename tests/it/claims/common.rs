//! Short forms of the calls these tests make over and over.

pub use crate::support::*;
pub use slotkeeper::{
    Actor, AllocationId, Buffers, Claim, CustomerRef, Error, HoldId, HoldPolicy, IdempotencyKey,
    InvalidInput, JsonObject, Reference, ResourceId, Slotkeeper, TenantId, Ttl, Window, allocation::*,
    booking::*, confirmation::*, hold::*,
};
pub use std::{future::Future, sync::Arc};
use tokio::sync::Barrier;

pub async fn try_hold(h: &House, claim: Claim) -> Result<Hold, Error> {
    h.keeper.holds().place(&h.pool, &PlaceHold::new(h.tenant, claim)).await
}

pub async fn hold(h: &House, claim: Claim) -> Hold {
    try_hold(h, claim).await.expect("a hold")
}

/// Books under a key of its own.
pub async fn book(h: &House, claim: Claim) -> Decision {
    let request = BookPlaces::new(h.tenant, claim, fresh_key());
    h.keeper.bookings().book(&h.pool, &request).await.expect("a decision")
}

pub async fn booked(h: &House, claim: Claim) -> slotkeeper::BookingId {
    book(h, claim).await.into_result().expect("a booking")
}

pub async fn confirm(h: &House, request: ConfirmHold) -> Decision {
    h.keeper.bookings().confirm(&h.pool, &request).await.expect("a decision")
}

/// Confirms a hold under a key of its own.
pub async fn confirm_hold(h: &House, hold: HoldId) -> Decision {
    confirm(h, ConfirmHold::new(h.tenant, hold, fresh_key())).await
}

pub async fn release(h: &House, hold: HoldId) {
    h.keeper.holds().release(&h.pool, &ReleaseHold::new(h.tenant, hold)).await.expect("released");
}

pub async fn cancel(h: &House, booking: slotkeeper::BookingId) -> Decision {
    let request = CancelBooking::new(h.tenant, booking, fresh_key());
    h.keeper.bookings().cancel(&h.pool, &request).await.expect("a decision")
}

pub async fn move_to(h: &House, booking: slotkeeper::BookingId, revision: i32, to: Claim) -> Decision {
    let request = MoveBooking::new(h.tenant, booking, revision, to, fresh_key());
    h.keeper.bookings().move_to(&h.pool, &request).await.expect("a decision")
}

/// Makes a hold's time be over since a millisecond, by the database's clock.
pub async fn expire(h: &House, hold: HoldId) {
    let past = "statement_timestamp() - interval '1 millisecond'";
    h.sql(&format!(
        "BEGIN; UPDATE slotkeeper.holds SET expires_at = {past} WHERE id = '{hold}';
         UPDATE slotkeeper.allocations SET expires_at = {past} WHERE claim_id = '{hold}' AND kind = 'held'; COMMIT"
    ))
    .await;
}

pub async fn sweep(h: &House) -> Swept {
    h.keeper.holds().sweep(&h.pool, &SweepHolds::new(h.tenant)).await.expect("swept")
}

/// How many decisions are on record.
pub async fn recorded(h: &House) -> i64 {
    h.count("SELECT count(*) FROM slotkeeper.confirmations").await
}

/// How many live rows a claim has.
pub async fn live(h: &House, claim: impl std::fmt::Display) -> i64 {
    let query = "SELECT count(*) FROM slotkeeper.allocations WHERE released_at IS NULL AND claim_id";
    h.count(&format!("{query} = '{claim}'")).await
}

/// Whom a refused decision names.
pub fn named(decision: &Decision) -> Vec<AllocationId> {
    let Outcome::Conflict { blockers } = &decision.outcome else { panic!("{:?}", decision.outcome) };
    blockers.iter().filter_map(|blocker| blocker.allocation).collect()
}

/// Whom a refused hold names.
pub fn refused_by(answer: &Result<Hold, Error>) -> Vec<AllocationId> {
    let Err(Error::Conflict { blockers }) = answer else { panic!("{answer:?}") };
    blockers.iter().filter_map(|blocker| blocker.allocation).collect()
}

/// The allocations a decision took.
pub fn taken(decision: &Decision) -> Vec<AllocationId> {
    decision.snapshot.allocations.iter().map(|allocation| allocation.id).collect()
}

/// Runs all calls at once, from one barrier.
pub async fn race<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    calls: impl IntoIterator<Item = F>,
) -> Vec<T> {
    let calls: Vec<F> = calls.into_iter().collect();
    let barrier = Arc::new(Barrier::new(calls.len()));
    let tasks: Vec<_> = calls
        .into_iter()
        .map(|call| {
            let barrier = barrier.clone();
            tokio::spawn(async move {
                barrier.wait().await;
                call.await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("a task that does not panic"));
    }
    answers
}

/// Opens connections and prepares on them, so that a race is not decided by who connects first.
pub async fn warm(h: &House, connections: usize) {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(h.pool.get().await.expect("a connection"));
    }
    for client in &clients {
        h.keeper.warm(client).await.expect("prepared");
    }
}

/// Returns once so many sessions of this database wait for another one's lock.
pub async fn until_waiting(h: &House, sessions: i64) {
    let client = h.db.client().await.expect("a client");
    let query = "SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let patience = std::time::Instant::now();
    while client.query_one(query, &[]).await.expect("a count").get::<_, i64>(0) < sessions {
        assert!(patience.elapsed().as_secs() < 10, "nobody waits");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

/// Numbers that look random and are the same in every run.
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    pub fn shuffled<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        let mut items = items.to_vec();
        for n in (1..items.len()).rev() {
            items.swap(n, self.below(n + 1));
        }
        items
    }
}

/// Returns once the database's clock has passed an instant.
pub async fn until(h: &House, instant: chrono::DateTime<chrono::Utc>) {
    let wait = "SELECT pg_sleep(greatest(0, extract(epoch FROM $1 - clock_timestamp()) + 0.002)::float8)";
    h.db.client().await.expect("a client").execute(wait, &[&instant]).await.expect("slept");
}
