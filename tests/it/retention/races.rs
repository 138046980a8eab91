//! Retention at work among writers.

use super::*;
use crate::claims::common::Dice;
use slotkeeper::{
    booking::{CancelBooking, MoveBooking},
    retention::RetentionPolicy,
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Long past, so that a booking can be archived as soon as it is made.
const PAST: i64 = -10_000_000;

/// What one writer did: how many allocations it was given, and what it was told.
type Told = (u64, BTreeMap<String, u64>);

async fn writer(h: Arc<House>, tables: Vec<slotkeeper::ResourceId>, seed: u64, until: Instant) -> Told {
    let mut dice = Dice::new(seed);
    let (mut given, mut told) = (0, BTreeMap::new());
    while Instant::now() < until {
        let from = PAST + 30 * i64::try_from(dice.below(8)).unwrap();
        let some = dice.shuffled(&tables);
        let claim = all(&some[..1 + dice.below(2)], from, from + 45);
        let decision = book(&h, claim).await;
        given += decision.snapshot.allocations.len() as u64 * u64::from(decision.outcome.is_success());
        *told.entry(format!("book {}", decision.outcome.code())).or_default() += 1;
        let Some(booking) = decision.booking else { continue };
        let bookings = h.keeper.bookings();
        let (what, decision) = if dice.below(2) == 0 {
            let to = MoveBooking::new(h.tenant, booking, 1, one(some[2], from, from + 45), fresh_key());
            ("move", bookings.move_to(&h.pool, &to).await.unwrap())
        } else {
            (
                "cancel",
                bookings.cancel(&h.pool, &CancelBooking::new(h.tenant, booking, fresh_key())).await.unwrap(),
            )
        };
        if what == "move" && decision.outcome.is_success() {
            given += decision.snapshot.allocations.len() as u64;
        }
        *told.entry(format!("{what} {}", decision.outcome.code())).or_default() += 1;
    }
    (given, told)
}

/// Eight writers on the very rows that two archivists take away: no deadlock, no error, no allocation lost or doubled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_and_archivists_do_not_deadlock_and_lose_nothing() {
    let h = Arc::new(House::open().await);
    let tables = h.tables(5).await;
    let until = Instant::now() + Duration::from_secs(4);
    let writers: Vec<_> =
        (0..8).map(|seed| tokio::spawn(writer(h.clone(), tables.clone(), seed, until))).collect();
    let over = Arc::new(AtomicBool::new(false));
    let archivists: Vec<_> = (0..2)
        .map(|_| {
            let (h, over) = (h.clone(), over.clone());
            tokio::spawn(async move {
                let policy = RetentionPolicy::new().allocations(days(1)).batch(7).unwrap();
                let mut rows = 0;
                while !over.load(Ordering::Relaxed) {
                    let report = h.keeper.retention().run(&h.pool, h.tenant, &policy).await.unwrap();
                    assert!(report.allocations.set_aside.is_empty());
                    rows += report.allocations.rows;
                }
                rows
            })
        })
        .collect();
    let (mut given, mut told) = (0, BTreeMap::new());
    for writer in writers {
        let (some, answers) = writer.await.unwrap();
        given += some;
        answers.into_iter().for_each(|(answer, n)| *told.entry(answer).or_insert(0) += n);
    }
    over.store(true, Ordering::Relaxed);
    let mut moved = 0;
    for archivist in archivists {
        moved += archivist.await.unwrap();
    }
    println!("{given} allocations, {moved} archived meanwhile: {told:?}");
    assert!(moved > 20 && told.len() >= 3, "they hardly met");
    let [live, archived] = [rows(&h, "allocations").await, rows(&h, "allocations_archive").await];
    assert_eq!((live + archived) as u64, given);
    assert_eq!(archived as u64, moved);
    let both = "SELECT count(*) FROM slotkeeper.allocations JOIN slotkeeper.allocations_archive USING (tenant_id, id)";
    assert_eq!(h.count(both).await, 0);
    assert_eq!(h.overlaps().await, 0);
    let damage = damage(&h).await;
    assert!(damage.is_empty(), "{damage:?}");
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}
