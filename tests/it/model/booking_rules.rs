//! What the model says of bookings. The order of the checks is the documented precedence of outcomes.

use super::{
    call::{Answer, Call, Detail, How, Span, Target, Want},
    world::{Booking, Flaw, Owner, World, done, no},
};

impl World {
    pub fn booking_rules(&mut self, call: &Call) -> Answer {
        match call.clone() {
            Call::Confirm { hold, target, window, late, customer, .. } => {
                self.confirm(hold, target, window, late, customer)
            }
            Call::Book { want, target, customer, .. } => self.book(&want, target, customer),
            Call::Request { booking, window, customer } => match self.booking(booking) {
                Some(b) if b.requested.is_none() => Answer::err("key_reused", Detail::Text("booking")),
                Some(b) if b.requested != Some(window) => Answer::err("key_reused", Detail::Text("window")),
                Some(b) if b.customer != customer && !b.changed => {
                    Answer::err("key_reused", Detail::Text("details"))
                }
                Some(_) => Answer { replay: true, ..done() },
                None => {
                    let (status, revision, owner) = ("pending", 1, None);
                    self.bookings.push(Booking {
                        number: booking,
                        window,
                        status,
                        revision,
                        owner,
                        customer,
                        requested: Some(window),
                        changed: false,
                    });
                    done()
                }
            },
            Call::Cancel { booking, revision, .. } => self.cancel(booking, revision),
            Call::Move { booking, revision, want, .. } => self.shift(booking, revision, &want),
            Call::Erase { customer, .. } => {
                let bookings = self.bookings.iter_mut().filter(|b| b.customer == Some(customer));
                let bookings = bookings.map(|b| (b.customer, b.changed) = (None, true)).count() as i64;
                let holds = self.holds.iter_mut().filter(|h| h.actor == Some(customer));
                let holds = holds.map(|h| h.actor = None).count() as i64;
                self.events += 1;
                Answer::ok("erased", Detail::Numbers(bookings, holds))
            }
            other => unreachable!("no call about bookings: {other:?}"),
        }
    }

    fn confirm(
        &mut self,
        hold: usize,
        target: Target,
        asked: Option<Span>,
        late: bool,
        customer: Option<usize>,
    ) -> Answer {
        let what = if target.how == How::Pending { "hold or pending booking" } else { "hold" };
        let booking = self.wanted(target);
        let Some(found) = self.holds.iter().find(|h| h.number == hold).cloned() else { return no(what) };
        if booking.is_none() && target.how == How::Pending {
            return no(what);
        }
        let new_claim = found.status == "active" && found.expired && late;
        if let Some(missing) = self.missing(&found.want).filter(|_| new_claim) {
            return missing;
        }
        let (owner, window) = (Owner::Hold(hold), found.want.window());
        let taken = self.taken(&found.want, Some(owner));
        let pending = booking.as_ref().map_or(window, |b| b.window);
        let asked_other = asked.is_some_and(|asked| asked != window);
        let refused = if let Some(detail) = misstate(target, booking.as_ref()) {
            Answer::ok("state_mismatch", detail)
        } else if found.status == "consumed" {
            Answer::ok("hold_consumed", Detail::Nothing)
        } else if found.status != "active" {
            Answer::ok("hold_released", Detail::Nothing)
        } else if asked_other || pending != window {
            let on_record = if asked_other { window } else { pending };
            Answer::ok("window_mismatch", Detail::Windows(on_record, asked.or(Some(window))))
        } else if found.expired && !late {
            Answer::ok("hold_expired", Detail::Nothing)
        } else if !taken.is_empty() {
            Answer::ok("conflict", Detail::Taken(taken))
        } else {
            self.free(owner);
            self.claim(&found.want, "booked", owner);
            self.holds.iter_mut().filter(|h| h.number == hold).for_each(|h| h.status = "consumed");
            return self.confirmed(target.booking, window, owner, customer);
        };
        Answer { booking: booking.map(|b| b.number), ..refused }
    }

