//! A payment that comes after the hold's time: what happens depends on the place, never on a sweeper.

use super::common::*;

fn late(h: &House, hold: HoldId) -> ConfirmHold {
    ConfirmHold::new(h.tenant, hold, fresh_key())
}

async fn digest_of_booking(h: &House, booking: slotkeeper::BookingId) -> (Option<Booking>, Vec<Allocation>) {
    (
        h.keeper.bookings().find(&h.pool, h.tenant, booking).await.unwrap(),
        h.keeper.allocations().list_by_booking(&h.pool, h.tenant, booking).await.unwrap(),
    )
}

/// Scenario 36.
#[tokio::test]
async fn a_late_confirm_of_a_taken_place_expires_and_leaves_the_taker_alone() {
    let h = House::open().await;
    let t = h.tables(2).await;
    for swept in [false, true] {
        let from = if swept { 100 } else { 0 };
        let a = hold(&h, all(&t, from, from + 30)).await;
        expire(&h, a.id).await;
        if swept {
            assert_eq!(sweep(&h).await.allocations, 2);
        }
        let b = book(&h, one(t[0], from + 10, from + 20)).await;
        let before = digest_of_booking(&h, b.booking.unwrap()).await;
        assert_eq!(confirm(&h, late(&h, a.id)).await.outcome, Outcome::HoldExpired);
        let refused = confirm(&h, late(&h, a.id).if_still_free()).await;
        assert_eq!(named(&refused), taken(&b), "if it is still free: it is not, and this is why");
        let whole = h.digest().await;
        release(&h, a.id).await;
        if swept {
            assert_ne!(h.digest().await, whole, "the hold itself is released");
        }
        assert_eq!(digest_of_booking(&h, b.booking.unwrap()).await, before, "B is untouched");
        assert_eq!(live(&h, a.id).await, 0);
    }
    assert_eq!(h.overlaps().await, 0);
}

/// Scenario 37.
#[tokio::test]
async fn a_late_confirm_of_a_free_place_succeeds_whether_it_was_swept_or_not() {
    let h = House::open().await;
    let t = h.tables(2).await;
    for swept in [false, true] {
        let from = if swept { 100 } else { 0 };
        let a = hold(&h, all(&t, from, from + 30)).await;
        expire(&h, a.id).await;
        if swept {
            assert_eq!(sweep(&h).await.holds, 1);
        }
        assert_eq!(confirm(&h, late(&h, a.id)).await.outcome, Outcome::HoldExpired, "unless asked for");
        let confirmed = confirm(&h, late(&h, a.id).if_still_free()).await;
        assert_eq!(confirmed.outcome, Outcome::Confirmed);
        let booking = confirmed.booking.unwrap();
        let places = h.keeper.allocations().list_by_booking(&h.pool, h.tenant, booking).await.unwrap();
        let places: Vec<_> = places.iter().map(|place| (place.id, place.kind)).collect();
        let recorded: Vec<_> = taken(&confirmed).into_iter().map(|id| (id, AllocationKind::Booked)).collect();
        assert_eq!(places, recorded);
        assert_eq!(confirmed.snapshot.resources.len(), 2);
        assert!(try_hold(&h, one(t[1], from, from + 10)).await.is_err(), "the place is held again");
    }
}

/// Scenario 37, with somebody who had the place meanwhile and let it go.
#[tokio::test]
async fn a_late_confirm_succeeds_after_a_taker_has_let_the_place_go_again() {
    let h = House::open().await;
    let t = h.tables(2).await;
    for swept in [false, true] {
        let from = if swept { 100 } else { 0 };
        let a = hold(&h, all(&t, from, from + 30)).await;
        expire(&h, a.id).await;
        if swept {
            sweep(&h).await;
        }
        let b = hold(&h, one(t[1], from, from + 30)).await;
        assert_eq!(confirm(&h, late(&h, a.id).if_still_free()).await.outcome.code(), "conflict");
        release(&h, b.id).await;
        assert_eq!(confirm(&h, late(&h, a.id)).await.outcome, Outcome::HoldExpired);
        assert_eq!(confirm(&h, late(&h, a.id).if_still_free()).await.outcome, Outcome::Confirmed);
        assert_eq!(live(&h, a.id).await, 2);
    }
}

