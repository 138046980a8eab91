//! What is asked, and the answer by a sweep over the parties in memory: it knows no index and no SQL.

use super::support::{House, Past, only_checking, opening};
use chrono::TimeDelta;
use rand::{Rng, SeedableRng, distr::weighted::WeightedIndex, prelude::Distribution, rngs::StdRng};
use slotkeeper::{ResourceId, TenantId, Window};
use std::collections::HashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    Free,
    Blockers,
    Listing,
}

impl Question {
    pub const ALL: [Self; 3] = [Self::Free, Self::Blockers, Self::Listing];
}

#[derive(Clone, Debug)]
pub struct Ask {
    pub tenant: TenantId,
    pub table: ResourceId,
    pub window: Window,
    /// What lies in it, whole and in time order.
    pub taken: Vec<Window>,
}

pub struct Case {
    pub name: &'static str,
    pub question: Question,
    pub asks: Vec<Ask>,
}

/// Expired holds nobody has swept, back to back, a quarter of an hour each.
pub struct Expired {
    pub tenant: TenantId,
    pub table: ResourceId,
    pub days_in: i64,
    pub count: i64,
}

pub struct Asks {
    pub cases: Vec<Case>,
    /// Free windows for the server to probe in one statement.
    pub probes: Vec<Ask>,
    pub expired: Vec<Expired>,
    /// Live rows that have not expired.
    pub live: usize,
}

/// How many holds lie in front, and on how many tables: more would make expired holds a good part of the house.
const EXPIRED: [(&str, i64, usize); 2] = [("expired_10", 10, 16), ("expired_1000", 1_000, 4)];

impl Asks {
    /// `nights` are the bookings outside opening hours, which the house's past does not tell.
    pub fn of(house: &House, rows: usize, nights: Vec<(TenantId, ResourceId, Window)>, count: usize) -> Self {
        let mut book = Book::of(house, rows, nights);
        let live = book.taken.values().map(Vec::len).sum();
        let probes: Vec<Ask> = (0..count * 40).map(|_| book.ask(|taken| taken == 0)).collect();
        let mut some = |wanted: fn(usize) -> bool| (0..count).map(|_| book.ask(wanted)).collect();
        let mut cases = vec![
            Case { name: "free", question: Question::Free, asks: probes[..count].to_vec() },
            Case { name: "one_blocker", question: Question::Blockers, asks: some(|taken| taken == 1) },
        ];
        let days = (0..count).map(|_| book.opening_day()).collect();
        cases.push(Case { name: "many_blockers", question: Question::Blockers, asks: days });
        let mut expired = Vec::new();
        for (name, holds, tables) in EXPIRED {
            let tables = if only_checking() { 1 } else { tables };
            let asks = (0..tables).map(|_| book.behind_expired(holds, &mut expired)).collect();
            cases.push(Case { name, question: Question::Free, asks });
        }
        let weeks = (0..count).map(|_| book.week()).collect();
        cases.push(Case { name: "range_listing", question: Question::Listing, asks: weeks });
        Self { cases, probes, expired, live }
    }
}

/// The house in memory.
struct Book {
    seats: Vec<(TenantId, ResourceId)>,
    tables: usize,
    days: i64,
    taken: HashMap<(TenantId, ResourceId), Vec<Window>>,
    random: StdRng,
    tenant_zipf: WeightedIndex<f64>,
    table_zipf: WeightedIndex<f64>,
}

impl Book {
    fn of(house: &House, rows: usize, nights: Vec<(TenantId, ResourceId, Window)>) -> Self {
        let mut taken: HashMap<_, Vec<Window>> = HashMap::new();
        let mut past = Past::new(house.shape);
        for party in past.by_ref().take(rows) {
            let seat = house.seats[party.tenant * house.shape.tables + party.table];
            taken.entry(seat).or_default().push(party.window);
        }
        for (tenant, table, window) in nights {
            taken.entry((tenant, table)).or_default().push(window);
        }
        taken.values_mut().for_each(|windows| windows.sort_unstable());
        let zipf =
            |n: usize| WeightedIndex::new((1..=n).map(|rank| 1.0 / rank as f64)).expect("positive weights");
        Self {
            seats: house.seats.clone(),
            tables: house.shape.tables,
            days: i64::try_from(past.days()).expect("few days"),
            taken,
            random: StdRng::seed_from_u64(11),
            tenant_zipf: zipf(house.shape.tenants),
            table_zipf: zipf(house.shape.tables),
        }
    }

    /// Popular tables are those the book has most parties at.
    fn seat(&mut self) -> (TenantId, ResourceId) {
        let tenant = self.tenant_zipf.sample(&mut self.random);
        self.seats[tenant * self.tables + self.table_zipf.sample(&mut self.random)]
    }

    fn at(&self, seat: (TenantId, ResourceId), minutes: i64, length: i64) -> Ask {
        let start = opening() + TimeDelta::minutes(minutes);
        let window = Window::starting_at(start, TimeDelta::minutes(length)).expect("a window");
        let of_seat = self.taken.get(&seat).map_or(&[][..], Vec::as_slice);
        let taken = of_seat.iter().filter(|taken| taken.overlaps(&window)).copied().collect();
        Ask { tenant: seat.0, table: seat.1, window, taken }
    }

    /// A quarter of an hour to an hour and a half within opening hours, with so much in the way.
    fn ask(&mut self, wanted: impl Fn(usize) -> bool) -> Ask {
        loop {
            let (day, quarter) = (self.random.random_range(0..self.days), self.random.random_range(44..86));
            let length = 15 * self.random.random_range(1..=6);
            let seat = self.seat();
            let ask = self.at(seat, day * 1_440 + quarter * 15, length);
            if wanted(ask.taken.len()) {
                return ask;
            }
        }
    }

    /// From 11:00 to 23:00, with three parties or more.
    fn opening_day(&mut self) -> Ask {
        loop {
            let (day, seat) = (self.random.random_range(0..self.days), self.seat());
            let ask = self.at(seat, day * 1_440 + 660, 720);
            if ask.taken.len() >= 3 {
                return ask;
            }
        }
    }

    fn week(&mut self) -> Ask {
        let (day, seat) = (self.random.random_range(0..=(self.days - 7).max(0)), self.seat());
        self.at(seat, day * 1_440, 7 * 1_440)
    }

    /// After the last day of the book so many expired holds, and a window that begins inside the last of them.
    fn behind_expired(&mut self, count: i64, expired: &mut Vec<Expired>) -> Ask {
        let (tenant, table) = loop {
            let seat = self.seat();
            if !expired.iter().any(|known| known.table == seat.1) {
                break seat;
            }
        };
        let days_in = self.days + 1;
        expired.push(Expired { tenant, table, days_in, count });
        self.at((tenant, table), days_in * 1_440 + count * 15 - 10, 90)
    }
}
