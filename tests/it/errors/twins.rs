//! The same request twice at the same moment: the second waits for the first and gets its answer.

use std::sync::Arc;

use slotkeeper::{
    BookingId, Reference, ResourceId,
    booking::{BookPlaces, BookingDetails, ConfirmHold, RequestBooking},
    hold::PlaceHold,
    resource::NewResource,
};
use tokio::sync::Barrier;

use super::db::until_one_waits;
use crate::support::*;

/// The second finds a row its snapshot cannot see.
#[tokio::test]
async fn a_twin_of_an_uncommitted_resource_gets_that_resource() {
    let h = House::open().await;
    let new = NewResource::new(h.tenant, kind("room"), name("a room")).with_id(ResourceId::generate());
    let mut client = h.db.client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let first = h.keeper.resources().create(&tx, &new).await.unwrap();
    let twin = {
        let (keeper, pool, new) = (h.keeper.clone(), h.pool.clone(), new.clone());
        tokio::spawn(async move { keeper.resources().create(&pool, &new).await })
    };
    until_one_waits(&h).await;
    tx.commit().await.unwrap();
    assert_eq!(twin.await.unwrap().unwrap(), first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_with_a_reference_never_take_it_from_each_other() {
    const CALLERS: usize = 8;
    let h = House::open().await;
    let t = h.tables(2).await;
    for round in 0..10 {
        let reference = Reference::new(format!("number {round}")).unwrap();
        let resource = NewResource::new(h.tenant, kind("room"), name("a room")).reference(reference.clone());
        let details = BookingDetails::new().reference(reference.clone());
        let booking =
            RequestBooking::new(h.tenant, window(0, 30)).with_id(BookingId::generate()).details(details);
        let hold =
            PlaceHold::new(h.tenant, one(t[0], round * 60, round * 60 + 30)).reference(reference.clone());
        let details = BookingDetails::new().reference(Reference::new(format!("booked {round}")).unwrap());
        let book =
            BookPlaces::new(h.tenant, one(t[1], round * 60, round * 60 + 30), fresh_key()).details(details);
        let confirm = ConfirmHold::new(h.tenant, hold.id(), fresh_key())
            .details(BookingDetails::new().reference(Reference::new(format!("confirmed {round}")).unwrap()));
        let barrier = Arc::new(Barrier::new(CALLERS));
        let mut callers = Vec::new();
        for _ in 0..CALLERS {
            let (keeper, pool, barrier) = (h.keeper.clone(), h.pool.clone(), Arc::clone(&barrier));
            let (resource, booking) = (resource.clone(), booking.clone());
            let (hold, book, confirm) = (hold.clone(), book.clone(), confirm.clone());
            callers.push(tokio::spawn(async move {
                barrier.wait().await;
                let resource = keeper.resources().create(&pool, &resource).await?;
                let booking = keeper.bookings().request(&pool, &booking).await?;
                let hold = keeper.holds().place(&pool, &hold).await?;
                let booked = keeper.bookings().book(&pool, &book).await?;
                let confirmed = keeper.bookings().confirm(&pool, &confirm).await?;
                let decided = [booked.into_result().unwrap(), confirmed.into_result().unwrap()];
                Ok::<_, slotkeeper::Error>((resource.id, booking, hold.id, decided))
            }));
        }
        let mut answers = Vec::new();
        for caller in callers {
            answers.push(caller.await.unwrap().unwrap());
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "one request, one answer");
        assert_eq!((answers[0].0, answers[0].1, answers[0].2), (resource.id(), booking.id(), hold.id()));
    }
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.resources").await, 2 + 10);
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.holds").await, 10);
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.bookings").await, 30);
    assert_eq!(h.overlaps().await, 0);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}
