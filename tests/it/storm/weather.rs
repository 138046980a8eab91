//! One random write after another, on whatever the other tasks have made.

use super::{dice::Dice, figures::Figures, site::Site};
use crate::support::*;
use chrono::{SubsecRound, TimeDelta, Utc};
use slotkeeper::{BookingId, Claim, CustomerRef, ResourceId, allocation::Block, booking::*, hold::*};
use std::time::{Duration, Instant};

impl Site {
    /// Works until the time is over.
    pub async fn weather(&self, seed: u64, length: Duration) -> Figures {
        let (mut dice, mut figures) = (Dice::new(seed), Figures::new());
        let end = Instant::now() + length;
        while Instant::now() < end {
            match dice.roll(100) {
                0..66 => self.about_holds(&mut dice, &mut figures).await,
                66..95 => self.about_bookings(&mut dice, &mut figures).await,
                _ => self.about_places(&mut dice, &mut figures).await,
            }
        }
        figures
    }

    async fn about_holds(&self, dice: &mut Dice, figures: &mut Figures) {
        let (holds, pool) = (self.keeper.holds(), &self.pool);
        let hold = self.holds.pick(dice);
        let new = self.place(self.claim(dice, 4));
        let start = Instant::now();
        match (dice.roll(100), hold) {
            (0..40, _) | (_, None) => {
                let placed = holds.place(pool, &new).await;
                figures.time(start);
                figures.answer("place", &placed);
                placed.into_iter().for_each(|hold| self.holds.add(hold.id));
            }
            (40..52, Some(old)) => {
                let placed = holds.replace(pool, &ReplaceHold::new(old, new)).await;
                figures.time(start);
                figures.answer("replace", &placed);
                placed.into_iter().for_each(|hold| self.holds.add(hold.id));
            }
            (52..58, Some(hold)) => {
                let until = (Utc::now() + TimeDelta::seconds(2)).trunc_subsecs(6);
                let until = holds.extend(pool, &ExtendHold::new(self.tenant, hold, until).unwrap()).await;
                figures.time(start);
                figures.answer("extend", &until);
            }
            (58..64, Some(hold)) => {
                let released = holds.release(pool, &ReleaseHold::new(self.tenant, hold)).await;
                figures.time(start);
                figures.answer("release", &released);
            }
            (64..76, Some(hold)) => self.expire(hold).await,
            (76..79, _) => {
                let swept = holds.sweep(pool, &SweepHolds::new(self.tenant).limit(20)).await;
                figures.time(start);
                figures.answer("sweep", &swept);
            }
            (_, Some(hold)) => {
                let confirm = ConfirmHold::new(self.tenant, hold, fresh_key());
                let confirm = if dice.one_in(3) { confirm.if_still_free() } else { confirm };
                let pending = self.pending.pick(dice).filter(|_| dice.one_in(4));
                let confirm = pending.into_iter().fold(confirm, |confirm, (id, _)| confirm.for_pending(id));
                let bookings = self.keeper.bookings();
                let confirmed =
                    self.decide(dice, figures, "confirm", || bookings.confirm(pool, &confirm)).await;
                confirmed.and_then(|d| d.into_result().ok()).into_iter().for_each(|id| self.bookings.add(id));
            }
        }
    }

    async fn about_bookings(&self, dice: &mut Dice, figures: &mut Figures) {
        let (bookings, pool, t) = (self.keeper.bookings(), &self.pool, self.tenant);
        let claim = self.claim(dice, 4);
        let customer = CustomerRef::new(format!("customer {}", dice.roll(5))).unwrap();
        let details = BookingDetails::new().customer(customer.clone());
        let booking = self.bookings.pick(dice);
        match (dice.roll(100), booking) {
            (0..20, _) => {
                let book = BookPlaces::new(t, claim, fresh_key()).details(details);
                let booked = self.decide(dice, figures, "book", || bookings.book(pool, &book)).await;
                booked.and_then(|d| d.into_result().ok()).into_iter().for_each(|id| self.bookings.add(id));
            }
            (20..30, _) => {
                let request = RequestBooking::new(t, claim.window()).details(details);
                let start = Instant::now();
                let requested = bookings.request(pool, &request).await;
                figures.time(start);
                figures.answer("request", &requested);
                requested.into_iter().for_each(|id| {
                    self.pending.add((id, claim.window()));
                    self.bookings.add(id);
                });
            }
            (30..45, _) => {
                let Some((id, window)) = self.pending.pick(dice) else { return };
                let places: Vec<ResourceId> = claim.as_pairs().iter().map(|pair| pair.resource).collect();
                let claim = Claim::all(places, window).unwrap();
                let approve = BookPlaces::new(t, claim, fresh_key()).for_pending(id);
                self.decide(dice, figures, "approve", || bookings.book(pool, &approve)).await;
            }
            (45..48, _) => {
                let erase = EraseCustomer::new(t, customer, fresh_key());
                self.decide(dice, figures, "erase", || bookings.erase(pool, &erase)).await;
            }
            (_, Some(booking)) => self.change(dice, figures, booking).await,
            (_, None) => {}
        }
    }

    /// Moves it, cancels it, or both at the same moment.
    async fn change(&self, dice: &mut Dice, figures: &mut Figures, booking: BookingId) {
        let (bookings, pool, t) = (self.keeper.bookings(), &self.pool, self.tenant);
        let cancel = CancelBooking::new(t, booking, fresh_key());
        // One move in four guesses the revision.
        let revision = if dice.one_in(4) {
            1 + dice.minutes(4) as i32
        } else {
            bookings.find(pool, t, booking).await.unwrap().unwrap().revision
        };
        let to = MoveBooking::new(t, booking, revision, self.claim(dice, 3), fresh_key());
        match dice.roll(6) {
            0 => {
                self.decide(dice, figures, "cancel", || bookings.cancel(pool, &cancel)).await;
            }
            1..5 => {
                self.decide(dice, figures, "move", || bookings.move_to(pool, &to)).await;
            }
            _ => {
                let start = Instant::now();
                let (moved, cancelled) =
                    tokio::join!(bookings.move_to(pool, &to), bookings.cancel(pool, &cancel));
                figures.time(start);
                figures.decision("move", &moved);
                figures.decision("cancel", &cancelled);
            }
        }
    }

    async fn about_places(&self, dice: &mut Dice, figures: &mut Figures) {
        let (allocations, start) = (self.keeper.allocations(), Instant::now());
        match self.blackouts.pick(dice).filter(|_| dice.one_in(2)) {
            Some(blackout) => {
                let opened = allocations.unblock(&self.pool, self.tenant, blackout).await;
                figures.time(start);
                figures.answer("unblock", &opened);
            }
            None => {
                let blocked =
                    allocations.block(&self.pool, &Block::new(self.tenant, self.claim(dice, 3))).await;
                figures.time(start);
                figures.answer("block", &blocked);
                blocked.into_iter().for_each(|blackout| self.blackouts.add(blackout));
            }
        }
    }
}
