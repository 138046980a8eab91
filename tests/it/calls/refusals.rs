//! Every write, and every way in which a row that was there before refuses it.

use super::{
    act::{Act, Answer, act},
    stage::*,
};
use crate::support::*;
use Answer::{Recorded, Refused};
use chrono::TimeDelta;
use slotkeeper::{Claim, TenantId, Ttl, booking::*, hold::*, resource::*};

pub struct Refusal {
    pub name: &'static str,
    pub answer: Answer,
    pub act: Act,
}

impl Refusal {
    /// Round trips on a client. A repeat under an id that has another request reads the first one, to say what differs;
    /// a value is refused before anything is sent. A reference is asked for twice, because the first violation may be a
    /// twin's of this very call; the driver tells of an error before the end of the answer, so the two may count as one.
    pub fn round_trips(&self) -> std::ops::RangeInclusive<u64> {
        match self.answer {
            Refused("invalid_input") => 0..=0,
            Refused("reference_taken") if self.is_single() => 1..=3,
            Refused("reference_taken") => 1..=2,
            Refused("key_reused") if self.name.starts_with("place") => 2..=2,
            // The form for one resource does not tell: the general one does.
            Refused("resource_not_found") if self.is_single() => 2..=2,
            _ => 1..=1,
        }
    }

    fn is_single(&self) -> bool {
        ["place one ", "book one "].iter().any(|form| self.name.starts_with(form))
    }

    /// In the caller's transaction a statement that failed is undone: one more each time.
    pub fn round_trips_inside(&self) -> std::ops::RangeInclusive<u64> {
        let (least, most) = self.round_trips().into_inner();
        least..=most + most * u64::from(self.answer == Refused("reference_taken"))
    }
}

const fn no(name: &'static str, answer: Answer, act: Act) -> Refusal {
    Refusal { name, answer, act }
}

fn with(s: &Stage, other: slotkeeper::ResourceId) -> Claim {
    all(&[s.free[0], other], 0, 30)
}

fn unknown() -> uuid::Uuid {
    uuid::Uuid::now_v7()
}

/// What was read, but of no resource there is.
fn stranger(s: &Stage) -> Resource {
    let mut read = s.resource.clone();
    read.id = unknown().into();
    read
}

/// None of them uses the stage up: any number may run on one.
pub fn all_refusals() -> Vec<Refusal> {
    let mut every = holds();
    every.extend(confirming());
    every.extend(booking());
    every.extend(the_rest());
    every
}

