//! Two calls with one key at the same moment: one executes, the other replays.

use super::{act::body, audit::assert_whole};
use crate::support::*;
use slotkeeper::{BookingId, Executor, Result, Slotkeeper, booking::*, confirmation::Decision, hold::*};
use std::sync::Arc;
use tokio::sync::Barrier;

/// A recorded call that can be sent from any task.
#[derive(Clone, Debug)]
pub enum Recorded {
    Book(BookPlaces),
    Confirm(ConfirmHold),
    Cancel(CancelBooking),
    Move(MoveBooking),
}

/// The four, and one of several resources, which is another statement.
pub const RECORDED: [&str; 6] = ["book one", "book many", "confirm", "confirm late", "cancel", "move"];

impl Recorded {
    /// Ready to succeed, in a window of its own.
    pub async fn prepare(h: &House, t: &[slotkeeper::ResourceId], name: &str, from: i64) -> Self {
        let (k, db, key) = (&h.keeper, &h.pool, fresh_key());
        let claim = |from| all(t, from, from + 30);
        let booked = async || -> BookingId {
            let new = BookPlaces::new(h.tenant, claim(from), fresh_key());
            k.bookings().book(db, &new).await.unwrap().booking.unwrap()
        };
        match name {
            "book one" => Self::Book(BookPlaces::new(h.tenant, one(t[0], from, from + 30), key)),
            "book many" => Self::Book(BookPlaces::new(h.tenant, claim(from), key)),
            "cancel" => Self::Cancel(CancelBooking::new(h.tenant, booked().await, key)),
            "move" => Self::Move(MoveBooking::new(h.tenant, booked().await, 1, claim(from + 10), key)),
            _ => {
                let hold = k.holds().place(db, &PlaceHold::new(h.tenant, claim(from))).await.unwrap();
                let confirm = ConfirmHold::new(h.tenant, hold.id, key);
                Self::Confirm(if name == "confirm late" { confirm.if_still_free() } else { confirm })
            }
        }
    }

    pub async fn send(&self, k: &Slotkeeper, db: &dyn Executor) -> Result<Decision> {
        match self {
            Self::Book(it) => k.bookings().book(db, it).await,
            Self::Confirm(it) => k.bookings().confirm(db, it).await,
            Self::Cancel(it) => k.bookings().cancel(db, it).await,
            Self::Move(it) => k.bookings().move_to(db, it).await,
        }
    }
}

/// Scenario 46.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_calls_with_one_key_one_executes_and_the_other_replays() {
    let h = Arc::new(House::open().await);
    for name in RECORDED {
        let t = h.tables(2).await;
        let (mut first_won, start) = (0, Arc::new(Barrier::new(2)));
        for round in 0..50 {
            let call = Recorded::prepare(&h, &t, name, round * 60).await;
            let twin = |call: Recorded| {
                let (h, start) = (Arc::clone(&h), Arc::clone(&start));
                tokio::spawn(async move {
                    start.wait().await;
                    call.send(&h.keeper, &h.pool).await.unwrap()
                })
            };
            let (one, two) = tokio::join!(twin(call.clone()), twin(call));
            let (one, two) = (one.unwrap(), two.unwrap());
            assert!(one.outcome.is_success(), "{name}: {one:?}");
            assert_ne!(one.is_replay(), two.is_replay(), "{name}: one executes");
            assert_eq!(body(&one), body(&two), "{name}");
            first_won += i32::from(two.is_replay());
        }
        println!("{name}: the first of the two executed in {first_won} of 50 rounds");
    }
    // 50 of each, and the bookings that were cancelled or moved.
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.confirmations").await, 400);
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.bookings").await, 300);
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.outbox").await, 400);
    assert_whole(&h).await;
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}