    fn book(&mut self, want: &Want, target: Target, customer: Option<usize>) -> Answer {
        let booking = self.wanted(target);
        if let Some(missing) = self.missing(want) {
            return missing;
        }
        if booking.is_none() && target.how == How::Pending {
            return no("booking");
        }
        let (window, taken) = (want.window(), self.taken(want, None));
        let pending = booking.as_ref().map_or(window, |b| b.window);
        let refused = if let Some(detail) = misstate(target, booking.as_ref()) {
            Answer::ok("state_mismatch", detail)
        } else if pending != window {
            Answer::ok("window_mismatch", Detail::Windows(pending, Some(window)))
        } else if !taken.is_empty() {
            Answer::ok("conflict", Detail::Taken(taken))
        } else {
            let owner = Owner::Booking(target.booking);
            self.claim(want, "booked", owner);
            return self.confirmed(target.booking, window, owner, customer);
        };
        Answer { booking: booking.map(|b| b.number), ..refused }
    }

    fn cancel(&mut self, number: usize, revision: Option<i32>) -> Answer {
        let Some(found) = self.booking(number).cloned() else { return no("booking") };
        let answer = |code, detail| Answer { booking: Some(number), ..Answer::ok(code, detail) };
        if let Some(revision) = revision.filter(|revision| *revision != found.revision) {
            return answer("stale_revision", Detail::Numbers(revision.into(), found.revision.into()));
        }
        if found.status != "cancelled" {
            self.events += 1;
            self.change(number, |b| (b.status, b.revision, b.changed) = ("cancelled", b.revision + 1, true));
            if let Some(owner) = found.owner.filter(|_| self.flaw != Flaw::CancelKeepsThePlace) {
                self.free(owner);
            }
        }
        answer("cancelled", Detail::Nothing)
    }

    /// `move` is a keyword.
    fn shift(&mut self, number: usize, revision: i32, want: &Want) -> Answer {
        let Some(found) = self.booking(number).cloned() else { return no("booking") };
        if let Some(missing) = self.missing(want) {
            return missing;
        }
        let taken = self.taken(want, found.owner);
        let answer = |code, detail| Answer { booking: Some(number), ..Answer::ok(code, detail) };
        let Some(owner) = found.owner.filter(|_| found.status == "confirmed") else {
            return answer("state_mismatch", Detail::Statuses(Some("confirmed"), found.status));
        };
        if revision != found.revision {
            return answer("stale_revision", Detail::Numbers(revision.into(), found.revision.into()));
        }
        if !taken.is_empty() {
            return answer("conflict", Detail::Taken(taken));
        }
        self.free(owner);
        self.claim(want, "booked", owner);
        self.change(number, |b| (b.window, b.revision) = (want.window(), b.revision + 1));
        self.events += 1;
        answer("moved", Detail::Nothing)
    }

    /// Makes a booking, or approves the one that waits.
    fn confirmed(&mut self, number: usize, window: Span, owner: Owner, customer: Option<usize>) -> Answer {
        self.events += 1;
        let (status, owner) = ("confirmed", Some(owner));
        if self.booking(number).is_none() {
            let (requested, changed) = (None, false);
            self.bookings.push(Booking {
                number,
                window,
                status,
                revision: 1,
                owner,
                customer,
                requested,
                changed,
            });
        } else {
            self.change(number, |b| {
                (b.status, b.revision, b.owner, b.changed) = (status, b.revision + 1, owner, true);
                b.customer = customer.or(b.customer);
            });
        }
        Answer { booking: Some(number), ..Answer::ok("confirmed", Detail::Nothing) }
    }

    fn booking(&self, number: usize) -> Option<&Booking> {
        self.bookings.iter().find(|b| b.number == number)
    }

    fn change(&mut self, number: usize, change: impl FnMut(&mut Booking)) {
        self.bookings.iter_mut().filter(|b| b.number == number).for_each(change);
    }

    /// The booking a request names, if it is there.
    fn wanted(&self, target: Target) -> Option<Booking> {
        if target.how == How::Minted { None } else { self.booking(target.booking).cloned() }
    }
}

/// What is wrong with the status of the booking named.
fn misstate(target: Target, booking: Option<&Booking>) -> Option<Detail> {
    let status = booking?.status;
    match target.how {
        How::Pending if status == "pending" => None,
        How::Pending => Some(Detail::Statuses(Some("pending"), status)),
        _ => Some(Detail::Statuses(None, status)),
    }
}
