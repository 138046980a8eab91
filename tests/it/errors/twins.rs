//! The same request twice at the same moment: the second waits for the first and gets its answer.

use std::sync::Arc;

use slotkeeper::{
    BookingId, Reference, ResourceId, booking::BookingDetails, booking::RequestBooking, resource::NewResource,
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
    for round in 0..10 {
        let reference = Reference::new(format!("number {round}")).unwrap();
        let resource = NewResource::new(h.tenant, kind("room"), name("a room")).reference(reference.clone());
        let details = BookingDetails::new().reference(reference);
        let booking =
            RequestBooking::new(h.tenant, window(0, 30)).with_id(BookingId::generate()).details(details);
        let barrier = Arc::new(Barrier::new(CALLERS));
        let mut callers = Vec::new();
        for _ in 0..CALLERS {
            let (keeper, pool, barrier) = (h.keeper.clone(), h.pool.clone(), Arc::clone(&barrier));
            let (resource, booking) = (resource.clone(), booking.clone());
            callers.push(tokio::spawn(async move {
                barrier.wait().await;
                let resource = keeper.resources().create(&pool, &resource).await?;
                let booking = keeper.bookings().request(&pool, &booking).await?;
                Ok::<_, slotkeeper::Error>((resource.id, booking))
            }));
        }
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap(), (resource.id(), booking.id()));
        }
    }
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.resources").await, 10);
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.bookings").await, 10);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}
