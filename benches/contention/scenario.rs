//! Who wants what.

use crate::support::recipes::{Recipe, Wish};
use chrono::{DateTime, TimeDelta};
use rand::{rngs::StdRng, seq::SliceRandom};
use slotkeeper::{ResourceId, TenantId, Window};

/// Tables that callers compete for in `eight_windows` and `multi_random`.
const TABLES: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Everybody wants the same fresh window of the same table.
    OneWindow,
    /// The same over a link with 0.5 ms each way: a server in another room, where every round trip is waited for.
    OneWindowOverLink,
    /// One window of eight tables, evenly: 8 callers do not meet, 32 meet in fours.
    EightWindows,
    /// Everybody wants 4 of 8 tables for the same window, all or nothing, named in random order.
    MultiRandom,
    /// Everybody a table alone, and no waiting for each other: throughput without contention.
    Disjoint,
}

impl Scenario {
    pub const ALL: [Self; 5] =
        [Self::OneWindow, Self::OneWindowOverLink, Self::EightWindows, Self::MultiRandom, Self::Disjoint];

    pub const fn name(self) -> &'static str {
        match self {
            Self::OneWindow => "one_window",
            Self::OneWindowOverLink => "one_window_over_link",
            Self::EightWindows => "eight_windows",
            Self::MultiRandom => "multi_random",
            Self::Disjoint => "disjoint",
        }
    }

    /// A bare insert has no answer to a refusal, and of those that double-book one scenario is enough.
    pub fn suits(self, recipe: Recipe) -> bool {
        match recipe {
            Recipe::BareInsert => self == Self::Disjoint,
            Recipe::LookOnly | Recipe::SerializableGist => self == Self::OneWindow,
            _ => true,
        }
    }

    /// Whether callers start each decision together.
    pub fn in_rounds(self) -> bool {
        self != Self::Disjoint
    }

    pub fn over_link(self) -> bool {
        self == Self::OneWindowOverLink
    }

    /// Windows that one round is about, for so many callers.
    pub fn windows(self, tasks: usize) -> usize {
        match self {
            Self::OneWindow | Self::OneWindowOverLink => 1,
            Self::EightWindows => tasks.min(TABLES),
            Self::MultiRandom => TABLES,
            Self::Disjoint => tasks,
        }
    }

    /// Rows of one claim.
    pub fn rows(self) -> usize {
        if self == Self::MultiRandom { TABLES / 2 } else { 1 }
    }

    /// What caller `task` wants at a time.
    pub fn wish(
        self,
        seats: &[(TenantId, ResourceId)],
        task: usize,
        window: Window,
        dice: &mut StdRng,
    ) -> Wish {
        let picked = match self {
            Self::OneWindow | Self::OneWindowOverLink => vec![0],
            Self::EightWindows => vec![task % TABLES],
            Self::MultiRandom => {
                let mut all: Vec<usize> = (0..TABLES).collect();
                all.partial_shuffle(dice, TABLES / 2).0.to_vec()
            }
            Self::Disjoint => vec![task],
        };
        let tables = picked.iter().map(|&seat| seats[seat].1).collect();
        Wish { tenant: seats[picked[0]].0, tables, window }
    }
}

/// The n-th quarter of an hour since 2028, long after the house's past: six million of them before the library's 2200.
pub fn quarter(n: usize) -> Window {
    let opening = DateTime::from_timestamp(1_830_297_600, 0).expect("2028-01-01");
    let start = opening + TimeDelta::minutes(15) * i32::try_from(n).expect("a few million");
    Window::starting_at(start, TimeDelta::minutes(15)).expect("a window")
}