/// An expired taker is no taker: its rows give way like any other expired ones.
#[tokio::test]
async fn a_late_confirm_takes_over_a_taker_whose_time_is_over_too() {
    let h = House::open().await;
    let table = h.table().await;
    let a = hold(&h, one(table, 0, 30)).await;
    expire(&h, a.id).await;
    let b = hold(&h, one(table, 10, 40)).await;
    expire(&h, b.id).await;
    assert_eq!(confirm(&h, late(&h, a.id).if_still_free()).await.outcome, Outcome::Confirmed);
    assert_eq!((live(&h, a.id).await, live(&h, b.id).await), (1, 0));
    assert_eq!(confirm(&h, late(&h, b.id).if_still_free()).await.outcome.code(), "conflict");
}

/// Two holds that expired one after the other on one place: both pay late, at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_late_confirms_of_one_place_one_wins() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    warm(&h, 2).await;
    for round in 0..20 {
        let mut ids = Vec::new();
        for _ in 0..2 {
            ids.push(hold(&h, all(&t, round * 60, round * 60 + 30)).await.id);
            expire(&h, ids[ids.len() - 1]).await;
        }
        let mut codes: Vec<_> = race(ids.into_iter().map(|id| {
            let h = h.clone();
            async move { confirm(&h, late(&h, id).if_still_free()).await.outcome.code() }
        }))
        .await;
        codes.sort_unstable();
        assert_eq!(codes, ["confirmed", "conflict"]);
    }
    assert_eq!(h.overlaps().await, 0);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// A place taken out of sale meanwhile was promised as long as the hold lasts, however it is confirmed.
#[tokio::test]
async fn a_hold_of_a_resource_taken_out_of_sale_can_still_be_confirmed() {
    let h = House::open().await;
    let t = h.tables(2).await;
    for (n, ask) in
        [late(&h, hold(&h, one(t[0], 0, 30)).await.id), late(&h, hold(&h, one(t[1], 0, 30)).await.id)]
            .into_iter()
            .enumerate()
    {
        h.keeper.resources().deactivate(&h.pool, h.tenant, t[n]).await.unwrap();
        let ask = if n == 0 { ask } else { ask.if_still_free() };
        assert_eq!(confirm(&h, ask).await.outcome, Outcome::Confirmed);
    }
}

/// Once its time is over nothing is promised: confirming it is a new claim, and refused like any. Nothing is recorded, so
/// the same key serves when the resource is on sale again.
#[tokio::test]
async fn a_late_confirm_is_a_new_claim_and_needs_every_resource_on_sale() {
    let h = House::open().await;
    for swept in [false, true] {
        let t = h.tables(2).await;
        let a = hold(&h, all(&t, 0, 30)).await;
        expire(&h, a.id).await;
        if swept {
            assert_eq!(sweep(&h).await.allocations, 2);
        }
        let off = h.keeper.resources().deactivate(&h.pool, h.tenant, t[1]).await.unwrap();
        let (before, ask) = (h.digest().await, late(&h, a.id).if_still_free());
        let refused = h.keeper.bookings().confirm(&h.pool, &ask).await;
        assert!(
            matches!(&refused, Err(Error::ResourceNotFound { resources }) if resources[..] == t[1..]),
            "{refused:?}"
        );
        assert_eq!(h.digest().await, before, "swept: {swept}");
        let on = slotkeeper::resource::UpdateResource::from(h.tenant, &off).active(true);
        h.keeper.resources().update(&h.pool, &on).await.unwrap();
        assert_eq!(confirm(&h, ask).await.outcome, Outcome::Confirmed);
    }
}

