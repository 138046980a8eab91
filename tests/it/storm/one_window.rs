//! Many callers, one window, round after round: one wins, at once.

use super::{figures::Figures, gather, number};
use crate::support::*;
use slotkeeper::{
    Error, ResourceId, Slotkeeper, TenantId, booking::BookPlaces, confirmation::Outcome, hold::PlaceHold,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::sync::Barrier;

const CALLERS: usize = 32;

#[derive(Clone, Copy, Debug)]
enum What {
    PlaceOne,
    BookOne,
    PlaceTwo,
}

/// Scenarios 1 and 11.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_32_callers_who_hold_one_window_exactly_one_wins_each_round() {
    rounds(What::PlaceOne).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_32_callers_who_book_one_window_exactly_one_wins_each_round() {
    rounds(What::BookOne).await;
}

/// Scenario 12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_32_callers_who_hold_two_resources_exactly_one_wins_each_round() {
    rounds(What::PlaceTwo).await;
}

struct Race {
    keeper: Slotkeeper,
    pool: deadpool_postgres::Pool,
    tenant: TenantId,
    tables: Vec<ResourceId>,
    what: What,
    gate: Barrier,
    winners: AtomicUsize,
    over: AtomicBool,
    end: Instant,
}

async fn rounds(what: What) {
    let h = House::open().await;
    let tables = h.tables(2).await;
    // Connections and plans first: they are no part of a race.
    let mut warm = Vec::new();
    for _ in 0..CALLERS {
        let client = h.pool.get().await.unwrap();
        h.keeper.warm(&client).await.unwrap();
        warm.push(client);
    }
    drop(warm);
    let seconds = number("SLOTKEEPER_STORM_SECONDS").map_or(2, |seconds| seconds.div_ceil(2));
    let (keeper, pool, tenant) = (h.keeper.clone(), h.pool.clone(), h.tenant);
    let (gate, winners, over) = (Barrier::new(CALLERS), AtomicUsize::new(0), AtomicBool::new(false));
    let end = Instant::now() + Duration::from_secs(seconds);
    let race = Arc::new(Race { keeper, pool, tenant, tables, what, gate, winners, over, end });
    let callers = (0..CALLERS).map(|n| tokio::spawn(caller(Arc::clone(&race), n)));
    let figures = gather(callers.collect()).await;
    let rounds = figures.times.len() as usize / CALLERS;
    println!("storm: {what:?}, {CALLERS} callers, {rounds} rounds: {figures}");
    let expected = [("caller lost", rounds * (CALLERS - 1)), ("caller won", rounds), ("winners 1", rounds)];
    assert_eq!(figures.answers, expected.map(|(answer, n)| (answer.to_owned(), n)).into());
    assert_eq!(h.overlaps().await, 0);
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

/// Nothing here panics: the others would wait at the gate for ever.
async fn caller(race: Arc<Race>, n: usize) -> Figures {
    let mut figures = Figures::new();
    for round in 0.. {
        race.gate.wait().await;
        let start = Instant::now();
        let answer = race.attempt(n, round * 10).await;
        figures.time(start);
        race.winners.fetch_add(usize::from(answer == "won"), SeqCst);
        figures.count("caller", &answer);
        if race.gate.wait().await.is_leader() {
            figures.count("winners", &race.winners.swap(0, SeqCst).to_string());
            race.over.store(Instant::now() >= race.end, SeqCst);
        }
        race.gate.wait().await;
        if race.over.load(SeqCst) {
            break;
        }
    }
    figures
}

impl Race {
    /// `lost`: refused, and told who is in the way.
    async fn attempt(&self, n: usize, minute: i64) -> String {
        let mut tables = self.tables.clone();
        tables.rotate_left(n % 2);
        if !matches!(self.what, What::PlaceTwo) {
            tables = vec![self.tables[0]];
        }
        let claim = all(&tables, minute, minute + 10);
        let other = match self.what {
            What::BookOne => {
                let book = BookPlaces::new(self.tenant, claim, fresh_key());
                match self.keeper.bookings().book(&self.pool, &book).await.map(|decision| decision.outcome) {
                    Ok(Outcome::Confirmed) => return "won".to_owned(),
                    Ok(Outcome::Conflict { blockers }) if blockers.len() == 1 => return "lost".to_owned(),
                    other => format!("{other:?}"),
                }
            }
            _ => match self.keeper.holds().place(&self.pool, &PlaceHold::new(self.tenant, claim)).await {
                Ok(_) => return "won".to_owned(),
                Err(Error::Conflict { blockers }) if blockers.len() == tables.len() => {
                    return "lost".to_owned();
                }
                other => format!("{other:?}"),
            },
        };
        format!("neither: {other}")
    }
}
