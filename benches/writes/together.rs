//! Several independent writes at a time on one connection: what waiting costs, and how much of it can be shared.
//! Times are of one write.

use crate::support::{House, fresh_key};
use futures_util::future::join_all;
use slotkeeper::{Claim, booking::BookPlaces, hold::PlaceHold};
use std::time::{Duration, Instant};

/// Writes in flight, or in a transaction.
const TOGETHER: u64 = 8;

/// For `n` single writes, when so many batches took so long.
fn for_single(n: u64, batches: u64, took: Duration) -> Duration {
    took.mul_f64(n as f64 / (batches * TOGETHER) as f64)
}

/// Eight places in flight: one connection, eight transactions, no waiting for each other's answers.
pub async fn place_pipelined(house: &mut House, n: u64) -> Duration {
    let batches = n.div_ceil(TOGETHER);
    let mut took = Duration::ZERO;
    for _ in 0..batches {
        let new: Vec<_> = (0..TOGETHER)
            .map(|_| house.place())
            .map(|(tenant, table, window)| PlaceHold::new(tenant, Claim::one(table, window)))
            .collect();
        let start = Instant::now();
        let holds = house.keeper.holds();
        for placed in join_all(new.iter().map(|new| holds.place(&house.client, new))).await {
            placed.expect("a free place");
        }
        took += start.elapsed();
    }
    for_single(n, batches, took)
}

/// Eight bookings in flight inside one transaction of the caller's: one wait for the disk.
pub async fn book_in_transaction(house: &mut House, n: u64) -> Duration {
    let batches = n.div_ceil(TOGETHER);
    let mut took = Duration::ZERO;
    for _ in 0..batches {
        let new: Vec<_> = (0..TOGETHER)
            .map(|_| house.place())
            .map(|(tenant, table, window)| BookPlaces::new(tenant, Claim::one(table, window), fresh_key()))
            .collect();
        let start = Instant::now();
        let bookings = house.keeper.bookings();
        let transaction = house.client.transaction().await.expect("a transaction");
        for booked in join_all(new.iter().map(|new| bookings.book(&transaction, new))).await {
            booked.expect("a decision").into_result().expect("a free place");
        }
        transaction.commit().await.expect("committed");
        took += start.elapsed();
    }
    for_single(n, batches, took)
}
