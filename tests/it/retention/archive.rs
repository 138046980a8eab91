//! Past allocations move, whole; live ones are not touched.

use super::*;
use crate::claims::common::{all, cancel, expire, hold, move_to, release, sweep};
use slotkeeper::{
    Pair,
    allocation::Block,
    hold::{HoldStatus, PlaceHold},
};

#[tokio::test]
async fn past_rows_move_whole_and_in_batches() {
    let h = House::open().await;
    let t = h.tables(2).await;
    for from in [0, 60, 120] {
        booked(&h, all(&t, from, from + 30)).await;
    }
    let cancelled = booked(&h, one(t[0], 200, 230)).await;
    let _ = cancel(&h, cancelled).await;
    h.keeper.allocations().block(&h.pool, &Block::new(h.tenant, one(t[1], 200, 230))).await.unwrap();
    age(&h).await;
    let before = allocations(&h, "allocations").await;
    let mut batch = batch(&h).limit(3).unwrap();
    let mut moved = Vec::new();
    loop {
        let done = archive(&h, batch).await;
        assert!(done.set_aside.is_empty());
        moved.push(done.rows);
        assert_eq!(everywhere(&h).await, before, "nothing is lost or doubled on the way");
        let Some(next) = done.next else { break };
        batch = batch.after(next);
    }
    assert_eq!(moved, [3, 3, 2]);
    assert_eq!(rows(&h, "allocations").await, 0);
    assert_eq!(archive(&h, self::batch(&h)).await, Retained::default(), "once is enough");
}

#[tokio::test]
async fn what_is_live_or_waits_stays_as_it_is() {
    let h = House::open().await;
    let t = h.tables(4).await;
    booked(&h, one(t[0], 0, 30)).await;
    let waiting = booked(&h, one(t[3], 0, 30)).await;
    age(&h).await;
    h.sql(&format!(
        "UPDATE slotkeeper.allocations a SET shadow = true FROM slotkeeper.bookings b
          WHERE b.claim_id = a.claim_id AND b.id = '{waiting}'"
    ))
    .await;
    // To come, held, expired but not swept, and one that is half over.
    booked(&h, one(t[0], 0, 30)).await;
    hold(&h, one(t[0], 60, 90)).await;
    let late = hold(&h, one(t[0], 120, 150)).await;
    expire(&h, late.id).await;
    let hours = |n| trunc(chrono::Utc::now() + chrono::TimeDelta::hours(n));
    let span = |from, to| slotkeeper::Window::new(hours(from), hours(to)).unwrap();
    let half =
        [Pair { resource: t[1], window: span(-500, -499) }, Pair { resource: t[2], window: span(500, 501) }];
    booked(&h, Claim::pairs(half).unwrap()).await;
    // Over since yesterday only.
    booked(&h, Claim::one(t[1], span(-30, -23))).await;
    // Released a moment ago.
    let released = booked(&h, one(t[2], 60, 90)).await;
    let _ = cancel(&h, released).await;

    let live = "SELECT md5(string_agg(a::text, '|' ORDER BY a.id)) FROM slotkeeper.allocations a
        WHERE a.created_at > now() - interval '1 year' OR a.shadow";
    let digest =
        async || -> String { h.db.client().await.unwrap().query_one(live, &[]).await.unwrap().get(0) };
    let before = digest().await;
    let done = archive(&h, batch(&h)).await;
    assert_eq!((done.rows, done.next), (1, None), "the first booking alone");
    assert_eq!(digest().await, before);
    assert_eq!(rows(&h, "allocations").await, 8);
    // Control: the digest sees a change.
    h.sql("UPDATE slotkeeper.allocations SET created_at = created_at + interval '1 us' WHERE kind = 'held'")
        .await;
    assert_ne!(digest().await, before);
}

fn trunc(at: chrono::DateTime<chrono::Utc>) -> chrono::DateTime<chrono::Utc> {
    chrono::SubsecRound::trunc_subsecs(at, 6)
}