/// Deactivated while the late confirm waits for the resource: what counts is what it then finds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_confirm_that_waited_for_the_deactivation_is_refused() {
    let h = Arc::new(House::open().await);
    let table = h.table().await;
    let a = hold(&h, one(table, 0, 30)).await;
    expire(&h, a.id).await;
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    h.keeper.resources().deactivate(&tx, h.tenant, table).await.unwrap();
    let (other, ask) = (Arc::clone(&h), late(&h, a.id).if_still_free());
    let waiting = tokio::spawn(async move { other.keeper.bookings().confirm(&other.pool, &ask).await });
    until_waiting(&h, 1).await;
    tx.commit().await.unwrap();
    let refused = waiting.await.unwrap();
    assert!(matches!(&refused, Err(Error::ResourceNotFound { .. })), "{refused:?}");
}

/// The ways to confirm: the fast form, under an id of the caller's, and one that may claim anew.
fn ways(h: &House, hold: HoldId) -> [ConfirmHold; 3] {
    let booking = slotkeeper::BookingId::generate();
    [late(h, hold), late(h, hold).as_booking(booking), late(h, hold).if_still_free()]
}

/// A hold of two tables for a second, which somebody else locks, and a confirm that waits for it until it has expired.
/// Then `meanwhile` happens, the lock goes, and this is what the confirm came to.
async fn confirmed_after_a_wait(
    h: &Arc<House>,
    way: usize,
    lock: &str,
    from: i64,
    meanwhile: impl AsyncFnOnce(&[ResourceId]),
) -> Decision {
    let t = h.tables(2).await;
    let brief = PlaceHold::new(h.tenant, all(&t, from, from + 30));
    let brief = brief.ttl(Ttl::new(chrono::TimeDelta::seconds(1)).unwrap());
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let a = h.keeper.holds().place(&h.pool, &brief).await.unwrap();
    tx.execute(lock, &[&a.id]).await.unwrap();
    let (other, ask) = (Arc::clone(h), ways(h, a.id)[way].clone());
    let waiting = tokio::spawn(async move { confirm(&other, ask).await });
    until_waiting(h, 1).await;
    until(h, a.expires_at).await;
    meanwhile(&t).await;
    tx.commit().await.unwrap();
    let decision = waiting.await.unwrap();
    // A claim anew that met the rival only when it wrote was sent once more, and began after.
    let again = decision.outcome.code() == "conflict";
    assert_eq!(decision.decided_at < a.expires_at, !again);
    decision
}

const HOLD: &str = "SELECT FROM slotkeeper.holds WHERE id = $1 FOR UPDATE";
const PLACE: &str = "SELECT FROM slotkeeper.allocations WHERE claim_id = $1 LIMIT 1 FOR UPDATE";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirm_that_waited_past_the_expiry_is_in_time_if_nobody_took_the_place() {
    let h = Arc::new(House::open().await);
    for way in 0..3 {
        for lock in [HOLD, PLACE] {
            let confirmed = confirmed_after_a_wait(&h, way, lock, 0, async |_| {}).await;
            assert_eq!(confirmed.outcome, Outcome::Confirmed, "{way} {lock}");
        }
    }
    assert_audit(&h).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirm_that_waited_past_the_expiry_is_late_if_a_rival_took_a_place() {
    let h = Arc::new(House::open().await);
    for (way, expected) in ["hold_expired", "hold_expired", "conflict"].into_iter().enumerate() {
        let mut rival = None;
        let refused = confirmed_after_a_wait(&h, way, HOLD, 0, async |t| {
            rival = Some(book(&h, one(t[1], 10, 20)).await);
        })
        .await;
        let rival = rival.unwrap();
        assert_eq!(rival.outcome, Outcome::Confirmed);
        assert_eq!(refused.outcome.code(), expected, "{way}");
        if expected == "conflict" {
            assert_eq!(named(&refused), taken(&rival));
        }
        assert_eq!(refused.booking, None);
    }
    assert_eq!(h.overlaps().await, 0);
    assert_audit(&h).await;
}