#[rustfmt::skip]
fn holds() -> Vec<Refusal> {
    vec![
        no("place one", Refused("conflict"), act!(s, db => s.keeper.holds().place(db, &s.place(one(s.taken, 630, 690))))),
        no("place one unknown", Refused("resource_not_found"), act!(s, db => s.keeper.holds().place(db, &s.place(one(unknown().into(), 0, 30))))),
        no("place one inactive", Refused("resource_not_found"), act!(s, db => s.keeper.holds().place(db, &s.place(one(s.inactive, 0, 30))))),
        no("place one foreign", Refused("resource_not_found"), act!(s, db => s.keeper.holds().place(db, &s.place(one(s.foreign, 0, 30))))),
        no("place one again", Refused("key_reused"), act!(s, db => s.keeper.holds().place(db, &s.place(one(s.free[0], 0, 30)).with_id(s.hold)))),
        no("place one for longer than the policy", Refused("invalid_input"), act!(s, db => {
            let policy = slotkeeper::HoldPolicy::new().longest_life(TimeDelta::minutes(1)).unwrap();
            let keeper = s.keeper.clone().with_hold_policy(policy);
            async move { keeper.holds().place(db, &s.place(one(s.free[0], 0, 30)).ttl(Ttl::default())).await }
        })),
        no("place many", Refused("conflict"), act!(s, db => s.keeper.holds().place(db, &s.place(all(&[s.free[0], s.taken], 630, 690))))),
        no("place many unknown", Refused("resource_not_found"), act!(s, db => s.keeper.holds().place(db, &s.place(with(s, unknown().into()))))),
        no("place many inactive", Refused("resource_not_found"), act!(s, db => s.keeper.holds().place(db, &s.place(with(s, s.inactive))))),
        no("place many foreign", Refused("resource_not_found"), act!(s, db => s.keeper.holds().place(db, &s.place(with(s, s.foreign))))),
        no("place many again", Refused("key_reused"), act!(s, db => s.keeper.holds().place(db, &s.place(all(&s.free, 0, 30)).with_id(s.hold)))),
        no("place with a reference", Refused("reference_taken"), act!(s, db => s.keeper.holds().place(db, &s.place(one(s.free[0], 0, 30)).reference(reference("taken"))))),
        no("place with a reference, taken", Refused("conflict"), act!(s, db => s.keeper.holds().place(db, &s.place(one(s.taken, 630, 690)).reference(reference("new"))))),
        no("place under a limit", Refused("too_many_holds"), act!(s, db => s.limited.holds().place(db, &s.place(one(s.free[0], 0, 30)).actor(actor("busy"))))),
        no("replace", Refused("conflict"), act!(s, db => s.keeper.holds().replace(db, &s.replace(s.hold, one(s.taken, 630, 690))))),
        no("replace nothing", Refused("not_found"), act!(s, db => s.keeper.holds().replace(db, &s.replace(unknown().into(), one(s.free[0], 0, 30))))),
        no("replace released", Refused("hold_released"), act!(s, db => s.keeper.holds().replace(db, &s.replace(s.released, one(s.free[0], 0, 30))))),
        no("replace consumed", Refused("hold_consumed"), act!(s, db => s.keeper.holds().replace(db, &s.replace(s.consumed, one(s.free[0], 0, 30))))),
        no("replace by inactive", Refused("resource_not_found"), act!(s, db => s.keeper.holds().replace(db, &s.replace(s.hold, one(s.inactive, 0, 30))))),
        no("replace with a reference", Refused("reference_taken"), act!(s, db => s.keeper.holds().replace(db, &ReplaceHold::new(s.hold, s.place(one(s.free[0], 0, 30)).reference(reference("taken")))))),
        no("extend nothing", Refused("not_found"), act!(s, db => s.keeper.holds().extend(db, &s.extend(unknown().into())))),
        no("extend as another", Refused("not_found"), act!(s, db => s.keeper.holds().extend(db, &s.extend(s.hold).actor(actor("busy"))))),
        no("extend expired", Refused("hold_expired"), act!(s, db => s.keeper.holds().extend(db, &s.extend(s.expired)))),
        no("extend released", Refused("hold_released"), act!(s, db => s.keeper.holds().extend(db, &s.extend(s.released)))),
        no("extend consumed", Refused("hold_consumed"), act!(s, db => s.keeper.holds().extend(db, &s.extend(s.consumed)))),
        no("extend too far", Refused("hold_too_long"), act!(s, db => s.keeper.holds().extend(db, &ExtendHold::new(s.tenant, s.hold, at(100_000)).unwrap()))),
        no("release nothing", Refused("not_found"), act!(s, db => s.keeper.holds().release(db, &ReleaseHold::new(s.tenant, unknown().into())))),
        no("release as another", Refused("not_found"), act!(s, db => s.keeper.holds().release(db, &ReleaseHold::new(s.tenant, s.hold).actor(actor("busy"))))),
        no("release consumed", Refused("hold_consumed"), act!(s, db => s.keeper.holds().release(db, &ReleaseHold::new(s.tenant, s.consumed)))),
    ]
}

