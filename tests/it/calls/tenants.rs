//! Tenants without row-level security: the statements alone keep them apart.

use super::{
    act::{Act, Answer, act},
    stage::*,
    state::State,
};
use crate::support::*;
use slotkeeper::{
    Error, TenantId,
    booking::*,
    confirmation::{Operation, Outcome},
    hold::*,
    migrate::Duty,
    offer::{ListOffers, OfferSource, PruneOffers},
    resource::*,
};

/// Every call with a tenant's own ids, in the name of another.
#[rustfmt::skip]
fn as_another() -> Vec<(&'static str, &'static str, Act)> {
    fn t() -> TenantId { TenantId::generate() }
    vec![
        ("confirm", "not_found", act!(s, db => s.keeper.bookings().confirm(db, &ConfirmHold::new(t(), s.hold, fresh_key())))),
        ("confirm if still free", "not_found", act!(s, db => s.keeper.bookings().confirm(db, &ConfirmHold::new(t(), s.expired, fresh_key()).if_still_free()))),
        ("book a pending booking", "not_found", act!(s, db => {
            // Of a tenant that has the resource but not the booking.
            let tenant = t();
            async move {
                let new = s.keeper.resources().create(db, &resource(tenant)).await?;
                let book = BookPlaces::new(tenant, one(new.id, 1200, 1230), fresh_key()).for_pending(s.pending);
                s.keeper.bookings().book(db, &book).await
            }
        })),
        ("cancel", "not_found", act!(s, db => s.keeper.bookings().cancel(db, &CancelBooking::new(t(), s.booking, fresh_key())))),
        ("move", "not_found", act!(s, db => s.keeper.bookings().move_to(db, &MoveBooking::new(t(), s.booking, 1, one(s.free[0], 0, 30), fresh_key())))),
        ("place", "resource_not_found", act!(s, db => s.keeper.holds().place(db, &PlaceHold::new(t(), one(s.free[0], 0, 30))))),
        ("place under a hold's id", "resource_not_found", act!(s, db => s.keeper.holds().place(db, &PlaceHold::new(t(), one(s.free[0], 0, 30)).with_id(s.hold)))),
        ("book", "resource_not_found", act!(s, db => s.keeper.bookings().book(db, &BookPlaces::new(t(), one(s.free[0], 0, 30), s.used.clone())))),
        ("book many", "resource_not_found", act!(s, db => s.keeper.bookings().book(db, &BookPlaces::new(t(), all(&s.free, 0, 30), s.used.clone())))),
        ("replace", "not_found", act!(s, db => s.keeper.holds().replace(db, &ReplaceHold::new(s.hold, PlaceHold::new(t(), one(s.free[0], 0, 30)))))),
        ("extend", "not_found", act!(s, db => s.keeper.holds().extend(db, &ExtendHold::new(t(), s.hold, s.until).unwrap()))),
        ("release", "not_found", act!(s, db => s.keeper.holds().release(db, &ReleaseHold::new(t(), s.hold)))),
        ("block", "resource_not_found", act!(s, db => s.keeper.allocations().block(db, &slotkeeper::allocation::Block::new(t(), all(&s.free, 0, 30))))),
        ("unblock", "not_found", act!(s, db => s.keeper.allocations().unblock(db, t(), s.blackout))),
        ("update", "not_found", act!(s, db => s.keeper.resources().update(db, &UpdateResource::from(t(), &s.resource)))),
        ("deactivate", "not_found", act!(s, db => s.keeper.resources().deactivate(db, t(), s.taken))),
        ("is free", "resource_not_found", act!(s, db => s.keeper.allocations().is_free(db, t(), s.taken, window(0, 30)))),
    ]
}

