//! Which resources a claim may name.

use super::common::*;

async fn booking_error(h: &House, claim: Claim) -> Error {
    h.keeper.bookings().book(&h.pool, &BookPlaces::new(h.tenant, claim, fresh_key())).await.unwrap_err()
}

/// Every write refuses it and names exactly the resource that is missing.
async fn refused_everywhere(h: &House, good: ResourceId, bad: ResourceId) {
    let mine = hold(h, one(good, 0, 30)).await;
    let booking = booked(h, one(good, 60, 90)).await;
    let before = h.digest().await;
    for claim in [one(bad, 100, 130), all(&[good, bad], 100, 130)] {
        let replace = ReplaceHold::new(mine.id, PlaceHold::new(h.tenant, claim.clone()));
        let move_to = MoveBooking::new(h.tenant, booking, 1, claim.clone(), fresh_key());
        let errors = [
            try_hold(h, claim.clone()).await.unwrap_err(),
            h.keeper.holds().replace(&h.pool, &replace).await.unwrap_err(),
            booking_error(h, claim.clone()).await,
            h.keeper.bookings().move_to(&h.pool, &move_to).await.unwrap_err(),
            h.keeper.allocations().block(&h.pool, &Block::new(h.tenant, claim)).await.unwrap_err(),
        ];
        for error in errors {
            assert!(
                matches!(&error, Error::ResourceNotFound { resources } if *resources == [bad]),
                "{error:?}"
            );
        }
    }
    let free = h.keeper.allocations().is_free(&h.pool, h.tenant, bad, window(0, 30)).await.unwrap_err();
    assert!(matches!(&free, Error::ResourceNotFound { resources } if *resources == [bad]), "{free:?}");
    assert_eq!(h.keeper.allocations().free_windows(&h.pool, h.tenant, bad, window(0, 30)).await.unwrap(), []);
    assert_eq!(h.digest().await, before, "nothing written, nothing recorded");
}

#[tokio::test]
async fn an_unknown_resource_is_not_found_by_any_write() {
    let h = House::open().await;
    refused_everywhere(&h, h.table().await, ResourceId::generate()).await;
}

#[tokio::test]
async fn an_inactive_resource_is_not_found_by_any_write_and_keeps_what_it_has() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let booking = booked(&h, one(t[1], 0, 30)).await;
    h.keeper.resources().deactivate(&h.pool, h.tenant, t[1]).await.unwrap();
    refused_everywhere(&h, t[0], t[1]).await;
    let places = h.keeper.allocations().list_by_booking(&h.pool, h.tenant, booking).await.unwrap();
    assert_eq!(places.len(), 1);
    assert_eq!(cancel(&h, booking).await.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn another_tenants_resource_is_not_found_by_any_write() {
    let h = House::open().await;
    let mine = h.table().await;
    let new = slotkeeper::resource::NewResource::new(TenantId::generate(), kind("table"), name("theirs"));
    let theirs = h.keeper.resources().create(&h.pool, &new).await.unwrap().id;
    refused_everywhere(&h, mine, theirs).await;
}

/// Two guests with one table are not one guest.
#[test]
fn a_resource_named_twice_is_refused_before_anything_is_sent() {
    let (a, b) = (ResourceId::generate(), ResourceId::generate());
    let refused = Claim::all([b, a, b], window(0, 30));
    assert_eq!(refused, Err(InvalidInput::ClaimOverlapsItself));
    let pair = |resource| slotkeeper::Pair { resource, window: window(0, 30) };
    assert_eq!(Claim::pairs([pair(a), pair(a)]), Err(InvalidInput::ClaimOverlapsItself));
    assert!(Claim::all([a, b], window(0, 30)).is_ok());
}

#[tokio::test]
async fn sixty_four_resources_can_be_claimed_and_sixty_five_cannot() {
    let h = House::open().await;
    let t = h.tables(65).await;
    let too_many = Claim::all(t.clone(), window(0, 30));
    assert_eq!(too_many, Err(InvalidInput::TooManyResources { limit: 64 }));
    let held = hold(&h, all(&t[..64], 0, 30)).await;
    assert_eq!(live(&h, held.id).await, 64);
    let refused = book(&h, all(&t[..64], 15, 45)).await;
    assert_eq!(named(&refused).len(), 64);
    assert_eq!(confirm_hold(&h, held.id).await.snapshot.allocations.len(), 64);
}