#[rustfmt::skip]
fn confirming() -> Vec<Refusal> {
    vec![
        no("confirm nothing", Refused("not_found"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(unknown().into())))),
        no("confirm expired", Recorded("hold_expired"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.expired)))),
        no("confirm late", Recorded("hold_expired"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.late)))),
        no("confirm released", Recorded("hold_released"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.released)))),
        no("confirm consumed", Recorded("hold_consumed"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.consumed)))),
        no("confirm another window", Recorded("window_mismatch"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.hold).expecting_window(window(1200, 1260))))),
        no("confirm with a used key", Refused("key_reused"), act!(s, db => s.keeper.bookings().confirm(db, &ConfirmHold::new(s.tenant, s.hold, s.used.clone())))),
        no("confirm with a reference", Refused("reference_taken"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.hold).details(taken_details())))),
        no("confirm as another booking", Recorded("state_mismatch"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.hold).as_booking(s.booking)))),
        no("confirm a pending booking that is not", Recorded("state_mismatch"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.hold).for_pending(s.booking)))),
        no("confirm no pending booking", Refused("not_found"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.hold).for_pending(unknown().into())))),
        no("confirm if still free", Recorded("conflict"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.late).if_still_free()))),
        no("confirm released if still free", Recorded("hold_released"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.released).if_still_free()))),
        no("confirm consumed if still free", Recorded("hold_consumed"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.consumed).if_still_free()))),
        no("confirm if still free with a reference", Refused("reference_taken"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(s.expired).if_still_free().details(taken_details())))),
        no("confirm nothing if still free", Refused("not_found"), act!(s, db => s.keeper.bookings().confirm(db, &s.confirm(unknown().into()).if_still_free()))),
    ]
}

#[rustfmt::skip]
fn booking() -> Vec<Refusal> {
    vec![
        no("book one", Recorded("conflict"), act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.taken, 630, 690))))),
        no("book one held", Recorded("conflict"), act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.resource.id, 1200, 1210))))),
        no("book one unknown", Refused("resource_not_found"), act!(s, db => s.keeper.bookings().book(db, &s.book(one(unknown().into(), 0, 30))))),
        no("book one inactive", Refused("resource_not_found"), act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.inactive, 0, 30))))),
        no("book one foreign", Refused("resource_not_found"), act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.foreign, 0, 30))))),
        no("book one with a used key", Refused("key_reused"), act!(s, db => s.keeper.bookings().book(db, &BookPlaces::new(s.tenant, one(s.free[0], 0, 30), s.used.clone())))),
        no("book one with a reference", Refused("reference_taken"), act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.free[0], 0, 30)).details(taken_details())))),
        no("book many", Recorded("conflict"), act!(s, db => s.keeper.bookings().book(db, &s.book(all(&[s.free[0], s.taken], 630, 690))))),
        no("book many foreign", Refused("resource_not_found"), act!(s, db => s.keeper.bookings().book(db, &s.book(with(s, s.foreign))))),
        no("book many with a used key", Refused("key_reused"), act!(s, db => s.keeper.bookings().book(db, &BookPlaces::new(s.tenant, all(&s.free, 0, 30), s.used.clone())))),
        no("book many with a reference", Refused("reference_taken"), act!(s, db => s.keeper.bookings().book(db, &s.book(all(&s.free, 0, 30)).details(taken_details())))),
        no("book as another booking", Recorded("state_mismatch"), act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.free[0], 0, 30)).as_booking(s.booking)))),
        no("book a pending booking elsewhen", Recorded("window_mismatch"), act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.free[0], 0, 30)).for_pending(s.pending)))),
        no("book no pending booking", Refused("not_found"), act!(s, db => s.keeper.bookings().book(db, &s.book(one(s.free[0], 0, 30)).for_pending(unknown().into())))),
        no("cancel nothing", Refused("not_found"), act!(s, db => s.keeper.bookings().cancel(db, &s.cancel(unknown().into())))),
        no("cancel a stale revision", Recorded("stale_revision"), act!(s, db => s.keeper.bookings().cancel(db, &s.cancel(s.booking).expecting_revision(7)))),
        no("cancel with a used key", Refused("key_reused"), act!(s, db => s.keeper.bookings().cancel(db, &CancelBooking::new(s.tenant, s.booking, s.used.clone())))),
        no("move", Recorded("conflict"), act!(s, db => s.keeper.bookings().move_to(db, &s.to(s.booking, 1, one(s.resource.id, 1200, 1230))))),
        no("move to many", Recorded("conflict"), act!(s, db => s.keeper.bookings().move_to(db, &s.to(s.booking, 1, all(&s.free, 1200, 1230))))),
        no("move a stale revision", Recorded("stale_revision"), act!(s, db => s.keeper.bookings().move_to(db, &s.to(s.booking, 7, one(s.free[0], 0, 30))))),
        no("move cancelled", Recorded("state_mismatch"), act!(s, db => s.keeper.bookings().move_to(db, &s.to(s.cancelled, 3, one(s.free[0], 0, 30))))),
        no("move nothing", Refused("not_found"), act!(s, db => s.keeper.bookings().move_to(db, &s.to(unknown().into(), 1, one(s.free[0], 0, 30))))),
        no("move to foreign", Refused("resource_not_found"), act!(s, db => s.keeper.bookings().move_to(db, &s.to(s.booking, 1, one(s.foreign, 0, 30))))),
        no("move with a used key", Refused("key_reused"), act!(s, db => s.keeper.bookings().move_to(db, &MoveBooking::new(s.tenant, s.booking, 1, one(s.free[0], 0, 30), s.used.clone())))),
    ]
}

