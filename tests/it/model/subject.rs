//! The library, driven by the same calls as the model and answering in the same words.

use super::{
    call::{Answer, Call, Detail, How, Span, Taken, Want},
    tables,
};
use crate::support::{key, window};
use chrono::{TimeDelta, Utc};
use deadpool_postgres::GenericClient;
use slotkeeper::{
    Actor, BlackoutId, BookingId, Buffers, Claim, CustomerRef, Error, Executor, HoldId, Pair, ResourceId,
    Slotkeeper, TenantId, Window,
    allocation::{AllocationKind, Block, Blocker},
    booking::*,
    confirmation::{Decision, Outcome},
    hold::*,
};
use std::collections::HashMap;
use uuid::Uuid;

/// One tenant of a database, on one connection or in one transaction of the caller's.
pub struct Subject<'a, C> {
    pub db: &'a C,
    pub keeper: &'a Slotkeeper,
    pub tenant: TenantId,
    /// In id order.
    pub places: Vec<ResourceId>,
    /// Bookings whose id the library minted.
    pub minted: HashMap<usize, BookingId>,
    /// Decisions by operation and key: a replay must equal the first answer in every part.
    pub decisions: HashMap<(&'static str, usize), Decision>,
}

pub fn uuid(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 + 1)
}

impl<C: Executor + GenericClient> Subject<'_, C> {
    pub async fn call(&mut self, call: &Call) -> Answer {
        match self.send(call).await {
            Ok(answer) => answer,
            Err(error) => self.refusal(&error),
        }
    }

    async fn send(&mut self, call: &Call) -> Result<Answer, Error> {
        let (db, t) = (self.db, self.tenant);
        let (holds, bookings) = (self.keeper.holds(), self.keeper.bookings());
        let allocations = self.keeper.allocations();
        let done = Answer::ok("done", Detail::Nothing);
        let number = |n: usize| HoldId::from_uuid(uuid(n));
        let decision = match call.clone() {
            Call::Place { hold, old, want, actor } => {
                let mut new = PlaceHold::new(t, self.claim(&want)).with_id(number(hold));
                // No hold expires by itself while a case runs.
                new = new.ttl(slotkeeper::Ttl::new(TimeDelta::hours(1)).unwrap());
                new = actor.into_iter().fold(new, |new, actor| new.actor(person(actor)));
                let placed = match old {
                    Some(old) => holds.replace(db, &ReplaceHold::new(number(old), new)).await?,
                    None => holds.place(db, &new).await?,
                };
                let found = holds.find(db, t, number(hold)).await?;
                assert_eq!(Some(&placed), found.as_ref(), "what was answered is what is stored");
                return Ok(Answer::ok(hold_status(placed.status), Detail::Nothing));
            }
            Call::Extend { hold, actor, too_far } => {
                let far = if too_far { TimeDelta::days(60) } else { TimeDelta::hours(2) };
                let until = chrono::SubsecRound::trunc_subsecs(Utc::now() + far, 6);
                let extend = ExtendHold::new(t, number(hold), until).unwrap();
                let extend = actor.into_iter().fold(extend, |extend, actor| extend.actor(person(actor)));
                assert_eq!(holds.extend(db, &extend).await?, until);
                return Ok(done);
            }
            Call::Release { hold, actor } => {
                let release = ReleaseHold::new(t, number(hold));
                let release = actor.into_iter().fold(release, |release, actor| release.actor(person(actor)));
                holds.release(db, &release).await?;
                return Ok(done);
            }
            Call::Expire { hold } => {
                tables::expire(db, t, uuid(hold)).await;
                return Ok(done);
            }
            Call::Sweep => {
                let swept = holds.sweep(db, &SweepHolds::new(t)).await?;
                let numbers = Detail::Numbers(swept.holds as i64, swept.allocations as i64);
                return Ok(Answer::ok("swept", numbers));
            }
            Call::Request { booking, window: (from, to), customer } => {
                let request = RequestBooking::new(t, window(from, to)).with_id(self.booking_id(booking));
                let id = bookings.request(db, &request.details(details(customer))).await?;
                assert_eq!(id, self.booking_id(booking));
                return Ok(done);
            }
            Call::Block { blackout, want } => {
                let block = Block::new(t, self.claim(&want)).with_id(blackout_id(blackout));
                allocations.block(db, &block).await?;
                return Ok(done);
            }
            Call::Unblock { blackout } => {
                allocations.unblock(db, t, blackout_id(blackout)).await?;
                return Ok(done);
            }
            Call::Deactivate { place } => {
                assert!(!self.keeper.resources().deactivate(db, t, self.places[place]).await?.active);
                return Ok(done);
            }
            Call::IsFree { place, window: (from, to) } => {
                let free = allocations.is_free(db, t, self.places[place], window(from, to)).await?;
                return Ok(Answer::ok("free", Detail::Numbers(free.into(), 0)));
            }
            Call::Blockers { want } => {
                let blockers = allocations.blockers(db, t, &self.claim(&want)).await?;
                return Ok(Answer::ok("taken", Detail::Taken(self.taken(&blockers))));
            }
            Call::FreeWindows { place, window: (from, to) } => {
                let free = allocations.free_windows(db, t, self.places[place], window(from, to)).await?;
                return Ok(Answer::ok("windows", Detail::Free(free.into_iter().map(span).collect())));
            }
            Call::Confirm { hold, key: k, target, window: asked, late, customer } => {
                let confirm =
                    ConfirmHold::new(t, number(hold), key(&k.to_string())).details(details(customer));
                let asked = asked.map(|(from, to)| window(from, to));
                let confirm = asked.into_iter().fold(confirm, ConfirmHold::expecting_window);
                let confirm = if late { confirm.if_still_free() } else { confirm };
                let confirm = match target.how {
                    How::Minted => confirm,
                    How::New => confirm.as_booking(self.booking_id(target.booking)),
                    How::Pending => confirm.for_pending(self.booking_id(target.booking)),
                };
                bookings.confirm(db, &confirm).await?
            }
            Call::Book { want, key: k, target, customer } => {
                let book =
                    BookPlaces::new(t, self.claim(&want), key(&k.to_string())).details(details(customer));
                let book = match target.how {
                    How::Minted => book,
                    How::New => book.as_booking(self.booking_id(target.booking)),
                    How::Pending => book.for_pending(self.booking_id(target.booking)),
                };
                bookings.book(db, &book).await?
            }
            Call::Cancel { booking, key: k, revision } => {
                let cancel = CancelBooking::new(t, self.booking_id(booking), key(&k.to_string()));
                let cancel = revision.into_iter().fold(cancel, CancelBooking::expecting_revision);
                bookings.cancel(db, &cancel).await?
            }
            Call::Move { booking, key: k, revision, want } => {
                let (booking, to) = (self.booking_id(booking), self.claim(&want));
                bookings.move_to(db, &MoveBooking::new(t, booking, revision, to, key(&k.to_string()))).await?
            }
            Call::Erase { customer, key: k } => {
                let customer = CustomerRef::new(who(customer)).unwrap();
                bookings.erase(db, &EraseCustomer::new(t, customer, key(&k.to_string()))).await?
            }
        };
        Ok(self.decided(call, decision))
    }

    fn decided(&mut self, call: &Call, decision: Decision) -> Answer {
        if let Call::Confirm { target, .. } | Call::Book { target, .. } = call {
            if target.how == How::Minted && decision.outcome == Outcome::Confirmed {
                self.minted.entry(target.booking).or_insert(decision.booking.unwrap());
            }
        }
        let (operation, k, _) = call.keyed().unwrap();
        if let Some(first) = self.decisions.get(&(operation, k)).filter(|_| decision.is_replay()) {
            let parts = |d: &Decision| (d.confirmation, d.booking, d.decided_at, d.snapshot.clone());
            assert_eq!(parts(first), parts(&decision), "a replay is the first answer");
        }
        let detail = match &decision.outcome {
            Outcome::Conflict { blockers } => Detail::Taken(self.taken(blockers)),
            Outcome::WindowMismatch { expected, actual } => {
                Detail::Windows(span(*expected), actual.map(span))
            }
            Outcome::StateMismatch { expected, actual } => {
                Detail::Statuses(expected.map(booking_status), booking_status(*actual))
            }
            Outcome::StaleRevision { expected, actual } => {
                Detail::Numbers((*expected).into(), (*actual).into())
            }
            Outcome::Erased => {
                let count = |n: Option<u64>| n.unwrap() as i64;
                Detail::Numbers(count(decision.snapshot.erased), count(decision.snapshot.erased_holds))
            }
            _ => Detail::Nothing,
        };
        let booking = decision.booking.map(|id| self.booking_number(id));
        let (code, replay) = (decision.outcome.code(), decision.is_replay());
        self.decisions.entry((operation, k)).or_insert(decision);
        Answer { booking, replay, ..Answer::ok(code, detail) }
    }

    fn refusal(&self, error: &Error) -> Answer {
        let detail = match error {
            Error::Conflict { blockers } => Detail::Taken(self.taken(blockers)),
            Error::ResourceNotFound { resources } => {
                Detail::Places(resources.iter().map(|&id| self.place(id)).collect())
            }
            Error::NotFound { what } => Detail::Text(what),
            Error::KeyReused { field } => Detail::Text(field),
            _ => Detail::Nothing,
        };
        Answer::err(error.code(), detail)
    }

    fn claim(&self, want: &Want) -> Claim {
        let pair = |&(place, (from, to)): &(usize, Span)| Pair {
            resource: self.places[place],
            window: window(from, to),
        };
        // The other way round: a claim sorts.
        let claim = Claim::pairs(want.pairs.iter().rev().map(pair)).unwrap();
        let minutes = TimeDelta::minutes;
        claim.with_buffers(Buffers::new(minutes(want.before), minutes(want.after)).unwrap()).unwrap()
    }

    fn taken(&self, blockers: &[Blocker]) -> Vec<Taken> {
        let kind = |kind| match kind {
            Some(AllocationKind::Held) => "held",
            Some(AllocationKind::Booked) => "booked",
            Some(AllocationKind::Blackout) => "blackout",
            other => panic!("no such row was written: {other:?}"),
        };
        blockers.iter().map(|b| (self.place(b.resource), span(b.overlap), kind(b.kind))).collect()
    }

    pub fn place(&self, id: ResourceId) -> usize {
        self.places.iter().position(|place| *place == id).expect("a place of this tenant")
    }

    fn booking_id(&self, number: usize) -> BookingId {
        self.minted.get(&number).copied().unwrap_or_else(|| BookingId::from_uuid(uuid(number)))
    }

    pub fn booking_number(&self, id: BookingId) -> usize {
        // The call that made it: later ones with its key answer with the same booking.
        let minted = self.minted.iter().filter(|(_, minted)| **minted == id).map(|(number, _)| *number).min();
        minted.unwrap_or_else(|| id.as_uuid().as_u128() as usize - 1)
    }
}

