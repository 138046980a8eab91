//! Everybody wants the same hold.

use super::{audit::assert_whole, state::expire};
use crate::support::*;
use chrono::TimeDelta;
use slotkeeper::{Error, HoldId, booking::*, confirmation::Outcome, hold::*};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_confirms_of_one_hold_are_one_booking_and_nineteen_recorded_refusals() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    for late in [false, true] {
        let from = i64::from(late) * 60;
        let hold = h
            .keeper
            .holds()
            .place(&h.pool, &PlaceHold::new(h.tenant, all(&t, from, from + 30)))
            .await
            .unwrap();
        let (start, mut tasks) = (Arc::new(Barrier::new(20)), JoinSet::new());
        for _ in 0..20 {
            let (h, start) = (Arc::clone(&h), Arc::clone(&start));
            let confirm = ConfirmHold::new(h.tenant, hold.id, fresh_key());
            let confirm = if late { confirm.if_still_free() } else { confirm };
            tasks.spawn(async move {
                start.wait().await;
                h.keeper.bookings().confirm(&h.pool, &confirm).await.unwrap()
            });
        }
        let decisions = tasks.join_all().await;
        let count = |wanted: &Outcome| decisions.iter().filter(|it| it.outcome == *wanted).count();
        assert_eq!((count(&Outcome::Confirmed), count(&Outcome::HoldConsumed)), (1, 19), "{decisions:?}");
        assert!(decisions.iter().all(|it| !it.is_replay()));
    }
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.confirmations").await, 40);
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.bookings").await, 2);
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.outbox").await, 2);
    assert_whole(&h).await;
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// What each of those who want the hold came to.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum End {
    /// Has the place from now on.
    Took,
    /// Ended the hold, or did not end it, without taking the place.
    Done,
    Refused,
}

const CALLS: [&str; 8] =
    ["confirm", "confirm late", "release", "extend", "replace", "sweep", "take over one", "take over two"];

async fn call(h: &House, t: &[slotkeeper::ResourceId], hold: &Hold, name: &str) -> End {
    let (k, db) = (&h.keeper, &h.pool);
    let took = |result: Result<Hold, Error>| match result {
        Ok(_) => End::Took,
        Err(Error::Conflict { .. } | Error::HoldReleased | Error::HoldConsumed) => End::Refused,
        Err(error) => panic!("{name}: {error:?}"),
    };
    let done = |result: Result<(), Error>| match result {
        Ok(()) => End::Done,
        Err(Error::HoldReleased | Error::HoldConsumed | Error::HoldExpired) => End::Refused,
        Err(error) => panic!("{name}: {error:?}"),
    };
    let confirm = ConfirmHold::new(h.tenant, hold.id, fresh_key());
    match name {
        "confirm" | "confirm late" => {
            let confirm = if name == "confirm" { confirm } else { confirm.if_still_free() };
            let decision =
                k.bookings().confirm(db, &confirm).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            if decision.outcome.is_success() { End::Took } else { End::Refused }
        }
        "release" => done(k.holds().release(db, &ReleaseHold::new(h.tenant, hold.id)).await),
        "extend" => {
            let until = hold.placed_at + TimeDelta::hours(1);
            done(k.holds().extend(db, &ExtendHold::new(h.tenant, hold.id, until).unwrap()).await.map(drop))
        }
        "replace" => {
            let new =
                PlaceHold::new(h.tenant, slotkeeper::Claim::all(t.iter().copied(), hold.window).unwrap());
            took(k.holds().replace(db, &ReplaceHold::new(hold.id, new)).await)
        }
        "sweep" => done(k.holds().sweep(db, &SweepHolds::new(h.tenant)).await.map(drop)),
        _ => {
            let count = if name == "take over one" { 1 } else { 2 };
            let claim = slotkeeper::Claim::all(t[..count].iter().copied(), hold.window).unwrap();
            took(k.holds().place(db, &PlaceHold::new(h.tenant, claim)).await)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_wants_the_same_hold_at_once_at_most_one_gets_its_place() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    let mut tally = [[0; 3]; CALLS.len()];
    for round in 0..200_usize {
        let from = i64::try_from(round).unwrap() * 60;
        let hold = h
            .keeper
            .holds()
            .place(&h.pool, &PlaceHold::new(h.tenant, all(&t, from, from + 30)))
            .await
            .unwrap();
        let hold = Arc::new(hold);
        match round % 3 {
            0 => {}
            1 => expire(&h, hold.id).await,
            _ => expire_soon(&h, hold.id).await,
        }
        let (start, mut tasks) = (Arc::new(Barrier::new(CALLS.len())), JoinSet::new());
        for n in 0..CALLS.len() {
            // Another one goes first in each round.
            let n = (n * 3 + round) % CALLS.len();
            let (h, hold, start, t) = (Arc::clone(&h), Arc::clone(&hold), Arc::clone(&start), t.clone());
            tasks.spawn(async move {
                start.wait().await;
                (n, call(&h, &t, &hold, CALLS[n]).await)
            });
        }
        let ends = tasks.join_all().await;
        let took: Vec<_> = ends.iter().filter(|(_, end)| *end == End::Took).map(|(n, _)| CALLS[*n]).collect();
        // The two confirms and the replacement may follow upon one another only by taking the hold: one of all.
        assert!(took.len() <= 1, "{took:?} in round {round}");
        for (n, end) in ends {
            tally[n][end as usize] += 1;
        }
    }
    for (name, [took, done, refused]) in CALLS.iter().zip(tally) {
        println!("{name}: took {took}, done {done}, refused {refused}");
    }
    let taken: i32 = tally.iter().map(|it| it[0]).sum();
    assert!(taken > 100, "the race was about something: {taken}");
    assert_whole(&h).await;
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// Its time is over while they race.
async fn expire_soon(h: &House, hold: HoldId) {
    let text = format!(
        "UPDATE slotkeeper.holds SET expires_at = clock_timestamp() + interval '2 ms' WHERE id = '{hold}';
         UPDATE slotkeeper.allocations a SET expires_at = h.expires_at FROM slotkeeper.holds h
          WHERE a.claim_id = h.id AND h.id = '{hold}'"
    );
    h.pool.get().await.unwrap().batch_execute(&text).await.unwrap();
}
