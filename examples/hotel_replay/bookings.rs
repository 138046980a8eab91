//! The file of real bookings, and what happened in which order.

use anyhow::{Context, Result, bail};
use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use slotkeeper::{InvalidInput, Window};
use std::{collections::BTreeMap, fmt};

/// See `examples/data/README.md` for where it comes from.
const FILE: &str = include_str!("../data/hotel_bookings.csv");

/// One kind of room in one hotel. Bookings of different ones never compete for a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RoomType {
    pub(crate) hotel: &'static str,
    pub(crate) letter: &'static str,
}

impl fmt::Display for RoomType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.hotel, self.letter)
    }
}

/// How a booking ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Stayed,
    Cancelled,
    NoShow,
}

/// One line of the file, as far as it matters here.
#[derive(Clone, Debug)]
pub(crate) struct Booking {
    pub(crate) number: u32,
    /// The type the hotel assigned in the end.
    pub(crate) room_type: RoomType,
    pub(crate) booked_on: NaiveDate,
    pub(crate) arrival: NaiveDate,
    pub(crate) departure: NaiveDate,
    pub(crate) end: End,
    pub(crate) ended_on: NaiveDate,
}

impl Booking {
    /// From 15:00 on the day of arrival to 11:00 on the day of departure, UTC: who leaves and who comes on one day can
    /// have the same room, and a stay of no nights is no window at all.
    pub(crate) fn window(&self) -> Result<Window, InvalidInput> {
        let at = |day: NaiveDate, hour| day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(hour);
        Window::new(at(self.arrival, 15), at(self.departure, 11))
    }

    /// The days whose evenings the guest spends there.
    pub(crate) fn nights(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let departure = self.departure;
        self.arrival.iter_days().take_while(move |day| *day < departure)
    }

    fn parse(line: &'static str) -> Result<Self> {
        let fields: Vec<&'static str> = line.split(',').collect();
        let &[number, hotel, booked_on, arrival, nights, _guests, _reserved, letter, end, ended_on] =
            fields.as_slice()
        else {
            bail!("not ten fields");
        };
        let arrival: NaiveDate = arrival.parse()?;
        Ok(Self {
            number: number.parse()?,
            room_type: RoomType { hotel, letter },
            booked_on: booked_on.parse()?,
            arrival,
            departure: arrival + Days::new(nights.parse()?),
            end: match end {
                "Check-Out" => End::Stayed,
                "Canceled" => End::Cancelled,
                "No-Show" => End::NoShow,
                _ => bail!("an outcome of another kind"),
            },
            ended_on: ended_on.parse()?,
        })
    }
}

/// Every booking of the file.
pub(crate) fn read() -> Result<Vec<Booking>> {
    let parse = |(n, line)| Booking::parse(line).with_context(|| format!("line {} of the bookings", n + 1));
    FILE.lines().enumerate().skip(1).map(parse).collect()
}

/// How many rooms of each type a hotel has: as many as were slept in on the fullest night, counting completed stays in
/// the type they were assigned. A type nobody ever slept in has none.
pub(crate) fn rooms(bookings: &[Booking]) -> BTreeMap<RoomType, usize> {
    let mut changes: BTreeMap<RoomType, BTreeMap<NaiveDate, i32>> = BTreeMap::new();
    for booking in bookings.iter().filter(|booking| booking.end == End::Stayed) {
        let days = changes.entry(booking.room_type).or_default();
        // Both on one day cancel out: the room is given on.
        *days.entry(booking.arrival).or_default() += 1;
        *days.entry(booking.departure).or_default() -= 1;
    }
    let peak = |days: BTreeMap<NaiveDate, i32>| {
        let in_use = days.into_values().scan(0, |in_use, change| {
            *in_use += change;
            Some(*in_use)
        });
        in_use.max().unwrap_or(0).unsigned_abs() as usize
    };
    changes.into_iter().map(|(room_type, days)| (room_type, peak(days))).collect()
}

/// What happens, in the order in which it happens on one day. Within each, by booking number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    /// Bookings of earlier days that end without a stay give their room back.
    Frees,
    /// The bookings made that day ask for a room.
    Asks,
    /// Those that are cancelled on the very day they were made give it back.
    FreesAtOnce,
}

/// Everything that happened to these bookings, in order. A cancellation gives the whole stay back on its day; so does a
/// no-show, on the day the hotel gave up waiting. A guest who left early keeps the room: the hotel did not sell it again.
pub(crate) fn events(bookings: &[Booking]) -> Vec<(Turn, &Booking)> {
    let mut events: Vec<_> = bookings.iter().map(|it| (it.booked_on, Turn::Asks, it.number, it)).collect();
    for booking in bookings.iter().filter(|booking| booking.end != End::Stayed) {
        let turn = if booking.ended_on > booking.booked_on { Turn::Frees } else { Turn::FreesAtOnce };
        events.push((booking.ended_on, turn, booking.number, booking));
    }
    events.sort_by_key(|&(day, turn, number, _)| (day, turn, number));
    events.into_iter().map(|(_, turn, _, booking)| (turn, booking)).collect()
}
