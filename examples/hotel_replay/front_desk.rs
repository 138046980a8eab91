//! The front desk for one type of room. It asks for one room after another until the database gives one.

use crate::bookings::{Booking, Turn, events};
use anyhow::{Context, Result, bail, ensure};
use chrono::{NaiveDate, TimeDelta};
use deadpool_postgres::Pool;
use futures_util::future::try_join_all;
use indicatif::ProgressBar;
use slotkeeper::{
    BookingId, Claim, IdempotencyKey, ResourceId, Slotkeeper, TenantId,
    booking::{BookPlaces, CancelBooking},
    confirmation::Outcome,
};
use std::collections::{BTreeMap, HashMap};

pub(crate) struct FrontDesk {
    keeper: Slotkeeper,
    pool: Pool,
    hotel: TenantId,
    rooms: Vec<Room>,
    /// Which booking of the file has which room, under which id.
    given: HashMap<u32, (usize, BookingId)>,
    booked: BTreeMap<NaiveDate, usize>,
    report: Report,
}

/// What came of it all.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) booked: usize,
    /// The arrivals of those for whom there was no room.
    pub(crate) refused: Vec<NaiveDate>,
    /// How often a room looked free and was not.
    pub(crate) conflicts: usize,
    /// Cancellations and no-shows.
    pub(crate) freed: usize,
    /// For each night the most rooms that were ever booked for it at one time.
    pub(crate) most_booked: BTreeMap<NaiveDate, usize>,
}

/// A room and the stays the desk gave it: from arrival to departure.
struct Room {
    id: ResourceId,
    stays: BTreeMap<NaiveDate, NaiveDate>,
}

impl Room {
    /// How long the room would have stood empty before this guest, if it looks free. A glance at the first and the last
    /// night only: what lies between, the database decides.
    fn looks_free_for(&self, guest: &Booking) -> Option<TimeDelta> {
        let left = |(_, departure): (&NaiveDate, &NaiveDate)| *departure;
        let before_first = self.stays.range(..=guest.arrival).next_back().map(left);
        let before_last = self.stays.range(..guest.departure).next_back().map(left);
        let free = before_first.is_none_or(|left| left <= guest.arrival)
            && before_last.is_none_or(|left| left < guest.departure);
        free.then(|| before_first.map_or(TimeDelta::MAX, |left| guest.arrival - left))
    }
}

impl FrontDesk {
    pub(crate) fn new(keeper: Slotkeeper, pool: Pool, hotel: TenantId, rooms: &[ResourceId]) -> Self {
        let rooms = rooms.iter().map(|&id| Room { id, stays: BTreeMap::new() }).collect();
        let (given, booked, report) = Default::default();
        Self { keeper, pool, hotel, rooms, given, booked, report }
    }

    /// Lives through everything that happened to these bookings.
    pub(crate) async fn replay(mut self, bookings: &[Booking], progress: &ProgressBar) -> Result<Report> {
        let events = events(bookings);
        progress.inc_length(events.len() as u64);
        for (turn, booking) in events {
            let done = match turn {
                Turn::Asks => self.ask(booking).await,
                Turn::Frees | Turn::FreesAtOnce => self.free(booking).await,
            };
            done.with_context(|| format!("booking {}", booking.number))?;
            progress.inc(1);
        }
        Ok(self.report)
    }

    /// Best fit first: the room that stood empty for the shortest time.
    async fn ask(&mut self, guest: &Booking) -> Result<()> {
        let looks = |(n, room): (usize, &Room)| Some((room.looks_free_for(guest)?, n));
        let mut candidates: Vec<_> = self.rooms.iter().enumerate().filter_map(looks).collect();
        candidates.sort_unstable();

        for (attempt, (_, n)) in candidates.into_iter().enumerate() {
            // A refused key stays refused, so each room asked for is an intention of its own.
            let key = IdempotencyKey::new(format!("{}/{attempt}", guest.number))?;
            let request = BookPlaces::new(self.hotel, Claim::one(self.rooms[n].id, guest.window()?), key);
            let decision = self.keeper.bookings().book(&self.pool, &request).await?;
            match decision.outcome {
                Outcome::Confirmed => {
                    let booking = decision.booking.context("a confirmed booking has an id")?;
                    self.note(guest, n, booking);
                    return Ok(());
                }
                Outcome::Conflict { .. } => self.report.conflicts += 1,
                other => bail!("answered {}", other.code()),
            }
        }
        self.report.refused.push(guest.arrival);
        self.ensure_full(guest).await
    }

    fn note(&mut self, guest: &Booking, n: usize, booking: BookingId) {
        self.rooms[n].stays.insert(guest.arrival, guest.departure);
        self.given.insert(guest.number, (n, booking));
        self.report.booked += 1;
        for night in guest.nights() {
            let booked = self.booked.entry(night).or_default();
            *booked += 1;
            let most = self.report.most_booked.entry(night).or_default();
            *most = (*most).max(*booked);
        }
    }

    /// Nobody is turned away for nothing: the database says of every room that it is not free for the whole stay.
    async fn ensure_full(&self, guest: &Booking) -> Result<()> {
        let (client, window) = (self.pool.get().await?, guest.window()?);
        let allocations = self.keeper.allocations();
        // One connection and no waiting in between: the questions are pipelined.
        let ask = self.rooms.iter().map(|room| allocations.is_free(&client, self.hotel, room.id, window));
        let free = try_join_all(ask).await?;
        ensure!(!free.contains(&true), "refused although a room was free");
        Ok(())
    }

    /// A cancellation or a no-show. Who was refused has nothing to give back.
    async fn free(&mut self, guest: &Booking) -> Result<()> {
        let Some((n, booking)) = self.given.remove(&guest.number) else { return Ok(()) };
        let key = IdempotencyKey::new(guest.number.to_string())?;
        let request = CancelBooking::new(self.hotel, booking, key);
        let decision = self.keeper.bookings().cancel(&self.pool, &request).await?;
        ensure!(decision.outcome == Outcome::Cancelled, "answered {}", decision.outcome.code());
        self.rooms[n].stays.remove(&guest.arrival);
        for night in guest.nights() {
            *self.booked.entry(night).or_default() -= 1;
        }
        self.report.freed += 1;
        Ok(())
    }
}