/// Every read of a tenant's own ids, in the name of another; also writes that find nothing to do.
#[rustfmt::skip]
fn reads_of_another() -> Vec<(&'static str, Act)> {
    fn t() -> TenantId { TenantId::generate() }
    vec![
        ("find a resource", act!(s, db => s.keeper.resources().find(db, t(), s.taken))),
        ("list resources", act!(s, db => s.keeper.resources().list(db, &ListResources::new(t())))),
        ("find a hold", act!(s, db => s.keeper.holds().find(db, t(), s.hold))),
        ("find a booking", act!(s, db => s.keeper.bookings().find(db, t(), s.booking))),
        ("history", act!(s, db => s.keeper.bookings().history(db, t(), s.booking))),
        ("blockers", act!(s, db => s.keeper.allocations().blockers(db, t(), &one(s.taken, 600, 630)))),
        ("list by booking", act!(s, db => s.keeper.allocations().list_by_booking(db, t(), s.booking))),
        ("list by resource", act!(s, db => s.keeper.allocations().list_by_resource(db, t(), s.taken, window(0, 1440)))),
        ("free windows", act!(s, db => s.keeper.allocations().free_windows(db, t(), s.taken, window(0, 1440)))),
        ("find by key", act!(s, db => s.keeper.confirmations().find_by_key(db, t(), Operation::Book, &s.used))),
        ("decisions", act!(s, db => s.keeper.confirmations().list_by_booking(db, t(), s.booking))),
        ("find in the cache", act!(s, db => s.keeper.availability_cache().find(db, t(), OfferSource::Default, max_age()))),
        ("list offers", act!(s, db => s.keeper.offers().list(db, &ListOffers::new(t(), OfferSource::Default, window(0, 1440))))),
        ("prune offers", act!(s, db => async { Ok(s.keeper.offers().prune(db, &PruneOffers::new(t(), at(0)).unwrap()).await? > 0) })),
        ("archive allocations", act!(s, db => s.keeper.retention().archive_allocations(db, &old(t())))),
        ("prune confirmations", act!(s, db => s.keeper.retention().prune_confirmations(db, &old(t())))),
        ("prune holds", act!(s, db => s.keeper.retention().prune_holds(db, &old(t())))),
        ("prune bookings", act!(s, db => s.keeper.retention().prune_bookings(db, &old(t())))),
        ("list events", act!(s, db => s.keeper.outbox().list(db, t(), 10))),
        ("delete events", act!(s, db => async { Ok(s.keeper.outbox().delete(db, t(), &s.events).await? > 0) })),
        ("sweep", act!(s, db => async { Ok(s.keeper.holds().sweep(db, &SweepHolds::new(t())).await?.holds > 0) })),
    ]
}

#[tokio::test]
async fn another_tenants_ids_do_not_exist() {
    let h = House::open().await;
    let (stage, role) = (Stage::open(&h).await, h.role(Duty::ALL).await);
    for (name, code, act) in as_another() {
        let before = State::read(&h).await;
        assert_eq!(act(&stage, &role).await, Answer::Refused(code), "{name}");
        // This one made a resource of its own first.
        assert!(name == "book a pending booking" || State::read(&h).await == before, "{name}");
    }
    let before = State::read(&h).await;
    for (name, act) in reads_of_another() {
        assert_eq!(act(&stage, &role).await, Answer::Recorded("nothing"), "{name}");
    }
    assert_eq!(State::read(&h).await, before);
}

/// Ids and keys are a tenant's own: the same ones in two tenants have nothing to do with each other.
#[tokio::test]
async fn two_tenants_may_use_the_same_ids_keys_and_references() {
    let h = House::open().await;
    let (k, db) = (&h.keeper, &h.pool);
    let [resource_id, hold, booking] = [0, 1, 2].map(|_| uuid::Uuid::now_v7());
    let mut confirmed = Vec::new();
    for tenant in [TenantId::generate(), TenantId::generate()] {
        let new = resource(tenant).with_id(resource_id.into()).reference(reference("r"));
        k.resources().create(db, &new).await.unwrap();
        let place = PlaceHold::new(tenant, one(resource_id.into(), 600, 630));
        let place = place.with_id(hold.into()).reference(reference("h")).actor(actor("a"));
        k.holds().place(db, &place).await.unwrap();
        let confirm = ConfirmHold::new(tenant, hold.into(), key("k")).as_booking(booking.into());
        let decision = k.bookings().confirm(db, &confirm.details(details())).await.unwrap();
        assert_eq!(decision.outcome, Outcome::Confirmed);
        assert!(!decision.is_replay());
        confirmed.push((tenant, decision));
    }
    let [(first, _), (second, theirs)] = &confirmed[..] else { unreachable!() };
    let cancel = CancelBooking::new(*first, booking.into(), key("c"));
    assert!(k.bookings().cancel(db, &cancel).await.unwrap().outcome.is_success());
    let found = k.bookings().find(db, *second, booking.into()).await.unwrap().unwrap();
    assert_eq!(found.status, BookingStatus::Confirmed, "only one's own is cancelled");
    assert_eq!(found.confirmation, Some(theirs.confirmation));
    // Within a tenant the same reference is refused: the digest of the test above could have been blind.
    let again = resource(*first).reference(reference("r"));
    assert!(matches!(k.resources().create(db, &again).await, Err(Error::ReferenceTaken)));
}
