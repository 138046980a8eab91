//! Every write where it succeeds, and every read where it finds something.

use super::{
    act::{Act, act},
    stage::*,
};
use crate::support::*;
use slotkeeper::{
    booking::*,
    confirmation::Operation,
    hold::*,
    offer::{ListOffers, OfferSource, PruneOffers},
    resource::{ListResources, UpdateResource},
};

pub struct Success {
    pub name: &'static str,
    /// Whether it is sent under a savepoint in the caller's transaction, as the modules' tables say.
    pub savepoint: bool,
    pub round_trips: u64,
    pub act: Act,
}

const fn plain(name: &'static str, act: Act) -> Success {
    Success { name, savepoint: false, round_trips: 1, act }
}

const fn saved(name: &'static str, act: Act) -> Success {
    Success { name, savepoint: true, round_trips: 1, act }
}

/// The fast form has no answer: the general one follows, under a savepoint.
const fn twice(name: &'static str, act: Act) -> Success {
    Success { name, savepoint: true, round_trips: 2, act }
}

/// Each needs a stage as it was opened.
#[rustfmt::skip]
pub fn writes() -> Vec<Success> {
    vec![
        plain("place one", act!(s, db => s.keeper.holds().place(db, &s.place(one(s.free[0], 0, 30))))),
        plain("place one for an actor", act!(s, db => s.keeper.holds().place(db, &s.place(one(s.free[0], 0, 30)).actor(actor("new"))))),
        twice("place one over an expired hold", act!(s, db => s.keeper.holds().place(db, &s.place(one(s.resource.id, 1300, 1330))))),
        saved("place many", act!(s, db => s.keeper.holds().place(db, &s.place(all(&s.free, 0, 30))))),
        saved("place many over an expired hold", act!(s, db => s.keeper.holds().place(db, &s.place(all(&s.free, 1300, 1330))))),
        saved("place with a reference", act!(s, db => s.keeper.holds().place(db, &s.place(one(s.free[0], 0, 30)).reference(reference("new"))))),
        saved("place under a limit", act!(s, db => s.limited.holds().place(db, &s.place(one(s.free[0], 0, 30)).actor(actor("new"))))),
        saved("replace", act!(s, db => s.keeper.holds().replace(db, &s.replace(s.hold, one(s.resource.id, 1210, 1240))))),
        plain("extend", act!(s, db => s.keeper.holds().extend(db, &s.extend(s.hold)))),
        plain("release", act!(s, db => s.keeper.holds().release(db, &ReleaseHold::new(s.tenant, s.hold)))),
        plain("sweep", act!(s, db => s.keeper.holds().sweep(db, &SweepHolds::new(s.tenant)))),
        plain("confirm", act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.hold).expecting_window(window(1200, 1230))))),
        saved("confirm with a reference", act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.hold).details(details())))),
        saved("confirm as the caller's booking", act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.hold).as_booking(uuid::Uuid::now_v7().into())))),
        saved("confirm a pending booking", act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.hold).for_pending(s.pending)))),
        saved("confirm if still free", act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.hold).if_still_free()))),
        saved("confirm an expired hold if still free", act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.expired).if_still_free()))),
        plain("book one", act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.free[0], 0, 30))))),
        twice("book one over an expired hold", act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.resource.id, 1300, 1330))))),
        saved("book one with a reference", act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.free[0], 0, 30)).details(details())))),
        saved("book as the caller's booking", act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.free[0], 0, 30)).as_booking(uuid::Uuid::now_v7().into())))),
        saved("book many", act!(s, db => s.keeper.bookings().book(db, &s.book(all(&s.free, 0, 30))))),
        saved("book a pending booking", act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.taken, 1200, 1230)).for_pending(s.pending)))),
        plain("cancel", act!(s, db => s.keeper.bookings().cancel(db, &s.cancel(s.booking).expecting_revision(1)))),
        plain("cancel again", act!(s, db => s.keeper.bookings().cancel(db, &s.cancel(s.cancelled)))),
        saved("move", act!(s, db => s.keeper.bookings().move_to(db, &s.to(s.booking, 1, one(s.taken, 610, 670))))),
        saved("move to many", act!(s, db => s.keeper.bookings().move_to(db, &s.to(s.booking, 1, all(&s.free, 600, 660))))),
        saved("block one", act!(s, db => s.keeper.allocations().block(db, &s.block(one(s.free[0], 0, 30))))),
        saved("block many", act!(s, db => s.keeper.allocations().block(db, &s.block(all(&s.free, 0, 30))))),
        plain("unblock", act!(s, db => s.keeper.allocations().unblock(db, s.tenant, s.blackout))),
        plain("request", act!(s, db => s.keeper.bookings().request(db, &RequestBooking::new(s.tenant, window(0, 30))))),
        saved("request with a reference", act!(s, db => s.keeper.bookings().request(db, &RequestBooking::new(s.tenant, window(0, 30)).details(details())))),
        plain("erase", act!(s, db => s.keeper.bookings().erase(db, &EraseCustomer::new(s.tenant, customer("somebody"), fresh_key())))),
        plain("create a resource", act!(s, db => s.keeper.resources().create(db, &resource(s.tenant)))),
        saved("create a resource with a reference", act!(s, db => s.keeper.resources().create(db, &resource(s.tenant).reference(reference("new"))))),
        plain("update a resource", act!(s, db => s.keeper.resources().update(db, &UpdateResource::from(s.tenant, &s.resource).name(name("another"))))),
        plain("deactivate a resource", act!(s, db => s.keeper.resources().deactivate(db, s.tenant, s.free[1]))),
        plain("refresh the cache", act!(s, db => s.keeper.availability_cache().refresh(db, &s.refresh(OfferSource::DirectBook)))),
        plain("refresh the cache again", act!(s, db => s.keeper.availability_cache().refresh(db, &s.refresh(OfferSource::Default)))),
        plain("count a failure", act!(s, db => s.keeper.availability_cache().fail(db, s.tenant, OfferSource::Default, &failure()))),
        plain("invalidate the cache", act!(s, db => s.keeper.availability_cache().invalidate(db, s.tenant, &OfferSource::ALL))),
        plain("record offers", act!(s, db => s.keeper.offers().record(db, &s.offers()))),
        plain("prune offers", act!(s, db => s.keeper.offers().prune(db, &PruneOffers::new(s.tenant, at(0)).unwrap()))),
        saved("archive allocations", act!(s, db => s.keeper.retention().archive_allocations(db, &s.old()))),
        saved("prune confirmations", act!(s, db => s.keeper.retention().prune_confirmations(db, &s.old()))),
        saved("prune holds", act!(s, db => s.keeper.retention().prune_holds(db, &s.old()))),
        saved("prune bookings", act!(s, db => s.keeper.retention().prune_bookings(db, &s.old()))),
        plain("delete events", act!(s, db => s.keeper.outbox().delete(db, s.tenant, &s.events))),
    ]
}

