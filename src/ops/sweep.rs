//! Overlaps within one chain of windows, exactly.
//!
//! A window covers the places from one edge up to another. An edge lies before or behind an instant, so that inclusive
//! and exclusive bounds need no notion of a next instant: `[a, b)` goes from before `a` to before `b`, `(a, b]` from
//! behind `a` to behind `b`, and `[a, a]` is not empty.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use tokio_postgres::types::{FromSql, Type};

/// An instant, and on which side of it: -1 before everything, 0 before it, 1 behind it, 2 behind everything.
pub(crate) type Edge = (Instant, i16);

/// A `timestamptz`, `timestamp` or `date` as the server counts it, infinity included: good for comparing with others
/// of the same column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(pub(crate) i64);

/// A row of a chain.
#[derive(Clone, Debug)]
pub(crate) struct Span<T> {
    pub(crate) start: Edge,
    pub(crate) end: Edge,
    /// Its place in the order of precedence; the smaller rank stays.
    pub(crate) rank: i64,
    pub(crate) row: T,
}

impl Instant {
    const fn is_finite(self) -> bool {
        !matches!(self.0, i64::MIN | i64::MAX)
    }
}

impl<'a> FromSql<'a> for Instant {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        if *ty == Type::DATE {
            return Ok(Self(match i32::from_be_bytes(raw.try_into()?) {
                i32::MIN => i64::MIN,
                i32::MAX => i64::MAX,
                day => day.into(),
            }));
        }
        Ok(Self(i64::from_be_bytes(raw.try_into()?)))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::TIMESTAMPTZ | Type::TIMESTAMP | Type::DATE)
    }
}

impl<T> Span<T> {
    /// Of two rows the one with the smaller value stays. A row without both bounds has to leave anyway, so it comes last:
    /// it must not make others leave.
    pub(crate) fn precedence(&self) -> (bool, i64) {
        let bounded =
            self.start.1 >= 0 && self.start.0.is_finite() && self.end.1 < 2 && self.end.0.is_finite();
        (!bounded, self.rank)
    }
}

/// How many pairs overlap. `seen` is called for one after the other until it returns false. The time grows with the rows
/// (times a logarithm), not with the pairs: a placeholder for "no table yet" may have thousands of rows at once.
///
/// `chain` is in order of `start`.
pub(crate) fn pairs<T>(chain: &[Span<T>], mut seen: impl FnMut(&Span<T>, &Span<T>) -> bool) -> u64 {
    let mut active = BinaryHeap::new();
    let (mut count, mut curious) = (0, true);
    for (at, span) in chain.iter().enumerate() {
        while active.peek().is_some_and(|Reverse((end, _))| *end <= span.start) {
            active.pop();
        }
        if span.start >= span.end {
            continue;
        }
        count += active.len() as u64;
        for Reverse((_, other)) in &active {
            curious = curious && seen(&chain[*other], span);
            if !curious {
                break;
            }
        }
        active.push(Reverse((span.end, at)));
    }
    count
}

/// The rows that have to leave, each with a row that stays. In order of rank a row stays unless it overlaps one that
/// stays already.
pub(crate) fn offenders<T>(chain: &[Span<T>]) -> Vec<(&Span<T>, &Span<T>)> {
    let mut ranked: Vec<&Span<T>> = chain.iter().filter(|span| span.start < span.end).collect();
    ranked.sort_unstable_by_key(|span| span.precedence());
    let mut staying: BTreeMap<Edge, &Span<T>> = BTreeMap::new();
    let mut offenders = Vec::new();
    for span in ranked {
        // Rows that stay do not overlap, so the last of them to start before this one's end is also the last to end.
        match staying.range(..span.end).next_back() {
            Some((_, other)) if other.end > span.start => offenders.push((span, *other)),
            _ => {
                staying.insert(span.start, span);
            }
        }
    }
    offenders
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: i64, end: i64, rank: i64) -> Span<i64> {
        Span { start: (Instant(start), 0), end: (Instant(end), 0), rank, row: rank }
    }

    fn leaving(chain: &[Span<i64>]) -> Vec<(i64, i64)> {
        let mut rows: Vec<_> = offenders(chain).iter().map(|(row, stays)| (row.row, stays.row)).collect();
        rows.sort_unstable();
        rows
    }

    #[test]
    fn every_pair_counts_and_the_curious_see_as_many_as_they_want() {
        let chain = [span(0, 10, 1), span(1, 3, 2), span(2, 4, 3), span(4, 5, 4)];
        let mut seen = Vec::new();
        let count = pairs(&chain, |a, b| {
            seen.push((a.row, b.row));
            true
        });
        seen.sort_unstable();
        assert_eq!(seen, [(1, 2), (1, 3), (1, 4), (2, 3)]);
        assert_eq!(count, 4);
        let mut looks = 0;
        assert_eq!(
            pairs(&chain, |_, _| {
                looks += 1;
                looks < 2
            }),
            4
        );
        assert_eq!(looks, 2);
    }

    #[test]
    fn a_hundred_thousand_rows_on_one_instant_are_counted_without_visiting_the_pairs() {
        let chain: Vec<_> = (0..100_000).map(|at| span(0, 10, at)).collect();
        assert_eq!(pairs(&chain, |_, _| false), 4_999_950_000);
        assert_eq!(offenders(&chain).len(), 99_999);
    }

    #[test]
    fn a_row_that_overlaps_only_offenders_stays() {
        // 1 stays, so 2 leaves; 3 overlapped 2 alone.
        assert_eq!(leaving(&[span(0, 2, 1), span(1, 4, 2), span(3, 5, 3)]), [(2, 1)]);
        // The middle one came first: both others leave.
        assert_eq!(leaving(&[span(0, 2, 2), span(1, 4, 1), span(3, 5, 3)]), [(2, 1), (3, 1)]);
    }

    #[test]
    fn edges_order_as_bounds_do() {
        let edge = |at: i64, side: i16| (Instant(at), side);
        let row = |start, end, rank| Span { start, end, rank, row: rank };
        // [0, 1] and (1, 2) only touch, [0, 1] and [1, 2) share an instant, and so do [1, 1] and [1, 1].
        assert_eq!(pairs(&[row(edge(0, 0), edge(1, 1), 1), row(edge(1, 1), edge(2, 0), 2)], |_, _| true), 0);
        assert_eq!(pairs(&[row(edge(0, 0), edge(1, 1), 1), row(edge(1, 0), edge(2, 0), 2)], |_, _| true), 1);
        assert_eq!(pairs(&[row(edge(1, 0), edge(1, 1), 1), row(edge(1, 0), edge(1, 1), 2)], |_, _| true), 1);
    }

    #[test]
    fn an_unbounded_row_makes_no_other_leave() {
        let endless = Span { start: (Instant(0), 0), end: (Instant(i64::MAX), 2), rank: 1, row: 1 };
        assert_eq!(leaving(&[endless, span(3, 5, 2)]), [(1, 2)]);
    }
}
