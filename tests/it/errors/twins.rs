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