#[rustfmt::skip]
pub fn reads() -> Vec<Success> {
    vec![
        plain("find a resource", act!(s, db => s.keeper.resources().find(db, s.tenant, s.taken))),
        plain("list resources", act!(s, db => s.keeper.resources().list(db, &ListResources::new(s.tenant)))),
        plain("find a hold", act!(s, db => s.keeper.holds().find(db, s.tenant, s.hold))),
        plain("find a booking", act!(s, db => s.keeper.bookings().find(db, s.tenant, s.booking))),
        plain("history", act!(s, db => s.keeper.bookings().history(db, s.tenant, s.booking))),
        plain("is free", act!(s, db => s.keeper.allocations().is_free(db, s.tenant, s.taken, window(0, 30)))),
        plain("blockers", act!(s, db => s.keeper.allocations().blockers(db, s.tenant, &one(s.taken, 600, 630)))),
        plain("list by booking", act!(s, db => s.keeper.allocations().list_by_booking(db, s.tenant, s.booking))),
        plain("list by resource", act!(s, db => s.keeper.allocations().list_by_resource(db, s.tenant, s.taken, window(0, 1440)))),
        plain("free windows", act!(s, db => s.keeper.allocations().free_windows(db, s.tenant, s.taken, window(0, 1440)))),
        plain("find by key", act!(s, db => s.keeper.confirmations().find_by_key(db, s.tenant, Operation::Book, &s.used))),
        plain("list by booking", act!(s, db => s.keeper.confirmations().list_by_booking(db, s.tenant, s.booking))),
        plain("find in the cache", act!(s, db => s.keeper.availability_cache().find(db, s.tenant, OfferSource::Default, max_age()))),
        plain("list offers", act!(s, db => s.keeper.offers().list(db, &ListOffers::new(s.tenant, OfferSource::Default, window(0, 60))))),
        plain("list events", act!(s, db => s.keeper.outbox().list(db, s.tenant, 10))),
    ]
}