/// The same text for actors and customers: erasing clears both.
fn who(number: usize) -> String {
    format!("person {number}")
}

fn person(number: usize) -> Actor {
    Actor::new(who(number)).unwrap()
}

fn details(customer: Option<usize>) -> BookingDetails {
    let named = |customer: usize| BookingDetails::new().customer(CustomerRef::new(who(customer)).unwrap());
    customer.map_or_else(BookingDetails::new, named)
}

/// A blackout's id must not be a hold's: both own claims.
fn blackout_id(number: usize) -> BlackoutId {
    BlackoutId::from_uuid(Uuid::from_u128(uuid(number).as_u128() | 1 << 100))
}

pub fn span(window: Window) -> Span {
    let minute = |at: chrono::DateTime<Utc>| (at - crate::support::at(0)).num_minutes();
    (minute(window.start()), minute(window.end()))
}

fn hold_status(status: HoldStatus) -> &'static str {
    match status {
        HoldStatus::Active => "active",
        HoldStatus::Expired => "expired",
        HoldStatus::Consumed => "consumed",
        HoldStatus::Released => "released",
        HoldStatus::Replaced => "replaced",
        other => panic!("a new status: {other:?}"),
    }
}

pub fn booking_status(status: BookingStatus) -> &'static str {
    match status {
        BookingStatus::Pending => "pending",
        BookingStatus::Confirmed => "confirmed",
        BookingStatus::Cancelled => "cancelled",
        other => panic!("a new status: {other:?}"),
    }
}
