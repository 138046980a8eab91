//! What is in the book already: days full of parties, as a restaurant has them, the same for the same seed.
//!
//! Doors open from 11:00 to 23:00 UTC on a grid of 15 minutes; 26 % of a day's parties start in its peak hour; tables are
//! wanted unequally (Zipf); larger parties stay longer. Nights are free: that is where the benches book.

use super::Shape;
use chrono::{DateTime, TimeDelta, Utc};
use rand::{Rng, SeedableRng, distr::weighted::WeightedIndex, prelude::Distribution, rngs::StdRng};
use slotkeeper::Window;

/// First day in the book.
pub fn opening() -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_083_200, 0).expect("2026-12-01")
}

/// How often a party wants to start in the hours from 11 to 21; 19:00 is the peak. A table seats one party at a time,
/// which flattens the peak: 46 % asked for give 26 % had.
const HOURS: [u32; 11] = [5, 13, 9, 4, 3, 4, 7, 11, 60, 8, 6];

/// Largest party of a band, how often it comes, how long it stays in quarters of an hour.
const BANDS: [(u32, i64); 4] = [(50, 6), (32, 7), (13, 9), (5, 12)];

/// One party at one table.
#[derive(Clone, Copy, Debug)]
pub struct Party {
    pub tenant: usize,
    pub table: usize,
    pub window: Window,
}

/// Parties day by day and table by table, so that neighbours in the table's file are not neighbours in an index.
pub struct Past {
    shape: Shape,
    random: StdRng,
    hours: WeightedIndex<u32>,
    bands: WeightedIndex<u32>,
    day: usize,
    seat: usize,
    ready: Vec<Party>,
}

impl Past {
    pub fn new(shape: Shape) -> Self {
        let hours = WeightedIndex::new(HOURS).expect("positive weights");
        let bands = WeightedIndex::new(BANDS.map(|band| band.0)).expect("positive weights");
        Self { shape, random: StdRng::seed_from_u64(7), hours, bands, day: 0, seat: 0, ready: Vec::new() }
    }

    /// Days begun so far.
    pub fn days(&self) -> usize {
        self.day + 1
    }

    /// One table's day: parties ask one after the other, and get what is still free. The first table is asked for most.
    fn day_at_a_table(&mut self) {
        let (tenant, table) = (self.seat / self.shape.tables, self.seat % self.shape.tables);
        let asked = 7 + 40 / (table + 2);
        let mut quarters = [false; 96];
        for _ in 0..asked {
            let hour = 11 + self.hours.sample(&mut self.random);
            let from = hour * 4 + self.random.random_range(0..4);
            let stay = BANDS[self.bands.sample(&mut self.random)].1;
            let until = from + usize::try_from(stay).expect("a few quarters");
            if until <= 92 && !quarters[from..until].contains(&true) {
                quarters[from..until].fill(true);
                let midnight = opening() + TimeDelta::days(i64::try_from(self.day).expect("few days"));
                let start = midnight + TimeDelta::minutes(15 * i64::try_from(from).expect("a quarter"));
                let window = Window::starting_at(start, TimeDelta::minutes(15 * stay)).expect("a window");
                self.ready.push(Party { tenant, table, window });
            }
        }
        self.seat += 1;
        if self.seat == self.shape.tenants * self.shape.tables {
            (self.seat, self.day) = (0, self.day + 1);
        }
    }
}

impl Iterator for Past {
    type Item = Party;

    fn next(&mut self) -> Option<Party> {
        while self.ready.is_empty() {
            self.day_at_a_table();
        }
        self.ready.pop()
    }
}
