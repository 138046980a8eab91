//! The sweeper cleans up, in batches, and changes no answer.

use super::common::*;

#[tokio::test]
async fn sweeping_goes_in_batches_oldest_first() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let mut holds = Vec::new();
    for n in 0..5 {
        holds.push(hold(&h, all(&t, n * 60, n * 60 + 30)).await.id);
        expire(&h, holds[n as usize]).await;
    }
    let alive = hold(&h, all(&t, 600, 630)).await.id;
    let batch = SweepHolds::new(h.tenant).limit(2);
    let mut done = Vec::new();
    for n in 0..4 {
        let swept = h.keeper.holds().sweep(&h.pool, &batch).await.unwrap();
        done.push((swept.holds, swept.allocations));
        if n == 0 {
            let left = [live(&h, holds[0]).await, live(&h, holds[1]).await, live(&h, holds[2]).await];
            assert_eq!(left, [0, 0, 2], "the oldest first");
        }
    }
    assert_eq!(done, [(2, 4), (2, 4), (1, 2), (0, 0)]);
    assert_eq!(live(&h, alive).await, 2);
    let others = h.keeper.holds().sweep(&h.pool, &SweepHolds::new(TenantId::generate())).await.unwrap();
    assert_eq!(others.holds, 0);
}

/// Every question is answered the same before and after.
#[tokio::test]
async fn sweeping_changes_no_answer() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let holds = [
        hold(&h, all(&t, 0, 30)).await.id,
        hold(&h, one(t[0], 60, 90)).await.id,
        hold(&h, one(t[0], 120, 150)).await.id,
    ];
    expire(&h, holds[0]).await;
    expire(&h, holds[1]).await;
    let taker = hold(&h, one(t[0], 10, 20)).await.id;
    let answers = || async {
        let (k, all_day) = (&h.keeper, window(0, 200));
        let mut said = Vec::new();
        for table in &t {
            let a = k.allocations();
            said.push(format!("{:?}", a.free_windows(&h.pool, h.tenant, *table, all_day).await.unwrap()));
            said.push(format!("{:?}", a.list_by_resource(&h.pool, h.tenant, *table, all_day).await.unwrap()));
            said.push(format!("{:?}", a.is_free(&h.pool, h.tenant, *table, window(20, 40)).await.unwrap()));
        }
        for id in holds.iter().chain([&taker]) {
            said.push(format!("{:?}", k.holds().find(&h.pool, h.tenant, *id).await.unwrap()));
        }
        let later = ExtendHold::new(h.tenant, holds[0], at(0)).unwrap();
        said.push(format!("{:?}", k.holds().extend(&h.pool, &later).await));
        said.push(format!("{:?}", confirm_hold(&h, holds[0]).await.outcome));
        said
    };
    let before = answers().await;
    let swept = sweep(&h).await;
    assert_eq!((swept.holds, swept.allocations), (2, 2), "one of the three rows had been taken over");
    assert_eq!(answers().await, before);
}

/// It skips what somebody is deciding on instead of waiting for it.
#[tokio::test]
async fn sweeping_skips_a_hold_that_is_being_decided_on() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let (busy, idle) = (hold(&h, one(t[0], 0, 30)).await.id, hold(&h, one(t[1], 0, 30)).await.id);
    expire(&h, busy).await;
    expire(&h, idle).await;
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let late = ConfirmHold::new(h.tenant, busy, fresh_key()).if_still_free();
    assert_eq!(h.keeper.bookings().confirm(&tx, &late).await.unwrap().outcome, Outcome::Confirmed);
    assert_eq!(sweep(&h).await.holds, 1);
    tx.commit().await.unwrap();
    assert_eq!(sweep(&h).await.holds, 0, "it is a booking now");
    assert_eq!((live(&h, busy).await, live(&h, idle).await), (1, 0));
}

/// A claim that is taking a row over may yet be rolled back: what is skipped now is for the next sweep.
#[tokio::test]
async fn a_hold_of_which_a_row_was_skipped_is_swept_the_next_time() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let old = hold(&h, all(&t, 0, 30)).await.id;
    expire(&h, old).await;
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    h.keeper.holds().place(&tx, &PlaceHold::new(h.tenant, one(t[0], 0, 30))).await.unwrap();
    let swept = sweep(&h).await;
    assert_eq!((swept.holds, swept.allocations), (0, 1));
    tx.rollback().await.unwrap();
    let swept = sweep(&h).await;
    assert_eq!((swept.holds, swept.allocations), (1, 1));
    assert_eq!(live(&h, old).await, 0);
}

/// `looking_back` bounds what is read, not what is free.
#[tokio::test]
async fn what_expired_long_ago_is_left_to_a_longer_look_back() {
    let h = House::open().await;
    let table = h.table().await;
    let old = hold(&h, one(table, 0, 30)).await.id;
    for t in ["holds", "allocations"] {
        h.sql(&format!("UPDATE slotkeeper.{t} SET expires_at = now() - interval '2 hours'")).await;
    }
    let hour = SweepHolds::new(h.tenant).looking_back(chrono::TimeDelta::hours(1));
    assert_eq!(h.keeper.holds().sweep(&h.pool, &hour).await.unwrap().holds, 0);
    assert!(h.keeper.allocations().is_free(&h.pool, h.tenant, table, window(0, 30)).await.unwrap());
    assert_eq!(sweep(&h).await.holds, 1);
    assert_eq!(live(&h, old).await, 0);
}