#[rustfmt::skip]
fn the_rest() -> Vec<Refusal> {
    vec![
        no("block one", Refused("conflict"), act!(s, db => s.keeper.allocations().block(db, &s.block(one(s.taken, 630, 690))))),
        no("block many", Refused("conflict"), act!(s, db => s.keeper.allocations().block(db, &s.block(all(&[s.free[0], s.taken], 630, 690))))),
        no("block inactive", Refused("resource_not_found"), act!(s, db => s.keeper.allocations().block(db, &s.block(one(s.inactive, 0, 30))))),
        no("block foreign", Refused("resource_not_found"), act!(s, db => s.keeper.allocations().block(db, &s.block(with(s, s.foreign))))),
        no("unblock nothing", Refused("not_found"), act!(s, db => s.keeper.allocations().unblock(db, s.tenant, unknown().into()))),
        no("request again", Refused("key_reused"), act!(s, db => s.keeper.bookings().request(db, &RequestBooking::new(s.tenant, window(0, 30)).with_id(s.pending)))),
        no("request with a reference", Refused("reference_taken"), act!(s, db => s.keeper.bookings().request(db, &RequestBooking::new(s.tenant, window(0, 30)).details(taken_details())))),
        no("erase with a used key", Refused("key_reused"), act!(s, db => s.keeper.bookings().erase(db, &EraseCustomer::new(s.tenant, customer("somebody"), s.used.clone())))),
        no("create again", Refused("key_reused"), act!(s, db => s.keeper.resources().create(db, &NewResource::new(s.tenant, kind("room"), name("x")).with_id(s.taken)))),
        no("create with a reference", Refused("reference_taken"), act!(s, db => s.keeper.resources().create(db, &resource(s.tenant).reference(reference("taken"))))),
        no("update a stale revision", Refused("stale_revision"), act!(s, db => {
            let mut read = s.resource.clone();
            read.revision = 7;
            let update = UpdateResource::from(s.tenant, &read);
            async move { s.keeper.resources().update(db, &update).await }
        })),
        no("update nothing", Refused("not_found"), act!(s, db => s.keeper.resources().update(db, &UpdateResource::from(s.tenant, &stranger(s))))),
        no("update of another tenant", Refused("not_found"), act!(s, db => s.keeper.resources().update(db, &UpdateResource::from(TenantId::generate(), &s.resource)))),
        no("update with a reference", Refused("reference_taken"), act!(s, db => s.keeper.resources().update(db, &UpdateResource::from(s.tenant, &s.resource).reference(Some(reference("taken")))))),
        no("deactivate nothing", Refused("not_found"), act!(s, db => s.keeper.resources().deactivate(db, s.tenant, unknown().into()))),
    ]
}