/// The answer to a repeat is read from the rows of the hold: they stay as long as it does.
#[tokio::test]
async fn a_hold_that_is_kept_keeps_its_rows_and_its_answer() {
    let h = House::open().await;
    let place = PlaceHold::new(h.tenant, one(h.table().await, 0, 30));
    let first = h.keeper.holds().place(&h.pool, &place).await.unwrap();
    release(&h, first.id).await;
    h.sql("UPDATE slotkeeper.allocations SET released_at = released_at - interval '40 days'").await;
    assert_eq!(archive(&h, batch(&h)).await.rows, 0);
    let again = h.keeper.holds().place(&h.pool, &place).await.unwrap();
    assert_eq!((again.pairs, again.status), (first.pairs, HoldStatus::Released));

    h.sql("UPDATE slotkeeper.holds SET placed_at = placed_at - interval '40 days', expires_at = expires_at - interval '40 days'")
        .await;
    let pruned = h.keeper.retention().prune_holds(&h.pool, &batch(&h)).await.unwrap();
    assert_eq!((pruned.rows, rows(&h, "holds").await), (1, 0));
    assert_eq!(archive(&h, batch(&h)).await.rows, 1);
}

#[tokio::test]
async fn a_hold_that_still_occupies_something_is_not_pruned() {
    let h = House::open().await;
    let table = h.table().await;
    let [live, late] = [hold(&h, one(table, 0, 30)).await, hold(&h, one(table, 60, 90)).await];
    expire(&h, late.id).await;
    let back = "placed_at = placed_at - interval '40 days', expires_at = expires_at - interval '40 days'";
    h.sql(&format!("UPDATE slotkeeper.holds SET {back} WHERE id = '{}'", late.id)).await;
    let prune = async || h.keeper.retention().prune_holds(&h.pool, &batch(&h)).await.unwrap().rows;
    assert_eq!(prune().await, 0, "not swept");
    assert_eq!(
        h.keeper
            .holds()
            .sweep(
                &h.pool,
                &slotkeeper::hold::SweepHolds::new(h.tenant).looking_back(chrono::TimeDelta::days(100),)
            )
            .await
            .unwrap()
            .holds,
        1
    );
    assert_eq!(prune().await, 1);
    assert_eq!(
        h.keeper.holds().find(&h.pool, h.tenant, live.id).await.unwrap().unwrap().status,
        HoldStatus::Active
    );
    assert_eq!(sweep(&h).await.holds, 0);
}

#[tokio::test]
async fn a_booking_whose_rows_are_archived_can_be_found_moved_and_cancelled() {
    let h = House::open().await;
    let table = h.table().await;
    let [moved, cancelled] = [booked(&h, one(table, 0, 30)).await, booked(&h, one(table, 60, 90)).await];
    age(&h).await;
    assert_eq!(archive(&h, batch(&h)).await.rows, 2);
    let found = h.keeper.bookings().find(&h.pool, h.tenant, moved).await.unwrap();
    assert_eq!(found.unwrap().revision, 1);
    assert!(move_to(&h, moved, 1, one(table, 300, 330)).await.outcome.is_success());
    assert_eq!(h.keeper.allocations().list_by_booking(&h.pool, h.tenant, moved).await.unwrap().len(), 1);
    assert!(cancel(&h, cancelled).await.outcome.is_success());
    assert!(cancel(&h, moved).await.outcome.is_success());
    assert!(h.keeper.allocations().is_free(&h.pool, h.tenant, table, window(300, 330)).await.unwrap());
}

#[tokio::test]
async fn another_tenants_rows_stay() {
    let h = House::open().await;
    booked(&h, one(h.table().await, 0, 30)).await;
    age(&h).await;
    let other = House { tenant: slotkeeper::TenantId::generate(), ..h };
    let retention = other.keeper.retention();
    assert_eq!(archive(&other, batch(&other)).await.rows, 0);
    assert_eq!(retention.prune_bookings(&other.pool, &batch(&other)).await.unwrap().rows, 0);
    assert_eq!(retention.prune_confirmations(&other.pool, &batch(&other)).await.unwrap().rows, 0);
    assert_eq!(rows(&other, "allocations").await, 1);
}
