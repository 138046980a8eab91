use crate::support::*;
use chrono::TimeDelta;
use slotkeeper::{
    Buffers, Error, HoldPolicy, Slotkeeper, allocation::*, booking::*, confirmation::Outcome, hold::*,
};
use std::time::Instant;

#[tokio::test]
async fn everything_once() {
    let h = House::open().await;
    let t = h.tables(3).await;
    let k = &h.keeper;
    k.warm(&h.pool).await.unwrap();
    let hold = k.holds().place(&h.pool, &PlaceHold::new(h.tenant, one(t[0], 600, 660))).await.unwrap();
    let again = k
        .holds()
        .place(&h.pool, &PlaceHold::new(h.tenant, one(t[0], 600, 660)).with_id(hold.id))
        .await
        .unwrap();
    assert_eq!(hold, again);
    let err = k.holds().place(&h.pool, &PlaceHold::new(h.tenant, one(t[0], 630, 690))).await.unwrap_err();
    assert!(matches!(&err, Error::Conflict { blockers } if blockers.len() == 1), "{err:?}");
    let err = k.holds().place(&h.pool, &PlaceHold::new(h.tenant, all(&t, 630, 690))).await.unwrap_err();
    assert!(matches!(&err, Error::Conflict { blockers } if blockers.len() == 1), "{err:?}");
    let two = k.holds().place(&h.pool, &PlaceHold::new(h.tenant, all(&t[1..], 630, 690))).await.unwrap();
    let kk = key("a");
    let c = k.bookings().confirm(&h.pool, &ConfirmHold::new(h.tenant, two.id, kk.clone())).await.unwrap();
    assert_eq!(c.outcome, Outcome::Confirmed);
    let r = k.bookings().confirm(&h.pool, &ConfirmHold::new(h.tenant, two.id, kk.clone())).await.unwrap();
    assert!(r.is_replay());
    assert_eq!(r.snapshot, c.snapshot);
    let b =
        k.bookings().book(&h.pool, &BookPlaces::new(h.tenant, one(t[0], 700, 730), key("b"))).await.unwrap();
    assert_eq!(b.outcome, Outcome::Confirmed);
    let b2 =
        k.bookings().book(&h.pool, &BookPlaces::new(h.tenant, one(t[0], 700, 730), key("c"))).await.unwrap();
    assert!(matches!(b2.outcome, Outcome::Conflict { .. }));
    let b3 =
        k.bookings().book(&h.pool, &BookPlaces::new(h.tenant, all(&t, 800, 830), key("d"))).await.unwrap();
    assert_eq!(b3.outcome, Outcome::Confirmed);
    let m = k
        .bookings()
        .move_to(
            &h.pool,
            &MoveBooking::new(h.tenant, b3.booking.unwrap(), 1, all(&t[..2], 810, 840), key("e")),
        )
        .await
        .unwrap();
    assert_eq!(m.outcome, Outcome::Moved);
    let x = k
        .bookings()
        .cancel(&h.pool, &CancelBooking::new(h.tenant, b3.booking.unwrap(), key("f")))
        .await
        .unwrap();
    assert_eq!(x.outcome, Outcome::Cancelled);
    println!("{:#?}", k.bookings().find(&h.pool, h.tenant, b3.booking.unwrap()).await.unwrap());
    assert!(k.allocations().is_free(&h.pool, h.tenant, t[0], window(810, 840)).await.unwrap());
    assert!(!k.allocations().is_free(&h.pool, h.tenant, t[0], window(710, 740)).await.unwrap());
    let bl = k.allocations().block(&h.pool, &Block::new(h.tenant, all(&t, 900, 930))).await.unwrap();
    println!("{:?}", k.allocations().free_windows(&h.pool, h.tenant, t[0], window(600, 1000)).await.unwrap());
    k.allocations().unblock(&h.pool, h.tenant, bl).await.unwrap();
    let rep = k
        .holds()
        .replace(&h.pool, &ReplaceHold::new(hold.id, PlaceHold::new(h.tenant, all(&t, 570, 630))))
        .await
        .unwrap();
    println!(
        "{:?}",
        k.holds()
            .extend(
                &h.pool,
                &ExtendHold::new(h.tenant, rep.id, rep.expires_at + TimeDelta::hours(1)).unwrap()
            )
            .await
            .unwrap()
    );
    h.sql("UPDATE slotkeeper.holds SET expires_at = now() - interval '1 ms' WHERE status='active'; UPDATE slotkeeper.allocations SET expires_at = now() - interval '1 ms' WHERE kind='held'").await;
    println!("{:?}", k.holds().sweep(&h.pool, &SweepHolds::new(h.tenant)).await.unwrap());
    let late = k
        .bookings()
        .confirm(&h.pool, &ConfirmHold::new(h.tenant, rep.id, key("late")).if_still_free())
        .await
        .unwrap();
    assert_eq!(late.outcome, Outcome::Confirmed);
    println!(
        "{:#?}",
        k.confirmations().list_by_booking(&h.pool, h.tenant, late.booking.unwrap()).await.unwrap()
    );
    println!("{:?}", k.outbox().list(&h.pool, h.tenant, 100).await.unwrap().len());
    println!("{:?}", k.bookings().history(&h.pool, h.tenant, b3.booking.unwrap()).await.unwrap());
    let limited = Slotkeeper::new().with_hold_policy(HoldPolicy::new().active_per_actor(1));
    let actor = slotkeeper::Actor::new("me").unwrap();
    limited
        .holds()
        .place(&h.pool, &PlaceHold::new(h.tenant, one(t[0], 1200, 1230)).actor(actor.clone()))
        .await
        .unwrap();
    let e = limited
        .holds()
        .place(&h.pool, &PlaceHold::new(h.tenant, one(t[0], 1300, 1330)).actor(actor.clone()))
        .await
        .unwrap_err();
    assert!(matches!(e, Error::TooManyHolds { limit: 1 }), "{e:?}");
    let mut c = h.pool.get().await.unwrap();
    let tx = c.transaction().await.unwrap();
    let e = k.holds().place(&tx, &PlaceHold::new(h.tenant, all(&t, 1200, 1230))).await.unwrap_err();
    assert!(matches!(e, Error::Conflict { .. }), "{e:?}");
    k.holds().place(&tx, &PlaceHold::new(h.tenant, all(&t, 1400, 1430))).await.unwrap();
    tx.commit().await.unwrap();
    let mut bare = h.db.client().await.unwrap();
    let _ =
        k.bookings().book(&bare, &BookPlaces::new(h.tenant, one(t[2], 10, 20), key("bare"))).await.unwrap();
    let tx = bare.transaction().await.unwrap();
    let _ = k.bookings().book(&tx, &BookPlaces::new(h.tenant, all(&t, 30, 40), key("bare2"))).await.unwrap();
    tx.commit().await.unwrap();
    let _ = Buffers::default();
    assert_eq!(h.overlaps().await, 0);
    let start = Instant::now();
    for n in 0..500 {
        k.holds()
            .place(&h.pool, &PlaceHold::new(h.tenant, one(t[0], 10_000 + n * 10, 10_010 + n * 10)))
            .await
            .unwrap();
    }
    println!("place {:?}", start.elapsed() / 500);
    let start = Instant::now();
    for n in 0..500 {
        let _ = k
            .bookings()
            .book(
                &h.pool,
                &BookPlaces::new(h.tenant, one(t[1], 10_000 + n * 10, 10_010 + n * 10), fresh_key()),
            )
            .await
            .unwrap();
    }
    println!("book {:?}", start.elapsed() / 500);
}
